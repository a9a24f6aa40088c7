/* ports/serial/nrpc_serial_frame.c - frames on a line of bytes: flags, escapes, check sequence.
 * Layer: port. Source: RFC 1662 3.1, 4.2, appendix C.2.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ports/serial/nrpc_serial_frame.h"

enum { FLAG = 0x7e, ESCAPE = 0x7d, FLIPPED = 0x20 };
enum { FCS_BEGIN = 0xffff, FCS_GOOD = 0xf0b8, FCS_POLYNOMIAL = 0x8408 };

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
    out->info = info;
    out->n = (uint16_t)n;
    out->at = 0;
    out->is_open = 1;
    out->head[0] = address;
    out->head[1] = control;
}

/* The frame's byte `at`, between its flags, before it is escaped. */
static uint8_t byte_of(struct nrpc_serial_out *out)
{
    unsigned at = out->at - 1u, end = NRPC_SERIAL_HEAD_BYTES + out->n;
    uint8_t byte;
    if (at >= end) {
        return (uint8_t)(at == end ? ~out->check : ~out->check >> 8);
    }
    byte = at < NRPC_SERIAL_HEAD_BYTES ? out->head[at] : out->info[at - NRPC_SERIAL_HEAD_BYTES];
    if (!out->is_escaped) {
        out->check = checked(out->check, byte);
    }
    return byte;
}

size_t nrpc_serial_give(struct nrpc_serial_out *out, uint8_t *to, size_t room)
{
    size_t given = 0;
    unsigned last = out->n + 1u + NRPC_SERIAL_HEAD_BYTES + NRPC_SERIAL_FCS_BYTES;
    while (given < room && out->is_open) {
        uint8_t byte = FLAG;
        if (out->at == 0) {
            out->check = FCS_BEGIN;
        } else if (out->at == last) {
            out->is_open = 0;
        } else {
            byte = byte_of(out);
            if (out->is_escaped) {
                out->is_escaped = 0;
                byte ^= FLIPPED;
            } else if (byte == FLAG || byte == ESCAPE) {
                out->is_escaped = 1;
                to[given++] = ESCAPE;
                continue;
            }
        }
        to[given++] = byte;
        out->at++;
    }
    return given;
}
