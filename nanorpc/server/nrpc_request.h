/* nanorpc/server/nrpc_request.h - from the fields of a header block to a call, or to its refusal.
 * Layer: core. Source: RFC 9113 8.1, 8.3; gRPC over HTTP2 "Requests".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_REQUEST_H
#define NANORPC_REQUEST_H

#include "nanorpc/conn.h"

/* Begins the header block of stream conn->block_id: nothing is known of it. */
void nrpc_request_begin(struct nrpc_conn *conn);

/* Takes the field that nrpc_hpack_decode has just completed. */
void nrpc_request_field(struct nrpc_conn *conn, const struct nrpc_hpack *field);

/* Whatever the fields say, the request is malformed: stream error PROTOCOL_ERROR. */
void nrpc_request_malformed(struct nrpc_request *request);

/* The block is complete: opens a call, answers in HTTP, refuses or resets the stream, or takes the
 * trailers of an open one. */
void nrpc_request_end(struct nrpc_conn *conn);

#endif
