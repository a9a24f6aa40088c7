/* nanorpc/respond.c - constants in flash become header blocks.
 * Layer: core. Source: RFC 7541 6; gRPC over HTTP2 "Responses".
 * SPDX-License-Identifier: Apache-2.0 */
#include "respond.h"

#include <string.h>

#include "config.h"

enum {
    INDEXED = 0x80,
    INSERT = 0x40,
    STATUS_200 = 8, /* in the static table */
    CONTENT_TYPE = 31, /* likewise, its name */
    NEWEST = 62,       /* in the dynamic table */
    BOTH_ENTRIES = 12 + 16 + 32 + 11 + 1 + 32 /* what the two fields take up in it */
};

static const char content_type[] = "\020application/grpc";
static const char status_name[] = "\013grpc-status\001";
static const char message_name[] = "\000\014grpc-message";
static const char encodings[] = "\000\024grpc-accept-encoding\010identity";

static NRPC_NOINLINE uint8_t *put(uint8_t *p, const void *text, unsigned n)
{
    memcpy(p, text, n);
    return p + n;
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

uint8_t *nrpc_respond_headers(struct nrpc_response_table *table, uint8_t *p, const uint8_t *digits)
{
    if (table->update_due) {
        table->update_due = 0; /* to no more than we use: 0, or BOTH_ENTRIES in two bytes */
        p = table->is_small ? put(p, "\040", 1) : put(p, "\077\111", 2);
    }
    if (digits) {
        p = put(p, "\010\003", 2); /* literal without indexing, the name of entry 8 */
        return put(p, digits, 3);
    }
    *p++ = INDEXED | STATUS_200;
    if (table->inserted) {
        *p++ = (uint8_t)(INDEXED | (NEWEST - 1 + table->inserted));
        return p;
    }
    if (table->is_small) {
        p = put(p, "\017\020", 2); /* literal without indexing, the name of entry 31 */
    } else {
        *p++ = INSERT | CONTENT_TYPE;
        table->inserted = 1;
    }
    return put(p, content_type, sizeof content_type - 1);
}

uint8_t *nrpc_respond_encodings(uint8_t *p)
{
    return put(p, encodings, sizeof encodings - 1);
}

uint8_t *nrpc_respond_status(struct nrpc_response_table *table, uint8_t *p, unsigned status)
{
    *p = 0;
    if (status == 0 && table->inserted == 2) {
        *p++ = INDEXED | NEWEST;
        return p;
    }
    if (status == 0 && table->inserted) {
        table->inserted = 2;
        *p = INSERT;
    }
    p = put(p + 1, status_name, sizeof status_name - 1);
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
    p = put(p, message_name, sizeof message_name - 1);
    *p++ = (uint8_t)n;
    return put(p, message, n);
}

unsigned nrpc_respond_percent(uint8_t *to, unsigned room, const char *text)
{
    unsigned n = 0, whole = 0;
    for (; *text; text++) {
        uint8_t c = (uint8_t)*text;
        unsigned plain = c >= 0x20 && c <= 0x7e && c != '%';
        if ((c & 0xc0) != 0x80) {
            whole = n; /* a character begins */
        }
        if (n + (plain ? 1 : 3) > room) {
            return whole;
        }
        to[n++] = plain ? c : '%';
        for (unsigned shift = plain ? 0 : 8; shift; shift -= 4) {
            to[n++] = (uint8_t)"0123456789ABCDEF"[c >> (shift - 4) & 15];
        }
    }
    return n;
}
