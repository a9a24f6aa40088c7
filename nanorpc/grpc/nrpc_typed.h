/* nanorpc/grpc/nrpc_typed.h - what nanopb's messages need beside nanopb: nrpc_message.c's own.
 * Layer: core; knows nanopb. Source: protobuf "Encoding".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_TYPED_H
#define NANORPC_TYPED_H

#include "nanorpc/codec.h"
#include "nanorpc/grpc/nrpc_grpc.h"

/* nrpc_codec.shrink of the typed codec. */
uint32_t nrpc_typed_shrink(struct nrpc_call *call, uint8_t *message, uint32_t n);

/* The n bytes are not the request, or not all of it fits into its struct: fails the call, and says
 * why. Returns the status. */
enum nrpc_status nrpc_typed_refuse(struct nrpc_call *call, const uint8_t *data, size_t n);

/* The reply does not encode: the same; but why is said only to who wants to hear. */
#if NRPC_REFUSALS
enum nrpc_status nrpc_typed_refuse_reply(struct nrpc_call *call, void *reply);
#else
static inline enum nrpc_status nrpc_typed_refuse_reply(struct nrpc_call *call, const void *reply)
{
    (void)reply;
    return nrpc_call_fail(call, NRPC_INTERNAL, "reply too large");
}
#endif

#endif
