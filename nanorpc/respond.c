/* nanorpc/respond.c - constants in flash become header blocks.
 * Layer: core. Source: RFC 7541 6; gRPC over HTTP2 "Responses".
 * SPDX-License-Identifier: Apache-2.0 */
#include "respond.h"

#include <string.h>

enum {
    INDEXED = 0x80,
    INSERT = 0x40,
    SIZE_UPDATE = 0x20,
    STATUS_200 = 8,    /* in the static table */
    CONTENT_TYPE = 31, /* likewise, its name */
    NEWEST = 62,       /* in the dynamic table */
    DEFAULT_TABLE = 4096,
    BOTH_ENTRIES = 12 + 16 + 32 + 11 + 1 + 32 /* what the two fields take up in it */
};

static const char content_type[] = "\020application/grpc";
static const char status_name[] = "\013grpc-status\001";
static const char message_name[] = "\000\014grpc-message";
static const char encodings[] = "\000\024grpc-accept-encoding\010identity";

static uint8_t *put(uint8_t *p, const void *text, unsigned n)
{
    memcpy(p, text, n);
    return p + n;
}

/* RFC 7541 5.1: value into a prefix whose bits are all ones in mask. */
static uint8_t *put_integer(uint8_t *p, unsigned kind, unsigned mask, unsigned value)
{
    if (value < mask) {
        *p++ = (uint8_t)(kind | value);
        return p;
    }
    *p++ = (uint8_t)(kind | mask);
    for (value -= mask; value >= 0x80; value >>= 7) {
        *p++ = (uint8_t)(0x80 | value);
    }
    *p++ = (uint8_t)value;
    return p;
}

void nrpc_response_table_init(struct nrpc_response_table *table)
{
    table->max_bytes = DEFAULT_TABLE;
    table->inserted = 0;
    table->update_due = 0;
}

void nrpc_response_table_limit(struct nrpc_response_table *table, uint32_t bytes)
{
    if (bytes < table->max_bytes) {
        table->max_bytes = (uint16_t)bytes;
        table->update_due = 1;
    }
}

static uint8_t *begin_block(struct nrpc_response_table *table, uint8_t *p)
{
    if (table->update_due) {
        table->update_due = 0;
        p = put_integer(p, SIZE_UPDATE, 0x1f, table->max_bytes);
    }
    return p;
}

uint8_t *nrpc_respond_ok(struct nrpc_response_table *table, uint8_t *p)
{
    p = begin_block(table, p);
    *p++ = INDEXED | STATUS_200;
    if (table->max_bytes < BOTH_ENTRIES) {
        p = put_integer(p, 0, 0x0f, CONTENT_TYPE);
    } else if (table->inserted) {
        *p++ = (uint8_t)(INDEXED | (NEWEST + table->inserted - 1));
        return p;
    } else {
        table->inserted = 1;
        *p++ = INSERT | CONTENT_TYPE;
    }
    return put(p, content_type, sizeof content_type - 1);
}

uint8_t *nrpc_respond_http(struct nrpc_response_table *table, uint8_t *p, const uint8_t *digits)
{
    p = begin_block(table, p);
    *p++ = STATUS_200; /* literal without indexing, the name of entry 8 */
    *p++ = 3;
    return put(p, digits, 3);
}

uint8_t *nrpc_respond_encodings(uint8_t *p)
{
    return put(p, encodings, sizeof encodings - 1);
}

uint8_t *nrpc_respond_status(struct nrpc_response_table *table, uint8_t *p, unsigned status)
{
    int insert = status == 0 && table->max_bytes >= BOTH_ENTRIES;
    if (insert && table->inserted == 2) {
        *p++ = INDEXED | NEWEST;
        return p;
    }
    if (insert) {
        table->inserted = 2;
    }
    *p++ = insert ? INSERT : 0;
    p = put(p, status_name, sizeof status_name - 1);
    if (status > 9) {
        p[-1] = 2; /* digits */
        *p++ = '1';
        status -= 10;
    }
    *p++ = (uint8_t)('0' + status);
    return p;
}

static int is_plain(uint8_t c)
{
    return c >= 0x20 && c <= 0x7e && c != '%';
}

uint8_t *nrpc_respond_message(uint8_t *p, const uint8_t *message, unsigned n)
{
    unsigned length = n;
    for (unsigned i = 0; i < n; i++) {
        length += is_plain(message[i]) ? 0 : 2;
    }
    p = put(p, message_name, sizeof message_name - 1);
    p = put_integer(p, 0, 0x7f, length);
    for (unsigned i = 0; i < n; i++) {
        uint8_t c = message[i];
        if (is_plain(c)) {
            *p++ = c;
        } else {
            *p++ = '%';
            *p++ = (uint8_t)"0123456789ABCDEF"[c >> 4];
            *p++ = (uint8_t)"0123456789ABCDEF"[c & 15];
        }
    }
    return p;
}
