/* nanorpc/grpc/nrpc_metadata.h - a call's metadata block: what the client sent for registered keys,
 * what the response adds.
 * Layer: core. Source: gRPC over HTTP2 "Custom-Metadata"; RFC 7541 6.2.2.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_METADATA_H
#define NANORPC_METADATA_H

#include "nanorpc/http2/nrpc_conn.h"

/* The block is records, one after another: a tag, a length of two bytes, as many bytes.
 * call->metadata_used says where they end. Tags: the index of a key, with a value of the request;
 * or enum nrpc_part, with a field that is ready to be copied into a header block. */

/* nrpc_up_value (nrpc_role.h): takes the key's value that has just been decoded into the block.
 * Returns RESOURCE_EXHAUSTED: it does not fit; INTERNAL: no base64; or NRPC_FAULT_LOST. */

#if NRPC_METADATA_BYTES
/* Copies the fields of a tag to p and returns their end: at most NRPC_METADATA_BYTES. */
uint8_t *nrpc_metadata_put(const struct nrpc_call *call, unsigned tag, uint8_t *p);
#else
static inline uint8_t *nrpc_metadata_put(const struct nrpc_call *call, unsigned tag, uint8_t *p)
{
    (void)call;
    (void)tag;
    return p;
}
#endif

#endif
