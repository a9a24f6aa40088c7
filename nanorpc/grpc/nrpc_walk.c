/* nanorpc/grpc/nrpc_walk.c - a protobuf message, byte by byte: see nrpc_walk.h.
 * Layer: core. Source: protobuf "Encoding".
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/grpc/nrpc_walk.h"

#include <string.h>

/* What the next byte belongs to. */
enum state {
    KEY,
    VARINT,
    COPY_LENGTH,
    OPEN_LENGTH, /* of a message on the path */
    FIELD_LENGTH,
    COPY, /* and what follows: bytes, of which `left` are left */
    FIELD
};

enum { LAST_SHIFT = 63 }; /* a varint has 10 bytes at most */

void nrpc_walk_begin(struct nrpc_walk *walk, uint32_t length)
{
    memset(walk, 0, sizeof *walk);
    walk->end[0] = length;
}

/* A field that was taken out has made the message shorter. Its length is written anew in as many
 * bytes as it had, in which a smaller number always finds room: so nothing has to move, and there
 * is still one message with all that was in it. (Two, which protobuf would merge, are not merged by
 * every decoder.) */
static void close_message(struct nrpc_walk *walk, uint8_t *keep)
{
    uint8_t *p = keep + walk->length_at[--walk->level];
    const uint8_t *content = p;
    while (*content++ & 0x80) {
    }
    uint32_t n = (uint32_t)(keep + walk->kept - content);
    for (; p != content; p++, n >>= 7) {
        *p = (uint8_t)((*p & 0x80) | (n & 0x7f));
    }
}

/* How many bytes a value has is known: do they fit the message, and, where they are to be kept, the
 * memory? */
static enum nrpc_walk_event begin_value(struct nrpc_walk *walk, const struct nrpc_walk_plan *plan,
                                        enum state state)
{
    uint32_t bytes = state == COPY && !walk->unknown ? walk->n.left : 0;
    walk->state = (uint8_t)state;
    if (walk->n.left > walk->end[walk->level] - walk->at) {
        return NRPC_WALK_MALFORMED;
    }
    return walk->kept > plan->keep_bytes || bytes > plan->keep_bytes - walk->kept
               ? NRPC_WALK_TOO_BIG
               : NRPC_WALK_MORE;
}

static enum nrpc_walk_event end_key(struct nrpc_walk *walk, const struct nrpc_walk_plan *plan)
{
    unsigned type = walk->n.number & 7;
    uint32_t number = walk->n.number >> 3;
    int wanted = number == plan->path[walk->level];
    walk->n.number = 0;
    if (!number || (wanted && type != 2)) {
        return NRPC_WALK_MALFORMED;
    }
    if (!wanted && plan->knows && !plan->knows(plan, walk->level, number)) {
        walk->unknown = 1;
        walk->kept = walk->field_at;
    }
    switch (type) {
    case 0: return begin_value(walk, plan, VARINT);
    case 1: walk->n.left = 8; return begin_value(walk, plan, COPY);
    case 2:
        walk->length_at[walk->level] = walk->kept;
        walk->state = (uint8_t)(!wanted                         ? COPY_LENGTH
                                : walk->level + 1 < plan->depth ? OPEN_LENGTH
                                                                : FIELD_LENGTH);
        return NRPC_WALK_MORE;
    case 5: walk->n.left = 4; return begin_value(walk, plan, COPY);
    default: return NRPC_WALK_MALFORMED; /* groups, and what is not defined */
    }
}

static enum nrpc_walk_event end_length(struct nrpc_walk *walk, const struct nrpc_walk_plan *plan)
{
    enum nrpc_walk_event event;
    switch (walk->state) {
    case COPY_LENGTH: return begin_value(walk, plan, COPY);
    case OPEN_LENGTH:
        event = begin_value(walk, plan, KEY);
        walk->end[++walk->level] = walk->at + walk->n.left;
        walk->n.number = 0;
        return event;
    default:
        walk->kept = walk->field_at;
        walk->length = walk->n.left;
        return begin_value(walk, plan, FIELD);
    }
}

/* A byte of a varint; of a field's value it only matters where it ends. */
static enum nrpc_walk_event varint(struct nrpc_walk *walk, const struct nrpc_walk_plan *plan,
                                   uint8_t byte)
{
    unsigned shift = walk->shift;
    uint32_t bits = byte & 0x7f;
    int more = byte & 0x80;
    if (walk->state != VARINT) { /* keys and lengths have 32 bits */
        if (shift >= 32 ? bits != 0 : bits << shift >> shift != bits) {
            return NRPC_WALK_MALFORMED;
        }
        walk->n.number |= shift < 32 ? bits << shift : 0;
    }
    walk->shift = (uint8_t)(more ? shift + 7 : 0);
    if (more) {
        return shift < LAST_SHIFT ? NRPC_WALK_MORE : NRPC_WALK_MALFORMED;
    }
    switch (walk->state) {
    case KEY: return end_key(walk, plan);
    case VARINT: walk->state = KEY; return NRPC_WALK_MORE;
    default: return end_length(walk, plan);
    }
}

/* Between two fields: messages may end here. */
static enum nrpc_walk_event between(struct nrpc_walk *walk, uint8_t *keep)
{
    while (walk->at == walk->end[walk->level]) {
        if (!walk->level) {
            return NRPC_WALK_END;
        }
        close_message(walk, keep);
    }
    walk->field_at = walk->kept;
    walk->unknown = 0;
    return NRPC_WALK_MORE;
}

enum nrpc_walk_event nrpc_walk_on(struct nrpc_walk *walk, const struct nrpc_walk_plan *plan,
                                  uint8_t *keep, const uint8_t **data, const uint8_t *end,
                                  struct nrpc_chunk *chunk)
{
    enum nrpc_walk_event event = NRPC_WALK_MORE;
    while (!event) {
        uint32_t n = (uint32_t)(end - *data);
        if (walk->state == KEY && !walk->shift && (event = between(walk, keep)) != NRPC_WALK_MORE) {
            break;
        }
        unsigned state = walk->state;
        if (state < COPY || n > walk->n.left) {
            n = state < COPY ? n > 0 : walk->n.left;
        }
        if (state < COPY && walk->at == walk->end[walk->level]) {
            return NRPC_WALK_MALFORMED; /* a number that its message does not hold all of */
        }
        if (!n && (state < COPY || walk->n.left)) {
            break;
        }
        const uint8_t *from = *data;
        *data += n;
        walk->at += n;
        if (state != FIELD && !walk->unknown) {
            memcpy(keep + walk->kept, from, (size_t)n);
            walk->kept += n;
        }
        if (state < COPY) {
            event = varint(walk, plan, *from);
            continue;
        }
        if (state == FIELD) {
            *chunk = (struct nrpc_chunk){.data = from,
                                         .n = (size_t)n,
                                         .offset = walk->length - walk->n.left,
                                         .length = walk->length};
            event = NRPC_WALK_CHUNK;
        }
        walk->n.left -= n;
        walk->state = walk->n.left ? walk->state : KEY;
    }
    return event;
}
