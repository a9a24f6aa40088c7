/* tests/fuzz/fuzz_serial.c - what a serial line brings, for the port: frames, noise, time.
 * Layer: test. Source: docs/serial.md.
 * SPDX-License-Identifier: Apache-2.0 */

/* The port's sources, with place for the largest trailers of any tree. */
#define NRPC_SERIAL_SEND_BYTES 1024
#include "ports/serial/nrpc_serial.c"
#include "ports/serial/nrpc_serial_frame.c"

#include <stdlib.h>

#include "fuzz.h"
#include "raw_service.h"

/* Behind the first two bytes, again and again one of these (its number modulo ORDERS) and what it
 * takes: an address, a control, a length and information; a length and bytes; units of 64 ms;
 * a room; a stream and what its handler does. */
enum { FRAME, BYTES, TIME, SEND, ACT, ORDERS };
enum { LINKS = 3, RING = 256, TIME_UNIT = 64, INFO = NRPC_SERIAL_INFO_BYTES };
NRPC_SERIAL_DEFINE(line, raw_server, LINKS, RING, 115200);

static const uint8_t *next, *last;
static uint32_t now;
static struct nrpc_serial_in host; /* what the host makes of our bytes */

static unsigned number(void)
{
    return next < last ? *next++ : 0;
}

/* The next bytes of the input, as many as it has. */
static const uint8_t *some(size_t *n)
{
    const uint8_t *at = next;
    *n = *n < (size_t)(last - next) ? *n : (size_t)(last - next);
    next += *n;
    return at;
}

static void receive(const uint8_t *bytes, size_t n)
{
    while (n) {
        size_t piece = 1 + fuzz_next((uint32_t)n);
        uint8_t *copy = memcpy(malloc(piece), bytes, piece); /* its end is guarded */
        nrpc_serial_receive(&line, copy, piece, now);
        free(copy);
        bytes += piece;
        n -= piece;
    }
}

/* What the host sends. */
static void receive_frame(unsigned address, unsigned control, const uint8_t *info, size_t n)
{
    struct nrpc_serial_out out = {0};
    uint8_t bytes[2 * sizeof out.bytes];
    nrpc_serial_put(&out, (uint8_t)address, (uint8_t)control, n ? info : line.says,
                    n < INFO ? n : INFO);
    receive(bytes, nrpc_serial_give(&out, bytes, sizeof bytes));
}

/* Flags, and between them frames that are whole, of links that there are. */
static void judge(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int is_end = bytes[i] == FLAG && host.have;
        size_t size = nrpc_serial_take(&host, bytes[i]);
        CHECK_EQ(size != 0, is_end);
        if (!size) {
            continue;
        }
        unsigned control = host.bytes[1], kind = control & SUPERVISORY;
        int is_i = !(control & IS_NO_I), is_u = (control & IS_U) == IS_U;
        CHECK(is_i || (is_u ? control == UA || control == DISC || control == DM
                            : kind == RR || kind == RNR || kind == REJ));
        CHECK_EQ(size, is_i ? size : control == UA ? 2 + NRPC_SERIAL_SAYS_BYTES : 2);
        CHECK(size > 2 || !is_i);
        CHECK(control == DM || (host.bytes[0] >= 1 && host.bytes[0] <= LINKS));
    }
}

static void transmit(size_t room)
{
    uint8_t *bytes = malloc(room);
    size_t n = nrpc_serial_transmit(&line, bytes, room, now);
    CHECK(n <= room);
    judge(bytes, n);
    free(bytes);
    for (unsigned i = 0; i < LINKS; i++) {
        CHECK(from_to(line.links[i].acked, line.links[i].cut) < MODULO);
        CHECK(line.links[i].have <= NRPC_SERIAL_SEND_BYTES);
        CHECK(line.links[i].at <= line.links[i].have);
    }
}

static void act(void)
{
    uint32_t id = 1 + 2 * (number() % 8);
    switch (raw_call(id) ? number() % 4 : 3) {
    case 0: (void)raw_wake(id); break;
    case 1: (void)raw_send(id, "sent"); break;
    case 2: (void)raw_finish(id, NRPC_OK, NULL); break;
    default: break;
    }
}

static void order(void)
{
    size_t n;
    unsigned address, control;
    switch (number() % ORDERS) {
    case FRAME:
        address = number();
        control = number();
        n = number();
        const uint8_t *info = some(&n);
        receive_frame(address, control, info, n);
        break;
    case BYTES:
        n = number();
        const uint8_t *bytes = some(&n);
        receive(bytes, n);
        break;
    case TIME: now += TIME_UNIT * number(); break;
    case SEND: transmit(1 + number()); break;
    default: act(); break;
    }
    uint32_t wait = nrpc_serial_tick(&line, now);
    CHECK(wait >= 1 && wait <= 1000);
}

/* Whatever was: when all clients go, all connections are free, and every call has ended. */
static void end_all(void)
{
    receive((const uint8_t[]){FLAG}, 1);
    for (unsigned address = 1; address <= LINKS; address++) {
        receive_frame(address, DISC, NULL, 0);
    }
    for (unsigned i = 0; i < LINKS; i++) {
        CHECK(!line.links[i].conn);
    }
    for (unsigned i = 0; i < raw_server.n_conns; i++) {
        CHECK(!(raw_server.conns[i].flags & NRPC_CONN_OPEN));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct nrpc_serial fresh;
    if (n < 2 || n > FUZZ_INPUT) {
        return 0;
    }
    if (!fresh.server) {
        fresh = line;
    }
    line = fresh;
    memset(line.links, 0, sizeof line_links);
    memset(&host, 0, sizeof host);
    now = 1000;
    raw_reset();
    fuzz_begin(data);
    next = data + 2;
    last = data + n;
    while (next < last) {
        order();
    }
    end_all();
    fuzz_end();
    return 0;
}
