/* nanorpc/client/nrpc_invoke.h - the header block of a request.
 * Layer: core. Source: gRPC over HTTP2 "Requests".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_INVOKE_H
#define NANORPC_INVOKE_H

#include "nanorpc/client/nrpc_caller.h"

/* The header block of a call's request, at most NRPC_TRANSMIT_MIN - 30 bytes, at p; returns its
 * end. */
uint8_t *nrpc_invoke_headers(struct nrpc_call *call, uint8_t *p);

#endif
