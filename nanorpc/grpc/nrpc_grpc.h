/* nanorpc/grpc/nrpc_grpc.h - messages in a stream: the 5-byte prefix, delivery, status.
 * Layer: core. Source: gRPC over HTTP2, "Length-Prefixed-Message", "Responses".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_GRPC_H
#define NANORPC_GRPC_H

#include "nanorpc/grpc/nrpc_compression.h"

enum { NRPC_HTTP_BODY_BYTES = 5 };

/* nrpc_up_data (nrpc_role.h): delivers the messages that the bytes complete, keeps the rest in the
 * receive block; while the handler must not be called, what is more than that is not taken. What
 * comes after the call has finished is dropped. */

/* For a codec's `take`: a whole message, without its prefix. It may do this while the call is not
 * busy, and a single request only when NRPC_CALL_RX_END has shown it to be the only one. */
void nrpc_grpc_deliver(struct nrpc_call *call, const uint8_t *message, uint32_t length);

/* The handler must not be called now: see NRPC_CALL_BUSY. One that calls may get while its last
 * request leaves. */
static inline int nrpc_grpc_is_busy(const struct nrpc_call *call)
{
    unsigned busy = NRPC_CALL_BUSY;
    if (call->method->kind & NRPC_CALLER) {
        busy &= ~(unsigned)NRPC_CALL_TX;
    }
    return (call->flags & busy) != 0;
}

/* Goes on with a call wherever it stands: delivers what was kept and the half-close, then asks
 * for the next reply. To be called when anything has changed. */
void nrpc_grpc_advance(struct nrpc_call *call);

/* The engine ends a call that its handler has not finished: tells it, as nrpc_stream_close does. */
void nrpc_grpc_fail(struct nrpc_call *call, enum nrpc_status status, const char *message);

/* Finishes a call whose message, or whose reply, is no good; and tells the application. */
#if NRPC_REFUSALS
int nrpc_grpc_refuse(struct nrpc_call *call, enum nrpc_status status, const char *message);
#else
static inline int nrpc_grpc_refuse(struct nrpc_call *call, enum nrpc_status status,
                                   const char *message)
{
    return nrpc_call_finish(call, status, message);
}
#endif

/* A message is complete: what it says once it is inflated, see nrpc_compression_inflate. Returns
 * 1, or 0: the call has been failed instead. */
int nrpc_grpc_inflate(struct nrpc_call *call, uint8_t flag, const uint8_t **data, uint32_t *n);

/* Answers with an HTTP status, which is also the body. status: three digits, CR, LF (WIRE:
 * conformance tools need a body of five bytes); borrowed for the call. */
void nrpc_grpc_refuse_http(struct nrpc_call *call, const char *status);

#endif
