/* ports/serial/nrpc_serial_frame.c - frames on a line of bytes: flags, escapes, check sequence.
 * Layer: port. Source: RFC 1662 3.1, 4.2, appendix C.2.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ports/serial/nrpc_serial_frame.h"

enum { FLAG = 0x7e, ESCAPE = 0x7d, FLIPPED = 0x20 };
#define FCS_BEGIN 0xffffu
#define FCS_GOOD 0xf0b8u
#define FCS_POLYNOMIAL 0x8408u

NRPC_STATIC_ASSERT(NRPC_SERIAL_INFO_BYTES >= 16 && NRPC_SERIAL_INFO_BYTES <= 1024,
                   "NRPC_SERIAL_INFO_BYTES: 16..1024");

/* Bit by bit: a table would be 512 bytes. */
static uint16_t checked(uint16_t check, uint8_t byte)
{
    unsigned fcs = check ^ byte;
    for (unsigned bit = 0; bit < 8; bit++) {
        fcs = fcs & 1 ? fcs >> 1 ^ FCS_POLYNOMIAL : fcs >> 1;
    }
    return (uint16_t)fcs;
}

size_t nrpc_serial_take(struct nrpc_serial_in *in, uint8_t byte)
{
    size_t n = in->have;
    if (byte == FLAG) {
        int is_frame = n >= NRPC_SERIAL_HEAD_BYTES + NRPC_SERIAL_FCS_BYTES &&
                       n <= sizeof in->bytes && in->check == FCS_GOOD && !in->is_escaped;
        in->have = 0;
        in->is_escaped = 0;
        in->check = FCS_BEGIN;
        return is_frame ? n - NRPC_SERIAL_FCS_BYTES : 0;
    }
    if (byte == ESCAPE) {
        in->is_escaped = 1;
        return 0;
    }
    if (in->is_escaped) {
        in->is_escaped = 0;
        byte ^= FLIPPED;
    }
    in->check = checked(in->check, byte);
    if (n < sizeof in->bytes) {
        in->bytes[n] = byte;
    }
    in->have = (uint16_t)(n + (n <= sizeof in->bytes));
    return 0;
}

void nrpc_serial_put(struct nrpc_serial_out *out, uint8_t address, uint8_t control,
                     const uint8_t *info, size_t n)
{
    uint16_t check = checked(checked(FCS_BEGIN, address), control);
    for (size_t i = 0; i < n; i++) {
        check = checked(check, info[i]);
    }
    out->info = info;
    out->n = (uint16_t)n;
    out->at = 0;
    out->is_open = 1;
    out->around[0] = address;
    out->around[1] = control;
    out->around[2] = (uint8_t)~check;
    out->around[3] = (uint8_t)(~(unsigned)check >> 8);
}

size_t nrpc_serial_give(struct nrpc_serial_out *out, uint8_t *to, size_t room)
{
    size_t given = 0;
    while (given < room && out->is_open) {
        unsigned at = out->at - 1u, info_at = at - NRPC_SERIAL_HEAD_BYTES;
        uint8_t byte = FLAG;
        if (at < out->n + sizeof out->around) { /* of what is between the flags */
            byte = info_at < out->n ? out->info[info_at]
                                    : out->around[at < NRPC_SERIAL_HEAD_BYTES ? at : at - out->n];
            if (out->is_escaped) {
                byte ^= FLIPPED;
                out->is_escaped = 0;
            } else if (byte == FLAG || byte == ESCAPE) {
                byte = ESCAPE;
                out->is_escaped = 1;
                out->at--;
            }
        } else {
            out->is_open = at + 1u == 0;
        }
        to[given++] = byte;
        out->at++;
    }
    return given;
}
