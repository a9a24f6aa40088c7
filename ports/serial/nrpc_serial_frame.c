/* ports/serial/nrpc_serial_frame.c - frames on a line of bytes: flags, escapes, check sequence.
 * Layer: port. Source: RFC 1662 3.1, 4.2, appendix C.2.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ports/serial/nrpc_serial_frame.h"

#include <string.h>

enum { FLAG = 0x7e, ESCAPE = 0x7d, FLIPPED = 0x20 };
#define FCS_BEGIN 0xffffu
#define FCS_GOOD 0xf0b8u
#define FCS_POLYNOMIAL 0x8408u

NRPC_STATIC_ASSERT(NRPC_SERIAL_INFO_BYTES >= 16 && NRPC_SERIAL_INFO_BYTES <= 1024,
                   "NRPC_SERIAL_INFO_BYTES: 16..1024");

/* Over n bytes, bit by bit: a table would be 512 bytes. */
static uint16_t check(const uint8_t *bytes, size_t n)
{
    unsigned fcs = FCS_BEGIN;
    for (; n; n--) {
        fcs ^= *bytes++;
        for (unsigned bit = 0; bit < 8; bit++) {
            fcs = fcs & 1 ? fcs >> 1 ^ FCS_POLYNOMIAL : fcs >> 1;
        }
    }
    return (uint16_t)fcs;
}

size_t nrpc_serial_take(struct nrpc_serial_in *in, uint8_t byte)
{
    size_t n = in->have;
    if (byte == FLAG) {
        int is_frame = n >= NRPC_SERIAL_HEAD_BYTES + NRPC_SERIAL_FCS_BYTES &&
                       n <= sizeof in->bytes && !in->flip && check(in->bytes, n) == FCS_GOOD;
        in->have = 0;
        in->flip = 0;
        return is_frame ? n - NRPC_SERIAL_FCS_BYTES : 0;
    }
    if (byte == ESCAPE) {
        in->flip = FLIPPED;
        return 0;
    }
    if (n < sizeof in->bytes) {
        in->bytes[n] = byte ^ in->flip;
    }
    in->flip = 0;
    in->have = (uint16_t)(n + (n <= sizeof in->bytes));
    return 0;
}

void nrpc_serial_put(struct nrpc_serial_out *out, uint8_t address, uint8_t control,
                     const uint8_t *info, size_t n)
{
    uint8_t *byte = out->bytes;
    *byte++ = FLAG;
    *byte++ = address;
    *byte++ = control;
    memcpy(byte, info, n);
    byte += n;
    unsigned fcs = ~(unsigned)check(out->bytes + 1, NRPC_SERIAL_HEAD_BYTES + n);
    *byte++ = (uint8_t)fcs;
    *byte++ = (uint8_t)(fcs >> 8);
    *byte = FLAG;
    out->n = (uint16_t)(n + NRPC_SERIAL_HEAD_BYTES + NRPC_SERIAL_FCS_BYTES + 2);
    out->at = 0;
}

size_t nrpc_serial_give(struct nrpc_serial_out *out, uint8_t *to, size_t room)
{
    size_t given = 0;
    for (; given < room && out->at != out->n; given++) {
        uint8_t *next = &out->bytes[out->at], byte = *next;
        if ((byte == FLAG || byte == ESCAPE) && out->at && out->at != out->n - 1) {
            *next ^= FLIPPED; /* is neither now: goes out next, as it is */
            byte = ESCAPE;
        } else {
            out->at++;
        }
        to[given] = byte;
    }
    return given;
}
