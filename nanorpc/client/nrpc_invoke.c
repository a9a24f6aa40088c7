/* nanorpc/client/nrpc_invoke.c - the header block of a request, from constants and a method's path.
 * Layer: core. Source: gRPC over HTTP2 "Requests"; RFC 7541 6.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/config.h"
#if NRPC_CLIENT
#include "nanorpc/client/nrpc_invoke.h"

#include <string.h>

#include "nanorpc/grpc/nrpc_compression.h"
#include "nanorpc/grpc/nrpc_metadata.h"

/* HPACK: places in the static table; then in the dynamic one, once the first request has put its
 * fields there. */
enum {
    INDEXED = 0x80,
    INSERT = 0x40,
    POST = 3,
    SCHEME = 6,
    PATH = 4,
    AUTHORITY = 1,
    OUR_PATH = 65 + NRPC_COMPRESSION
};
#define TIMEOUT_MAX 99999999

/* What stands in the blocks as it is, see nrpc_respond_piece: te and the rest that is always the
 * same, to be put into the server's table; and from there, :authority before them. */
#if NRPC_COMPRESSION
static const char fields[] = "\113\100\002te\010trailers\137\020application/grpc"
                             "\100\024grpc-accept-encoding\025identity,deflate,gzip";
static const char indexed_fields[] = "\004\301\300\277\276";
#else
static const char fields[] = "\037\100\002te\010trailers\137\020application/grpc";
static const char indexed_fields[] = "\003\300\277\276";
#endif
static const char timeout_name[] = "\016\000\014grpc-timeout";

static uint8_t *put_text(uint8_t *p, const char *text)
{
    size_t n = strlen(text);
    *p++ = (uint8_t)n;
    if (NRPC_AUTHORITY_AND_PATH_MAX >= 127 && n >= 127) { /* RFC 7541 5.1, for up to 254 */
        p[-1] = 127;
        *p++ = (uint8_t)(n - 127);
    }
    return (uint8_t *)memcpy(p, text, n) + n;
}

/* How much of the deadline is left now: the server's clock begins when it reads this. */
static uint8_t *put_timeout(uint8_t *p, uint32_t left)
{
    char text[10], *digit = text + 8;
    *digit = 'm';
    digit[1] = '\0';
    do {
        *--digit = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    return put_text(nrpc_respond_piece(p, timeout_name), digit);
}

/* The first request puts all that stays the same into the server's table. Where that has no bytes
 * at all, each one tries again, which is no error, RFC 7541 4.4. */
uint8_t *nrpc_invoke_headers(struct nrpc_call *call, uint8_t *p)
{
    struct nrpc_conn *conn = nrpc_call_conn(call);
    struct nrpc_channel *channel = (struct nrpc_channel *)conn->dial;
    struct nrpc_response_table *table = &conn->table;
    if (table->update_due) { /* one that is smaller than 4096 bytes is not used at all */
        table->update_due = 0;
        table->is_small = 1;
        conn->indexed = NULL;
        *p++ = 0x20;
    }
    const struct nrpc_method *indexed = conn->indexed;
    *p++ = INDEXED | POST;
#if NRPC_TLS
    *p++ = (uint8_t)((INDEXED | SCHEME) + (channel->endpoint->tls != NULL));
#else
    *p++ = INDEXED | SCHEME;
#endif
    if (indexed == call->method) {
        *p++ = INDEXED | OUR_PATH;
    } else {
        *p++ = indexed ? PATH : INSERT | PATH;
        p = put_text(p, ((const struct nrpc_client_method *)call->method)->path);
    }
    if (!indexed) {
        conn->indexed = table->is_small ? NULL : call->method;
        *p++ = INSERT | AUTHORITY;
        p = put_text(p, channel->authority);
    }
    p = nrpc_respond_piece(p, indexed ? indexed_fields : fields);
    p = nrpc_respond_encoding(p, nrpc_compression_announced(call));
    uint32_t left = nrpc_client_time_left_ms(call);
    if (left <= TIMEOUT_MAX) { /* one over 27 hours is watched only here */
        p = put_timeout(p, left);
    }
    return nrpc_metadata_put(call, NRPC_HEADER, p);
}

#endif
