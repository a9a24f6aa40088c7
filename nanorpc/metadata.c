/* nanorpc/metadata.c - a call's metadata: records in its block, base64 both ways.
 * Layer: core. Source: gRPC over HTTP2 "Custom-Metadata"; RFC 4648 4; RFC 7541 5.1, 6.2.2.
 * SPDX-License-Identifier: Apache-2.0 */
#include "metadata.h"

#include <string.h>

#if NRPC_METADATA_BYTES

enum { RECORD_BYTES = 3 };

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"; /* of base64 */

/* A place for a record of n bytes at the block's end, not yet a part of it; NULL: no room. */
static uint8_t *begin_record(const struct nrpc_call *call, size_t n)
{
    size_t room = NRPC_METADATA_BYTES - (size_t)call->metadata_used;
    return room < RECORD_BYTES || n > room - RECORD_BYTES ? NULL : nrpc_call_metadata_block(call) + call->metadata_used + RECORD_BYTES;
}

/* The n bytes that begin_record gave are a record from here on. */
static void end_record(struct nrpc_call *call, unsigned tag, size_t n)
{
    uint8_t *record = nrpc_call_metadata_block(call) + call->metadata_used;
    record[0] = (uint8_t)tag;
    record[1] = (uint8_t)(n >> 8);
    record[2] = (uint8_t)n;
    call->metadata_used = (uint16_t)(call->metadata_used + RECORD_BYTES + n);
}

/* The next record with this tag from `at` on, or NULL; *n: its bytes. */
static const uint8_t *find_record(const struct nrpc_call *call, const uint8_t *at, unsigned tag, size_t *n)
{
    const uint8_t *end = nrpc_call_metadata_block(call) + call->metadata_used;
    while (at != end) {
        const uint8_t *bytes = at + RECORD_BYTES;
        *n = (size_t)at[1] << 8 | at[2];
        if (*at == tag) {
            return bytes;
        }
        at = bytes + *n;
    }
    return NULL;
}

static int is_binary(const char *key, size_t n)
{
    return n > 4 && memcmp(key + n - 4, "-bin", 4) == 0;
}

/* --- From the client ---------------------------------------------------------------------- */

/* One value in base64, padded or not, from *position to `end` or a comma; into a record of its own. Leaves
 * *position there. */
static uint8_t take_binary(struct nrpc_call *call, const struct nrpc_hpack *field, unsigned *position, unsigned end)
{
    unsigned tag = field->token - (unsigned)NRPC_T_KEY, n = 0, bits = 0, padded = 0;
    uint32_t group = 0;
    for (; *position != end; ++*position) {
        uint8_t c = nrpc_hpack_text_byte(field, *position);
        const char *digit = memchr(digits, c, 64);
        if (c == ',') {
            break;
        }
        if (c == '=') {
            padded = 1;
            continue;
        }
        if (!digit || padded) {
            return NRPC_METADATA_MALFORMED;
        }
        group = group << 6 | (uint32_t)(digit - digits);
        bits += 6;
        if (bits >= 8) {
            uint8_t *to = begin_record(call, n + 1);
            bits -= 8;
            if (!to) {
                return NRPC_METADATA_TOO_BIG;
            }
            to[n++] = (uint8_t)(group >> bits);
        }
    }
    if (!begin_record(call, n)) {
        return NRPC_METADATA_TOO_BIG;
    }
    end_record(call, tag, n);
    return bits >= 6 ? NRPC_METADATA_MALFORMED : NRPC_METADATA_FINE;
}

static uint8_t take_text(struct nrpc_call *call, const struct nrpc_hpack *field, unsigned start, unsigned n)
{
    uint8_t *to = begin_record(call, n);
    if (!to) {
        return NRPC_METADATA_TOO_BIG;
    }
    for (unsigned i = 0; i < n; i++) {
        to[i] = nrpc_hpack_text_byte(field, start + i);
    }
    end_record(call, field->token - (unsigned)NRPC_T_KEY, n);
    return NRPC_METADATA_FINE;
}

uint8_t nrpc_metadata_take(struct nrpc_call *call, const struct nrpc_hpack *field)
{
    const char *name = field->server->keys[field->token - NRPC_T_KEY]->name;
    unsigned position;
    int32_t n = nrpc_hpack_text(field, &position);
    if (n < 0) {
        return n == NRPC_TEXT_LOST ? NRPC_METADATA_LOST : NRPC_METADATA_TOO_BIG;
    }
    unsigned end = position + (unsigned)n;
    if (!is_binary(name, strlen(name))) {
        return take_text(call, field, position, (unsigned)n);
    }
    for (;;) {
        uint8_t state = take_binary(call, field, &position, end);
        if (state || position == end) {
            return state;
        }
        position++; /* the comma */
    }
}

const void *nrpc_call_metadata(const struct nrpc_call *call, const struct nrpc_key *key, unsigned i, size_t *n)
{
    const struct nrpc_server *server = nrpc_call_conn(call)->server;
    const uint8_t *at = nrpc_call_metadata_block(call);
    unsigned tag = 0;
    while (tag < server->n_keys && server->keys[tag] != key) {
        tag++;
    }
    while ((at = find_record(call, at, tag, n)) != NULL && i--) {
        at += *n;
    }
    return at;
}

/* --- To the client ------------------------------------------------------------------------ */

/* RFC 7541 5.1 with a prefix of 7 bits. */
static uint8_t *put_length(uint8_t *p, size_t n)
{
    if (n < 127) {
        *p++ = (uint8_t)n;
        return p;
    }
    *p++ = 127;
    for (n -= 127; n >= 128; n >>= 7) {
        *p++ = (uint8_t)(n | 128);
    }
    *p++ = (uint8_t)n;
    return p;
}

/* Without padding, as gRPC wants it. */
static uint8_t *put_base64(uint8_t *p, const uint8_t *from, size_t n)
{
    while (n) {
        size_t taken = n < 3 ? n : 3;
        uint32_t group = 0;
        for (size_t i = 0; i < 3; i++) {
            group = group << 8 | (i < taken ? from[i] : 0u);
        }
        for (size_t i = 0; i <= taken; i++) {
            *p++ = (uint8_t)digits[group >> 18];
            group = group << 6 & 0xffffff;
        }
        from += taken;
        n -= taken;
    }
    return p;
}

static int add(struct nrpc_call *call, unsigned tag, const char *key, const void *value, size_t n)
{
    size_t key_bytes = strlen(key), room = n;
    int binary = is_binary(key, key_bytes);
    if (binary) {
        room = n / 3 * 4 + (n % 3 ? n % 3 + 1 : 0);
    }
    uint8_t *begin = n > NRPC_METADATA_BYTES ? NULL : begin_record(call, 1 + 1 + key_bytes + (room < 127 ? 1 : room < 255 ? 2 : 3) + room);
    if (!begin) {
        return NRPC_E_TOO_BIG;
    }
    uint8_t *p = begin;
    *p++ = 0; /* literal without indexing, a new name */
    p = put_length(p, key_bytes);
    memcpy(p, key, key_bytes);
    p = put_length(p + key_bytes, room);
    if (binary) {
        p = put_base64(p, value, n);
    } else {
        memmove(p, value, n);
        p += n;
    }
    end_record(call, tag, (size_t)(p - begin));
    return 0;
}

int nrpc_call_add_header(struct nrpc_call *call, const char *key, const void *value, size_t n)
{
    return (call->flags & (NRPC_CALL_OPEN | NRPC_CALL_HEADERS)) == NRPC_CALL_OPEN
               ? add(call, NRPC_RECORD_HEADER, key, value, n) : NRPC_E_STATE;
}

int nrpc_call_add_trailer(struct nrpc_call *call, const char *key, const void *value, size_t n)
{
    return call->flags & NRPC_CALL_OPEN ? add(call, NRPC_RECORD_TRAILER, key, value, n) : NRPC_E_STATE;
}

uint8_t *nrpc_metadata_put(const struct nrpc_call *call, unsigned tag, uint8_t *p)
{
    const uint8_t *at = nrpc_call_metadata_block(call);
    size_t n;
    while ((at = find_record(call, at, tag, &n)) != NULL) {
        memcpy(p, at, n);
        p += n;
        at += n;
    }
    return p;
}

#endif
