/* nanorpc/grpc/nrpc_grpc.h - messages in a stream: the 5-byte prefix, delivery, status.
 * Layer: core. Source: gRPC over HTTP2, "Length-Prefixed-Message", "Responses".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_GRPC_H
#define NANORPC_GRPC_H

#include "nanorpc/conn.h"

enum { NRPC_PREFIX_BYTES = 5, NRPC_HTTP_BODY_BYTES = 5 };

/* Bytes of the request stream: delivers the messages that they complete, keeps the rest in the
 * receive block. What comes after the call has finished is dropped. */
void nrpc_grpc_receive(struct nrpc_call *call, const uint8_t *data, uint32_t n);

#if NRPC_PIECES
#define NRPC_GRPC_SHARED
/* For a codec's `take`: a whole message, without its prefix. It may do this while the call is not
 * busy, and a single request only when NRPC_CALL_RX_END has shown it to be the only one. */
void nrpc_grpc_deliver(struct nrpc_call *call, const uint8_t *message, uint32_t length);
#else
#define NRPC_GRPC_SHARED static
#endif

/* 1: the handler must not be called now: see NRPC_CALL_BUSY. One that calls may get while its last
 * request leaves. */
static inline int nrpc_grpc_is_busy(const struct nrpc_call *call)
{
    return (call->flags & NRPC_CALL_BUSY & ~(call->method->kind & NRPC_CALLER)) != 0;
}

/* Goes on with a call wherever it stands: delivers what was kept and the half-close, then asks
 * for the next reply. To be called when anything has changed. */
void nrpc_grpc_advance(struct nrpc_call *call);

/* The engine ends a call that its handler has not finished: tells it, as nrpc_stream_close does. */
void nrpc_grpc_fail(struct nrpc_call *call, enum nrpc_status status, const char *message);

/* Answers with an HTTP status, which is also the body. status: three digits, CR, LF (WIRE:
 * conformance tools need a body of five bytes); borrowed for the call. */
void nrpc_grpc_refuse_http(struct nrpc_call *call, const char *status);

#endif
