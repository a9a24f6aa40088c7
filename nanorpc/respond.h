/* nanorpc/respond.h - the header blocks of responses, written from constants.
 * Layer: core. Source: gRPC over HTTP2 "Responses"; RFC 7541.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_RESPOND_H
#define NANORPC_RESPOND_H

#include <stdint.h>

/* Our encoder's dynamic table: what the peer has been told, RFC 7541 2.3. Where the peer's table
 * has room, the first response inserts content-type and grpc-status 0, and later ones name each
 * in one byte. */
struct nrpc_response_table {
    uint16_t max_bytes;
    uint8_t inserted;   /* 0: nothing, 1: content-type, 2: grpc-status as well */
    uint8_t update_due; /* a size update must open the next block, RFC 7541 4.2 */
};

void nrpc_response_table_init(struct nrpc_response_table *table);

/* The peer's SETTINGS_HEADER_TABLE_SIZE. A larger table than before is not made use of. */
void nrpc_response_table_limit(struct nrpc_response_table *table, uint32_t bytes);

/* Each of these writes one part of a block at p and returns its end. In this order: */

/* ":status: 200" and content-type: at most 23 bytes. */
uint8_t *nrpc_respond_ok(struct nrpc_response_table *table, uint8_t *p);
/* Instead of it, any other HTTP status, of three digits: at most 8 bytes. */
uint8_t *nrpc_respond_http(struct nrpc_response_table *table, uint8_t *p, const uint8_t *digits);
/* "grpc-accept-encoding: identity": 31 bytes. */
uint8_t *nrpc_respond_encodings(uint8_t *p);
/* grpc-status, 0..16: at most 16 bytes. */
uint8_t *nrpc_respond_status(struct nrpc_response_table *table, uint8_t *p, unsigned status);
/* grpc-message, percent-encoded: at most 17 + 3 * n bytes. n: 1..16000. */
uint8_t *nrpc_respond_message(uint8_t *p, const uint8_t *message, unsigned n);

#endif
