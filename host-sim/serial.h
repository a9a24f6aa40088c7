/* host-sim/serial.h - the simulated device on a serial line in the place of an Ethernet.
 * Layer: board. Source: docs/serial.md.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_SIM_SERIAL_H
#define HOST_SIM_SERIAL_H

#include <stdint.h>

/* What becomes of the line's bytes, each way for itself. */
struct serial_line {
    uint64_t seed;
    uint32_t loss_ppm;  /* bytes of a million that are lost, 0..1000000 */
    uint32_t noise_ppm; /* .. of which one bit is another */
    uint32_t baud;      /* bits a second, 1200 or more; 0: as fast as it goes */
};

struct nrpc_server;

/* Opens the line. settings and server: kept. tcp_port: that of 127.0.0.1 which is the line's other
 * end, for one program at a time; 0: any free one; -1: a pseudo-terminal is. Returns 1 and writes
 * what names it to where (room bytes, 64 at least), as the package nanorpc takes it; or 0 after a
 * message on stderr. */
int serial_open(const struct serial_line *settings, const struct nrpc_server *server, int tcp_port,
                char *where, unsigned room);

/* Moves what moves, and waits for something to happen, at most most_ms. */
void serial_poll(uint32_t most_ms);

#endif
