/* nanorpc/services/nrpc_field.c - protobuf's wire format, as far as services need it.
 * Layer: core, services. Source: protobuf "Encoding".
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/services/nrpc_field.h"

#include <string.h>

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5, VARINT_BYTES = 10 };

/* Returns 0 when it does not end. What is over 32 bits is dropped: no length of ours has so many,
 * and a larger one is noticed below. */
static int read_varint(struct nrpc_text *rest, uint32_t *value)
{
    *value = 0;
    for (unsigned i = 0; i < VARINT_BYTES && rest->n; i++) {
        uint8_t byte = *rest->at++;
        rest->n--;
        if (i < 5) {
            *value |= (uint32_t)(byte & 0x7f) << 7 * i;
        }
        if (byte < 0x80) {
            return 1;
        }
    }
    return 0;
}

int nrpc_field_read(struct nrpc_text *rest, struct nrpc_field *field)
{
    uint32_t tag, n = 0;
    field->text.at = NULL;
    if (!rest->n) {
        return 0;
    }
    if (!read_varint(rest, &tag)) {
        return -1;
    }
    field->number = tag >> 3;
    switch (tag & 7) {
    case VARINT: return read_varint(rest, &n) ? 1 : -1;
    case FIXED64: n = 8; break;
    case FIXED32: n = 4; break;
    case BYTES:
        if (read_varint(rest, &n)) {
            field->text.at = rest->at;
            break;
        }
        return -1;
    default: /* groups are of no message that a service reads */ return -1;
    }
    if (n > rest->n) {
        return -1;
    }
    field->text.n = (size_t)n;
    rest->at += n;
    rest->n -= (size_t)n;
    return 1;
}

unsigned nrpc_field_varint(uint8_t *to, uint32_t value)
{
    unsigned n = 0;
    do {
        uint8_t byte = (uint8_t)(value & 0x7f);
        value >>= 7;
        if (to) {
            to[n] = value ? byte | 0x80 : byte;
        }
        n++;
    } while (value);
    return n;
}

int nrpc_text_is(struct nrpc_text text, const void *other, size_t n)
{
    return text.n == n && memcmp(text.at, other, n) == 0;
}
