/* nanorpc/hpack/nrpc_hpack_value.h - what a field's value means, by its token, as it arrives.
 * Layer: core, internal to nanorpc/hpack. Source: RFC 9113 8; gRPC over HTTP2.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_HPACK_VALUE_H
#define NANORPC_HPACK_VALUE_H

#include "nanorpc/hpack/nrpc_hpack.h"

/* The value of hpack->token begins; then its bytes; then hpack->value and hpack->bad are what it
 * has been. */
void nrpc_hpack_value_begin(struct nrpc_hpack *hpack);
void nrpc_hpack_value_bytes(struct nrpc_hpack *hpack, const uint8_t *p, const uint8_t *end);
void nrpc_hpack_value_end(struct nrpc_hpack *hpack);

#endif
