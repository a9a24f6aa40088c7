/* tests/serial/device.c - the Greeter on a serial line whose bytes, and whose time, stdin brings.
 * Layer: test. Source: none. SPDX-License-Identifier: Apache-2.0
 *
 * In, again and again: now (ms, 4 bytes), room (2), n (2), all in the machine's order; n bytes that
 * have come. Out: the milliseconds to the next tick (4), n (2) and n bytes to send, room at most.
 * now 0xffffffff: the device is reset. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ports/serial/nrpc_serial.h"

extern const struct nrpc_server server;
NRPC_SERIAL_DEFINE(line, server, LINKS, RING, BAUD);

struct asked {
    uint32_t now;
    uint16_t room, n;
};

static void need(int is_so)
{
    if (!is_so) {
        exit(0); /* the test has gone */
    }
}

static void reset(const struct nrpc_serial *fresh)
{
    for (unsigned i = 0; i < LINKS; i++) {
        if (line.links[i].conn) {
            nrpc_conn_lost(line.links[i].conn);
        }
    }
    memset(line.links, 0, sizeof line_links);
    line = *fresh;
}

int main(void)
{
    static uint8_t bytes[65536];
    const struct nrpc_serial fresh = line;
    for (;;) {
        struct asked asked;
        need(fread(&asked, sizeof asked, 1, stdin) == 1);
        need(fread(bytes, 1, asked.n, stdin) == asked.n);
        if (asked.now == UINT32_MAX) {
            reset(&fresh);
            continue;
        }
        nrpc_serial_receive(&line, bytes, asked.n, asked.now);
        uint32_t next = nrpc_serial_tick(&line, asked.now);
        uint16_t n = (uint16_t)nrpc_serial_transmit(&line, bytes, asked.room, asked.now);
        fwrite(&next, sizeof next, 1, stdout);
        fwrite(&n, sizeof n, 1, stdout);
        fwrite(bytes, 1, n, stdout);
        fflush(stdout);
    }
}
