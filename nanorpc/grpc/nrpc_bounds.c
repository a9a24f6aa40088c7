/* nanorpc/grpc/nrpc_bounds.c - messages that do not fit: made smaller where they may be; else which
 * field is over its bound.
 * Layer: core; knows nanopb. Source: protobuf "Encoding": unknown fields, last one wins, merging.
 * SPDX-License-Identifier: Apache-2.0 */
#include <pb_common.h>
#include <pb_decode.h>
#include <pb_encode.h>
#include <string.h>

#include "nanorpc/grpc/nrpc_typed.h"

/* A message that does not fit is cut somewhere: messages have begun and not ended, one within the
 * other, and the last of them ends in a part of a field. All that is complete is decoded, field by
 * field, and encoded again: which drops, merges and overwrites as protobuf wants it, and cannot
 * become larger than nanopb's largest. What is open comes last in the message around it, to go on
 * there; for that, and for the part of a field, there is NRPC_RX_SLACK.
 * Why a message does not decode shows on the same way: only then it leads into the field that does
 * not. */

enum { DEPTH = 8 };

struct level { /* a field on the way */
    uint32_t tag;
    uint32_t more;   /* of its bytes are to come */
    uint8_t *length; /* where it has been written */
};

struct walk {
    struct level *level;   /* the innermost */
    pb_istream_t in;       /* the message around it; where that is being decoded: .. */
    pb_field_iter_t field; /* .. of that message: the one that is being looked at */
    pb_ostream_t out;
    uint32_t drop;                  /* so many bytes to come are of a field that it does not have */
    uint32_t part;                  /* bytes at the end that are not decoded */
    uint32_t room, widest;          /* of the block; no length is larger */
    uint32_t bound;                 /* what a field has more of than it may; 0: not known */
    const char *of;                 /* these */
    struct level levels[DEPTH + 2]; /* the first one is the whole message */
};

/* Has the field more than it may? whole: all of it is there. nanopb has counted an element that it
 * did not take, unless that was in a packed run. */
static NRPC_NOINLINE int is_over(struct walk *walk, int packed, uint32_t bytes)
{
    const pb_field_iter_t *field = &walk->field;
    unsigned type = PB_LTYPE(field->type);
    const char *of = " elements";
    uint32_t has = 0, bound = field->array_size;
    if (PB_HTYPE(field->type) == PB_HTYPE_REPEATED) {
        has = *(pb_size_t *)field->pSize + (uint32_t)packed;
    }
    if (has <= bound && type >= PB_LTYPE_BYTES && !field->submsg_desc) {
        of = " bytes";
        has = bytes;
        bound = field->data_size;
        if (type == PB_LTYPE_STRING) {
            bound--;
        } else if (type == PB_LTYPE_BYTES) {
            bound -= (uint32_t)offsetof(pb_bytes_array_t, bytes);
        }
    }
    walk->of = of;
    walk->bound = bound;
    return has > bound;
}

/* Takes a field out of its message, of a repeated one the last element: it is not encoded with it.
 * Returns where it stays. */
static NRPC_NOINLINE uint8_t *take_out(const pb_field_iter_t *field)
{
    uint8_t *at = field->pData;
    pb_size_t *count = field->pSize;
    if (PB_HTYPE(field->type) == PB_HTYPE_REPEATED) {
        at += --*count * field->data_size;
    } else if (PB_HTYPE(field->type) == PB_HTYPE_ONEOF) {
        *count = 0;
    } else if (count) {
        *(bool *)field->pSize = false;
    } else {
        memset(at, 0, field->data_size);
    }
    return at;
}

/* Encodes the innermost message; there are `part` bytes at the end of the room. */
static NRPC_NOINLINE bool encode(struct walk *walk)
{
    walk->bound = 0;
    walk->out.max_size = (size_t)(walk->room - walk->part);
    return pb_encode(&walk->out, walk->field.descriptor, walk->field.message);
}

struct found {          /* where the walk stops */
    pb_istream_t value; /* of a text, bytes or a message: it, behind its length */
    uint32_t bytes;     /* which that is; 0: not known */
    pb_wire_type_t type;
    int whole; /* it is all there */
};

/* Decodes the innermost message up to the first field that is not complete, or does not decode.
 * Returns 0: there is none of which more can be said. flags: nanopb's. */
static int find(struct walk *walk, struct found *found, unsigned flags)
{
    struct level *level = walk->level;
    pb_istream_t rest = walk->in;
    bool eof, decodes = pb_decode_ex(&rest, walk->field.descriptor, walk->field.message, flags);
    do {
        walk->part = decodes ? 0 : (uint32_t)walk->in.bytes_left;
        if (decodes || !pb_decode_tag(&walk->in, &found->type, &level->tag, &eof)) {
            return 0;
        }
        found->value = walk->in;
        found->whole = pb_skip_field(&walk->in, found->type);
    } while (found->whole && walk->in.bytes_left > rest.bytes_left);
    found->bytes = 0;
    level->more = 0;
    if (found->type == PB_WT_STRING && pb_decode_varint32(&found->value, &found->bytes) &&
        !found->whole) {
        level->more = found->bytes - (uint32_t)found->value.bytes_left;
    }
    return 1;
}

/* Goes into the message that is found. Returns nanopb's flags for it, or -1: there is no room. */
static int go_into(struct walk *walk, struct found *found)
{
    struct level *level = walk->level;
    pb_field_iter_t *field = &walk->field;
    int flags = 0;
    void *message = field->pData;
    if (found->whole || !NRPC_SHRINK) {
        found->value.bytes_left = (size_t)found->bytes;
    } else {
        message = take_out(field);
        if (PB_HTYPE(field->type) != PB_HTYPE_REPEATED) {
            flags = PB_DECODE_NOINIT;
        }
        walk->part = (uint32_t)found->value.bytes_left;
        if (!encode(walk) || !pb_encode_tag(&walk->out, PB_WT_STRING, level->tag)) {
            return -1;
        }
        level->length = walk->out.state;
        if (!pb_encode_varint(&walk->out, walk->widest)) {
            return -1;
        }
    }
    walk->in = found->value;
    pb_field_iter_begin(field, field->submsg_desc, message);
    return flags;
}

/* Goes to what is not complete, or does not decode, of n bytes of the request, and `more` that are
 * to come. Returns NRPC_OK: it is not complete; NRPC_INTERNAL: malformed; NRPC_RESOURCE_EXHAUSTED:
 * over its bound, or the room. */
static enum nrpc_status go(struct walk *walk, struct nrpc_call *call, const uint8_t *message,
                           size_t n, uint32_t more)
{
    enum nrpc_status end = more ? NRPC_OK : NRPC_INTERNAL;
    struct found found;
    const pb_field_iter_t *field = &walk->field;
    pb_field_iter_begin(&walk->field, call->method->request, nrpc_call_conn(call)->server->request);
    walk->in = pb_istream_from_buffer(message, n);
    walk->drop = 0;
    walk->levels[0].more = more;
    walk->level = walk->levels;
    for (int flags = 0; flags >= 0; flags = go_into(walk, &found)) {
        const struct level *level = ++walk->level;
        if (!find(walk, &found, (unsigned)flags)) {
            return end;
        }
        if (level->more > level[-1].more) {
            return NRPC_INTERNAL;
        }
        if (!pb_field_iter_find(&walk->field, level->tag)) {
            if (level->more) {
                walk->drop = level->more;
                walk->part = 0;
            }
            return found.whole ? NRPC_INTERNAL : end;
        }
        int packed = found.type == PB_WT_STRING && PB_LTYPE(field->type) <= PB_LTYPE_LAST_PACKABLE;
        if (is_over(walk, packed & found.whole, found.bytes)) {
            return NRPC_RESOURCE_EXHAUSTED;
        }
        if (found.whole) {
            end = NRPC_INTERNAL;
        }
        if (!field->submsg_desc || !found.bytes || level == &walk->levels[DEPTH + 1]) {
            if (NRPC_SHRINK && !found.whole &&
                (PB_HTYPE(field->type) == PB_HTYPE_REPEATED ? !packed : !field->submsg_desc)) {
                take_out(field);
            }
            return end;
        }
    }
    return NRPC_RESOURCE_EXHAUSTED; /* of the room */
}

/* Writes a length anew, in as many bytes as it has: that of all that follows up to `end`, and of
 * `more`. */
static void set_length(uint8_t *p, const uint8_t *end, uint32_t more)
{
    const uint8_t *content = p;
    while (*content++ & 0x80) {
    }
    uint32_t n = (uint32_t)(end - content) + more;
    for (; p != content; p++, n >>= 7) {
        *p = (uint8_t)((*p & 0x80) | (n & 0x7f));
    }
}

/* Puts a text behind the n bytes of the status message, as far as there is room, but for a NUL.
 * Returns how many these are then. */
static NRPC_NOINLINE unsigned put(uint8_t *to, unsigned n, const char *text)
{
    n += nrpc_respond_percent(to + n, NRPC_STATUS_MESSAGE_MAX - 1 - n, text);
    to[n] = 0;
    return n;
}

static unsigned put_number(uint8_t *to, unsigned n, const char *before, uint32_t number)
{
    char digits[11], *digit = &digits[10];
    *digit = 0;
    do {
        *--digit = (char)('0' + number % 10);
    } while ((number /= 10) > 0);
    return put(to, put(to, n, before), digit);
}

/* "field 3.1: more than 15 bytes", where it goes in the end. Names would take as much flash as all
 * messages have text. */
static const char *words(struct nrpc_call *call, const struct walk *walk)
{
    uint8_t *to = nrpc_call_message(call);
    unsigned n = 0;
    const char *before = "field ";
    for (const struct level *level = &walk->levels[1]; level <= walk->level; level++) {
        n = put_number(to, n, before, level->tag);
        before = ".";
    }
    put(to, put_number(to, n, ": more than ", walk->bound), walk->of);
    return (const char *)to;
}

static void refuse(struct nrpc_call *call, const struct walk *walk, enum nrpc_status status)
{
    nrpc_grpc_fail(call, status,
                   status == NRPC_INTERNAL ? "message malformed"
                   : walk->bound           ? words(call, walk)
                                           : "message too large");
}

enum nrpc_status nrpc_typed_refuse(struct nrpc_call *call, const uint8_t *data, size_t n)
{
    struct walk walk;
    enum nrpc_status status = go(&walk, call, data, n, 0);
    refuse(call, &walk, status);
    return status;
}

uint32_t nrpc_typed_shrink(struct nrpc_call *call, uint8_t *message, uint32_t n)
{
    struct walk walk;
    uint32_t more = nrpc_get32(message - 4) - n;
    walk.room = (uint32_t)(nrpc_call_tx(call) - message); /* more than there is room for: a part of
                                                               it becomes larger before all is less
                                                           */
    walk.widest = n + more + walk.room;
    walk.out = pb_ostream_from_buffer(message, 0);
    enum nrpc_status status = go(&walk, call, memmove(message + walk.room - n, message, (size_t)n),
                                 (size_t)n, more);
    if (status == NRPC_OK && !encode(&walk)) {
        status = NRPC_RESOURCE_EXHAUSTED;
    }
    if (status != NRPC_OK) {
        refuse(call, &walk, status);
        return n;
    }
    uint8_t *end = walk.out.state;
    memmove(end, message + walk.room - walk.part, (size_t)walk.part);
    end += walk.part;
    for (const struct level *level = &walk.levels[1]; level < walk.level; level++) {
        set_length(level->length, end, level->more - walk.drop);
    }
    n = (uint32_t)(end - message);
    call->rx_drop = 1 + walk.drop;
    nrpc_put32(message - 4, n + more - walk.drop);
    return n;
}

/* --- Replies ---------------------------------------------------------------------------------- */

#if NRPC_REFUSALS

/* How many values a field has. */
static pb_size_t values(const pb_field_iter_t *field)
{
    const pb_size_t *count = field->pSize;
    switch (PB_HTYPE(field->type)) {
    case PB_HTYPE_REPEATED: return *count;
    case PB_HTYPE_ONEOF: return *count == field->tag;
    default: return !count || *(bool *)field->pSize;
    }
}

/* How many bytes a text has; over its bound: it does not end within it. */
static pb_size_t text_bytes(const pb_field_iter_t *field, const uint8_t *at)
{
    if (PB_LTYPE(field->type) == PB_LTYPE_BYTES) {
        return ((const pb_bytes_array_t *)(const void *)at)->size;
    }
    return memchr(at, '\0', field->data_size) ? 0 : field->data_size;
}

/* Goes down to a field that is over its bound. Returns NRPC_RESOURCE_EXHAUSTED; NRPC_INTERNAL:
 * there is none. */
static enum nrpc_status find_sent(struct walk *walk, const pb_msgdesc_t *desc, void *message)
{
    pb_field_iter_t *field = &walk->field;
    size_t size;
    bool more = pb_field_iter_begin(field, desc, message);
    walk->level = &walk->levels[1];
    while (more) {
        const pb_msgdesc_t *within = field->submsg_desc;
        uint8_t *at = field->pData;
        pb_size_t n = values(field);
        walk->level->tag = field->tag;
        if (is_over(walk, 0, 0)) {
            return NRPC_RESOURCE_EXHAUSTED;
        }
        while (n && (within ? pb_get_encoded_size(&size, within, at)
                            : !is_over(walk, 0, text_bytes(field, at)))) {
            at += field->data_size;
            n--;
        }
        if (!n) {
            more = pb_field_iter_next(field);
        } else if (within && walk->level != &walk->levels[DEPTH + 1]) {
            walk->level++;
            more = pb_field_iter_begin(field, within, at);
        } else {
            return NRPC_RESOURCE_EXHAUSTED;
        }
    }
    return NRPC_INTERNAL;
}

enum nrpc_status nrpc_typed_refuse_reply(struct nrpc_call *call, void *reply)
{
    struct walk walk;
    (void)nrpc_grpc_refuse(call, NRPC_INTERNAL,
                           find_sent(&walk, call->method->reply, reply) == NRPC_RESOURCE_EXHAUSTED
                               ? words(call, &walk)
                               : "reply too large");
    return NRPC_INTERNAL;
}
#endif
