/* nanorpc/hpack/nrpc_respond.h - the header blocks of responses, written from constants.
 * Layer: core. Source: gRPC over HTTP2 "Responses"; RFC 7541.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_RESPOND_H
#define NANORPC_RESPOND_H

#include <stdint.h>

#include "nanorpc/config.h"

NRPC_BEGIN_C

/* Our encoder's dynamic table: what the peer has been told, RFC 7541 2.3. Where the peer's table
 * has room, the first response inserts content-type and grpc-status 0, and later ones name each
 * in one byte. All zero at first. */
struct nrpc_response_table {
    uint8_t inserted;   /* 0: nothing, 1: content-type, 2: grpc-status as well */
    uint8_t is_small;   /* the two do not fit: nothing is inserted */
    uint8_t update_due; /* a size update must open the next block, RFC 7541 4.2 */
};

/* The peer's SETTINGS_HEADER_TABLE_SIZE. A larger table than before is not made use of. */
void nrpc_response_table_limit(struct nrpc_response_table *table, uint32_t bytes);

/* Each of these writes one part of a block at p and returns its end. In this order: */

/* What each block begins with, that of trailers too: nothing, or the update that is due: at most 3
 * bytes. */
uint8_t *nrpc_respond_begin(struct nrpc_response_table *table, uint8_t *p);
/* ":status: 200" and content-type: at most 20 bytes. digits: NULL, or any other HTTP status in
 * three digits, which then stands alone. */
uint8_t *nrpc_respond_headers(struct nrpc_response_table *table, uint8_t *p, const uint8_t *digits);
/* "grpc-encoding": at most 23 bytes. encoding: enum nrpc_encoding, deflate or gzip; 0: nothing. */
#if NRPC_COMPRESSION
uint8_t *nrpc_respond_encoding(uint8_t *p, unsigned encoding);
#else
static inline uint8_t *nrpc_respond_encoding(uint8_t *p, unsigned encoding)
{
    (void)encoding;
    return p;
}
#endif
/* "grpc-accept-encoding: identity": 31 bytes; with NRPC_COMPRESSION, ",deflate,gzip": 44. */
uint8_t *nrpc_respond_encodings(uint8_t *p);
/* grpc-status, 0..16: at most 16 bytes. */
uint8_t *nrpc_respond_status(struct nrpc_response_table *table, uint8_t *p, unsigned status);
/* grpc-message, percent-encoded by the next function: 15 + n bytes. n: 1..126. */
uint8_t *nrpc_respond_message(uint8_t *p, const uint8_t *message, unsigned n);

/* Percent-encodes text to `to`, as much as fits in `room` bytes without cutting a UTF-8 character.
 * Returns the bytes written. */
unsigned nrpc_respond_percent(uint8_t *to, unsigned room, const char *text);

/* What stands in a block as it is. piece: its length, 1..255, then as many bytes. */
uint8_t *nrpc_respond_piece(uint8_t *p, const char *piece);

NRPC_END_C

#endif
