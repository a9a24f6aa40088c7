/* ports/serial/nrpc_serial_frame.h - frames on a line of bytes: flags, escapes, check sequence.
 * Layer: port; internal to ports/serial, knows nothing of links. Source: RFC 1662 3.1, 4.2, C.2;
 * docs/serial.md. SPDX-License-Identifier: Apache-2.0 */
#ifndef NRPC_SERIAL_FRAME_H
#define NRPC_SERIAL_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "nanorpc/config.h"

NRPC_BEGIN_C

/* Information bytes in a frame. 16..1024. RAM: twice as many a line. */
#ifndef NRPC_SERIAL_INFO_BYTES
#define NRPC_SERIAL_INFO_BYTES 64
#endif

enum { NRPC_SERIAL_FCS_BYTES = 2, NRPC_SERIAL_HEAD_BYTES = 2 /* address, control */ };

/* What is coming in. All zeros at first. */
struct nrpc_serial_in {
    uint16_t have; /* bytes of this piece that are kept; one more than there is room for: too long
                    */
    uint8_t flip;  /* an escape has come: what the next byte is xored with */
    uint8_t bytes[NRPC_SERIAL_HEAD_BYTES + NRPC_SERIAL_INFO_BYTES + NRPC_SERIAL_FCS_BYTES];
};

/* Takes one byte of the line. Returns how many bytes[] hold a frame, without its check sequence,
 * until the next call: 2 or more. 0: no frame ends here. */
size_t nrpc_serial_take(struct nrpc_serial_in *in, uint8_t byte);

/* What is going out. All zeros: nothing is. */
struct nrpc_serial_out {
    uint16_t n, at; /* bytes of the frame, with both flags; of these have been given */
    uint8_t bytes[NRPC_SERIAL_HEAD_BYTES + NRPC_SERIAL_INFO_BYTES + NRPC_SERIAL_FCS_BYTES + 2];
};

/* Begins a frame with a copy of n bytes of information, NRPC_SERIAL_INFO_BYTES at most. Nothing may
 * be going out. */
void nrpc_serial_put(struct nrpc_serial_out *out, uint8_t address, uint8_t control,
                     const uint8_t *info, size_t n);

/* Its next bytes for the line. Returns how many: less than room when it is out. */
size_t nrpc_serial_give(struct nrpc_serial_out *out, uint8_t *to, size_t room);

NRPC_END_C

#endif
