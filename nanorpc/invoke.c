/* nanorpc/invoke.c - the header block of a request, from constants and a method's path.
 * Layer: core. Source: gRPC over HTTP2 "Requests"; RFC 7541 6.
 * SPDX-License-Identifier: Apache-2.0 */
#include "invoke.h"

#include <string.h>

#include "compression.h"
#include "metadata.h"

/* HPACK: places in the static table; then in the dynamic one, once the first request has put its fields there. */
enum { INDEXED = 0x80, INSERT = 0x40, POST = 3, SCHEME = 6, PATH = 4, AUTHORITY = 1 };
#if NRPC_COMPRESSION
enum { NEWEST = 62, OUR_ENCODINGS = NEWEST, OUR_TYPE, OUR_TE, OUR_AUTHORITY, OUR_PATH };
#else
enum { NEWEST = 62, OUR_TYPE = NEWEST, OUR_TE, OUR_AUTHORITY, OUR_PATH };
#endif
enum { TIMEOUT_MAX = 99999999 };

static uint8_t *put_text(uint8_t *p, const char *text)
{
    size_t n = strlen(text);
    if (n < 127) {
        *p++ = (uint8_t)n;
    } else { /* RFC 7541 5.1, for up to 254 */
        *p++ = 127;
        *p++ = (uint8_t)(n - 127);
    }
    memcpy(p, text, n);
    return p + n;
}

/* How much of the deadline is left now: the server's clock begins when it reads this. */
static uint8_t *put_timeout(uint8_t *p, uint32_t left)
{
    char text[10], *digit = text + 8;
    text[8] = 'm';
    text[9] = '\0';
    if (left > TIMEOUT_MAX) {
        left /= 1000;
        text[8] = 'S';
    }
    do {
        *--digit = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    *p++ = 0;
    return put_text(put_text(p, "grpc-timeout"), digit);
}

/* The encodings that we take, as a field of this kind. */
static uint8_t *put_encodings(uint8_t *p, uint8_t kind)
{
#if NRPC_COMPRESSION
    uint8_t *end = nrpc_respond_encodings(p);
    *p = kind;
    return end;
#else
    (void)kind;
    return p;
#endif
}

/* Where the server has a table, the first request puts all that stays the same into it. */
uint8_t *nrpc_invoke_headers(struct nrpc_call *call, uint8_t *p)
{
    struct nrpc_channel *channel = nrpc_client_channel(call);
    struct nrpc_response_table *table = &nrpc_call_conn(call)->table;
    const struct nrpc_client_method *method = (const struct nrpc_client_method *)call->method;
    const struct nrpc_client_method *indexed = channel->indexed;
    if (table->update_due) { /* one that is smaller than 4096 bytes is not used at all */
        table->update_due = 0;
        table->is_small = 1;
        *p++ = 0x20;
        indexed = NULL;
    }
    uint8_t kind = indexed || table->is_small ? 0 : INSERT;
    *p++ = INDEXED | POST;
    *p++ = (uint8_t)((INDEXED | SCHEME) + channel->scheme);
    if (indexed == method) {
        *p++ = INDEXED | OUR_PATH;
    } else {
        *p++ = kind | PATH;
        p = put_text(p, method->path);
    }
    if (indexed) {
        *p++ = INDEXED | OUR_AUTHORITY;
        *p++ = INDEXED | OUR_TE;
        *p++ = INDEXED | OUR_TYPE;
#if NRPC_COMPRESSION
        *p++ = INDEXED | OUR_ENCODINGS;
#endif
    } else {
        *p++ = kind | AUTHORITY;
        p = put_text(p, channel->authority);
        *p++ = kind;
        p = put_text(put_text(p, "te"), "trailers");
        *p++ = kind;
        p = put_text(put_text(p, "content-type"), "application/grpc");
        p = put_encodings(p, kind);
        indexed = kind ? method : NULL;
    }
#if NRPC_COMPRESSION
    p = nrpc_respond_encoding(p, nrpc_compression_announced(call));
#endif
    channel->indexed = indexed;
    const struct nrpc_client_call *client = nrpc_client_of(call);
    uint32_t left = client->flags & NRPC_CLIENT_STARTED ? nrpc_call_time_left_ms(call) : client->timeout_ms;
    if (left != NRPC_NO_DEADLINE) {
        p = put_timeout(p, left);
    }
    return nrpc_metadata_put(call, NRPC_HEADER, p);
}
