/* nanorpc/hpack/nrpc_respond.c - constants in flash become header blocks.
 * Layer: core. Source: RFC 7541 6; gRPC over HTTP2 "Responses".
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/hpack/nrpc_respond.h"

#include <string.h>

#include "nanorpc/hpack/nrpc_encoding.h"

enum {
    INDEXED = 0x80,
    INSERT = 0x40,
    STATUS_200 = 8,                           /* in the static table */
    CONTENT_TYPE = 31,                        /* likewise, its name */
    NEWEST = 62,                              /* in the dynamic table */
    BOTH_ENTRIES = 12 + 16 + 32 + 11 + 1 + 32 /* what the two fields take up in it */
};

/* What stands in blocks as it is: each piece after its length. */
static const char pieces[] = "\001\040"     /* a table of no bytes from here on */
                             "\002\077\111" /* a table of BOTH_ENTRIES, in two bytes */
                             "\002\010\003" /* literal without indexing, the name of entry 8 */
                             "\021\020application/grpc"
                             "\015\013grpc-status\001"
                             "\016\000\014grpc-message"
#if NRPC_COMPRESSION
                             "\054\000\024grpc-accept-encoding\025identity,deflate,gzip"
                             "\027\000\015grpc-encoding\007deflate"
                             "\024\000\015grpc-encoding\004gzip";
#else
                             "\037\000\024grpc-accept-encoding\010identity";
#endif
enum piece { /* where each begins */
             NO_TABLE = 0,
             FULL_TABLE = NO_TABLE + 2,
             OTHER_STATUS = FULL_TABLE + 3,
             GRPC_TYPE = OTHER_STATUS + 3,
             GRPC_STATUS = GRPC_TYPE + 18,
             GRPC_MESSAGE = GRPC_STATUS + 14,
             ENCODINGS = GRPC_MESSAGE + 15,
             DEFLATE = ENCODINGS + 45, /* this and the next one with NRPC_COMPRESSION */
             GZIP = DEFLATE + 24,
             PIECES_END = NRPC_COMPRESSION ? GZIP + 21 : ENCODINGS + 32
};
NRPC_STATIC_ASSERT(sizeof pieces - 1 == PIECES_END, "pieces");

uint8_t *nrpc_respond_piece(uint8_t *p, const char *piece)
{
    unsigned n = (uint8_t)*piece;
    memcpy(p, piece + 1, n);
    return p + n;
}

static NRPC_NOINLINE uint8_t *put(uint8_t *p, enum piece piece)
{
    return nrpc_respond_piece(p, &pieces[piece]);
}

void nrpc_response_table_limit(struct nrpc_response_table *table, uint32_t bytes)
{
    if (bytes < 4096) {
        table->update_due = 1;
        if (bytes < BOTH_ENTRIES) {
            table->is_small = 1;
            table->inserted = 0;
        }
    }
}

/* To no more than we use. That never grows again: one update is the smallest and the last of all
 * sizes that the peer may have set in the meantime. */
uint8_t *nrpc_respond_begin(struct nrpc_response_table *table, uint8_t *p)
{
    if (table->update_due) {
        table->update_due = 0;
        p = put(p, table->is_small ? NO_TABLE : FULL_TABLE);
    }
    return p;
}

uint8_t *nrpc_respond_headers(struct nrpc_response_table *table, uint8_t *p, const uint8_t *digits)
{
    if (digits) {
        p = put(p, OTHER_STATUS);
        memcpy(p, digits, 3);
        return p + 3;
    }
    *p++ = INDEXED | STATUS_200;
    if (table->inserted) {
        *p++ = (uint8_t)(INDEXED | (NEWEST - 1 + table->inserted));
        return p;
    }
    *p++ = INSERT | CONTENT_TYPE; /* into a table of no bytes too: that is no error, RFC 7541 4.4 */
    table->inserted = !table->is_small;
    return put(p, GRPC_TYPE);
}

#if NRPC_COMPRESSION
uint8_t *nrpc_respond_encoding(uint8_t *p, unsigned encoding)
{
    return encoding ? put(p, encoding == NRPC_ENCODING_GZIP ? GZIP : DEFLATE) : p;
}
#endif

uint8_t *nrpc_respond_encodings(uint8_t *p)
{
    return put(p, ENCODINGS);
}

uint8_t *nrpc_respond_status(struct nrpc_response_table *table, uint8_t *p, unsigned status)
{
    *p = 0;
    if (status == 0 && table->inserted) {
        if (table->inserted == 2) {
            *p++ = INDEXED | NEWEST;
            return p;
        }
        table->inserted = 2;
        *p = INSERT;
    }
    p = put(p + 1, GRPC_STATUS);
    if (status > 9) {
        p[-1] = 2; /* digits */
        *p++ = '1';
        status -= 10;
    }
    *p++ = (uint8_t)('0' + status);
    return p;
}

uint8_t *nrpc_respond_message(uint8_t *p, const uint8_t *message, unsigned n)
{
    p = put(p, GRPC_MESSAGE);
    *p++ = (uint8_t)n;
    memcpy(p, message, n);
    return p + n;
}

static uint8_t hex_digit(unsigned n)
{
    return (uint8_t)(n > 9 ? n + 'A' - 10 : n + '0');
}

unsigned nrpc_respond_percent(uint8_t *to, unsigned room, const char *text)
{
    unsigned n = 0, whole = 0;
    for (uint8_t c; (c = (uint8_t)*text) != 0; text++) {
        unsigned plain = c >= 0x20 && c <= 0x7e && c != '%';
        if ((c & 0xc0) != 0x80) {
            whole = n; /* a character begins */
        }
        if (n + (plain ? 1 : 3) > room) {
            return whole;
        }
        if (!plain) {
            to[n] = '%';
            to[n + 1] = hex_digit(c >> 4);
            n += 2;
            c = hex_digit(c & 15);
        }
        to[n++] = c;
    }
    return n;
}
