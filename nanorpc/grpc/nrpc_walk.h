/* nanorpc/grpc/nrpc_walk.h - walks over a protobuf message while it arrives: hands out one field in
 * pieces, keeps the rest.
 * Layer: core. Source: protobuf "Encoding".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_WALK_H
#define NANORPC_WALK_H

#include <stddef.h>
#include <stdint.h>

#include "nanorpc/config.h"

NRPC_BEGIN_C

/* Numbers in a path; bytes that are kept beyond keep_bytes for a moment (a varint, a key and a
 * length, ten each). */
enum { NRPC_WALK_DEPTH = 4, NRPC_WALK_SLACK = 30 };

struct pb_msgdesc_s;

/* Which field, and how much else. In flash. */
struct nrpc_walk_plan {
    const uint32_t *path; /* field numbers, from the message down to the field; all before the last
                             are messages */
    uint32_t keep_bytes;  /* what all other fields may take */
    uint8_t depth;        /* numbers in path, 1..NRPC_WALK_DEPTH */
    const struct pb_msgdesc_s *fields; /* of the outermost message, for: */
    /* Does the message on a level of the path have this field? What it does not have is not kept.
     * NULL: all are. */
    int (*knows)(const struct nrpc_walk_plan *plan, unsigned level, uint32_t number);
};

/* A piece of the field: bytes offset to offset + n of its `length`. Of a field of no bytes there is
 * one, with n 0. Offset 0 begins the field; should a message have it twice, again. */
struct nrpc_chunk {
    const uint8_t *data; /* borrowed for the call of the handler */
    size_t n;
    uint32_t offset, length;
};

struct nrpc_walk {
    uint32_t at;                   /* bytes of the message so far */
    uint32_t end[NRPC_WALK_DEPTH]; /* where the messages that are open end, from the outermost */
    union {
        uint32_t number; /* a varint, as far as it is known; a length becomes .. */
        uint32_t left;   /* .. the bytes of the value that are still to come */
    } n;
    uint32_t length;         /* of the field that is handed out */
    uint32_t kept, field_at; /* bytes kept; where there the field that is being read begins */
    uint32_t length_at[NRPC_WALK_DEPTH]; /* where there the length stands of the message that is
                                            open on a level */
    uint8_t state, level, shift;
    uint8_t unknown; /* the field that is being read is not kept */
};

enum nrpc_walk_event {
    NRPC_WALK_MORE,      /* all data are used */
    NRPC_WALK_CHUNK,     /* *chunk is to be handed out */
    NRPC_WALK_END,       /* the message is over; and so again when called again */
    NRPC_WALK_MALFORMED, /* it is none; do not go on */
    NRPC_WALK_TOO_BIG    /* the other fields take more than keep_bytes; do not go on */
};

/* length: of the message, bytes. */
void nrpc_walk_begin(struct nrpc_walk *walk, uint32_t length);

/* Goes on until there is something to say. keep: keep_bytes + NRPC_WALK_SLACK bytes, the same with
 * every call; the first walk->kept of them are in the end a message without the field. *data, end:
 * the bytes that follow, maybe none; *data is moved behind what was used. chunk: written for
 * NRPC_WALK_CHUNK. */
enum nrpc_walk_event nrpc_walk_on(struct nrpc_walk *walk, const struct nrpc_walk_plan *plan,
                                  uint8_t *keep, const uint8_t **data, const uint8_t *end,
                                  struct nrpc_chunk *chunk);

NRPC_END_C

#endif
