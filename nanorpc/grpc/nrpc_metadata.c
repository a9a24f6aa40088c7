/* nanorpc/grpc/nrpc_metadata.c - a call's metadata: records in its block, base64 both ways.
 * Layer: core. Source: gRPC over HTTP2 "Custom-Metadata"; RFC 4648 4; RFC 7541 5.1, 6.2.2.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/grpc/nrpc_metadata.h"

#include <string.h>

#include "nanorpc/http2/nrpc_role.h"

#if NRPC_METADATA_BYTES

enum { RECORD_BYTES = 3, FIELD_OVERHEAD = 5, PADDED = 64 };

NRPC_STATIC_ASSERT(NRPC_METADATA_BYTES * 4L / 3 + 1 < 127L + 16384 && NRPC_METADATA_BYTES < 65536,
                   "lengths of two bytes: a field's in HPACK, a record's");

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"; /* of base64 */

/* Where the bytes of the next record go, behind the others and its own head. */
static NRPC_NOINLINE uint8_t *begin_record(const struct nrpc_call *call)
{
    return nrpc_call_metadata_block(call) + call->metadata_used + RECORD_BYTES;
}

/* Its bytes stand there, up to `end`: from here on it is one. */
static NRPC_NOINLINE void end_record(struct nrpc_call *call, unsigned tag, const uint8_t *end)
{
    uint8_t *bytes = begin_record(call);
    unsigned n = (unsigned)(end - bytes);
    bytes[-3] = (uint8_t)tag;
    bytes[-2] = (uint8_t)(n >> 8);
    bytes[-1] = (uint8_t)n;
    call->metadata_used = (uint16_t)(call->metadata_used + RECORD_BYTES + n);
}

/* The next record with this tag from `at` up to `end`, or NULL; *n: its bytes. */
static const uint8_t *find_record(const uint8_t *at, const uint8_t *end, unsigned tag, size_t *n)
{
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

static int is_binary(const char *key)
{
    size_t n = strlen(key);
    return n > 4 && memcmp(key + n - 4, "-bin", 4) == 0;
}

/* --- From the client ---------------------------------------------------------------------- */

/* ASCII becomes one record; base64, padded or not, one for each value that stands between commas.
 */
uint8_t nrpc_up_value(struct nrpc_call *call, const struct nrpc_hpack *field)
{
    unsigned key = field->token - (unsigned)NRPC_T_KEY, bits = 0, group = 0;
    uint32_t position;
    int binary = is_binary(field->server->keys[key]->name);
    int32_t left = nrpc_hpack_text(field, &position);
    if (left < 0) {
        return left == NRPC_TEXT_LOST ? NRPC_FAULT_LOST : NRPC_RESOURCE_EXHAUSTED;
    }
    if (nrpc_call_conn(call)->fields.fault) {
        return NRPC_OK; /* the call does not begin: a value of many bytes may be named by one */
    }
    uint8_t *p = begin_record(call), *end = nrpc_call_metadata_block(call) + NRPC_METADATA_BYTES;
    for (;; left--) {
        unsigned c = left ? nrpc_hpack_text_byte(field, position++) : ',';
        if (!left || (binary && c == ',')) {
            if (p > end || (bits & 7) == 6) { /* one digit alone */
                return p > end ? NRPC_RESOURCE_EXHAUSTED : NRPC_INTERNAL;
            }
            end_record(call, key, p);
            if (!left) {
                return NRPC_OK;
            }
            p += RECORD_BYTES;
            bits = 0;
            continue;
        }
        if (binary) {
            const char *digit = memchr(digits, (int)c, 64);
            if (c == '=') {
                bits |= PADDED;
                continue;
            }
            if (!digit || bits & PADDED) {
                return NRPC_INTERNAL;
            }
            group = group << 6 | (unsigned)(digit - digits);
            bits += 6;
            if (bits < 8) {
                continue;
            }
            bits -= 8;
            c = group >> bits;
        }
        if (p >= end) {
            return NRPC_RESOURCE_EXHAUSTED;
        }
        *p++ = (uint8_t)c;
    }
}

const void *nrpc_call_metadata(const struct nrpc_call *call, const struct nrpc_key *key, unsigned i,
                               size_t *n)
{
    NRPC_CALL_IN(call);
    const struct nrpc_server *server = nrpc_call_conn(call)->server;
    const uint8_t *at = nrpc_call_metadata_block(call), *end = at + call->metadata_used;
    unsigned tag = 0;
    while (tag < server->n_keys && server->keys[tag] != key) {
        tag++;
    }
    while ((at = find_record(at, end, tag, n)) != NULL && i--) {
        at += *n;
    }
    return at;
}

/* --- To the client ------------------------------------------------------------------------ */

/* Base64 without padding, as gRPC wants it. The value may lie at the block's end: it is read before
 * it is overwritten. */
static void put_base64(uint8_t *to, const uint8_t *end, const uint8_t *from, size_t n)
{
    unsigned group = 0, bits = 0;
    for (; to != end; to++) {
        if (bits < 6) {
            group <<= 8;
            bits += 8;
            if (n) {
                group |= *from++;
                n--;
            }
        }
        bits -= 6;
        *to = (uint8_t)digits[group >> bits & 63];
    }
}

int nrpc_call_add_field(struct nrpc_call *call, enum nrpc_part part, const char *key,
                        const void *value, size_t n)
{
    NRPC_CALL_IN(call);
    size_t key_bytes = strlen(key);
    int binary = is_binary(key);
    if ((call->flags & (NRPC_CALL_OPEN | (part == NRPC_HEADER ? NRPC_CALL_HEADERS : 0u))) !=
        NRPC_CALL_OPEN) {
        return NRPC_E_STATE;
    }
    uint8_t *p = begin_record(call);
    if (n > NRPC_METADATA_BYTES || key_bytes > 126) {
        return NRPC_E_TOO_BIG;
    }
    size_t value_bytes = binary ? (n * 4 + 2) / 3 : n;
    if (call->metadata_used + RECORD_BYTES + key_bytes + value_bytes + FIELD_OVERHEAD >
        NRPC_METADATA_BYTES) {
        return NRPC_E_TOO_BIG;
    }
    *p++ = 0; /* literal without indexing, a new name */
    *p++ = (uint8_t)key_bytes;
    p = (uint8_t *)memcpy(p, key, key_bytes) + key_bytes;
    *p++ = (uint8_t)(value_bytes < 127 ? value_bytes : 127);
    if (value_bytes >= 127) { /* RFC 7541 5.1 */
        *p++ = (uint8_t)((value_bytes - 127) | 128);
        *p++ = (uint8_t)((value_bytes - 127) >> 7);
    }
    if (binary) {
        put_base64(p, p + value_bytes, value, n);
    } else {
        memmove(p, value, n);
    }
    end_record(call, part, p + value_bytes);
    return 0;
}

int nrpc_call_add_header(struct nrpc_call *call, const char *key, const void *value, size_t n)
{
    return nrpc_call_add_field(call, NRPC_HEADER, key, value, n);
}

int nrpc_call_add_trailer(struct nrpc_call *call, const char *key, const void *value, size_t n)
{
    return nrpc_call_add_field(call, NRPC_TRAILER, key, value, n);
}

uint8_t *nrpc_metadata_put(const struct nrpc_call *call, unsigned tag, uint8_t *p)
{
    const uint8_t *at = nrpc_call_metadata_block(call), *end = at + call->metadata_used;
    size_t n;
    while ((at = find_record(at, end, tag, &n)) != NULL) {
        memcpy(p, at, n);
        p += n;
        at += n;
    }
    return p;
}

#endif
