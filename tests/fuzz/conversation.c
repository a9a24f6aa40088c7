/* tests/fuzz/conversation.c - see fuzz.h: a connection, its bytes, and what else may happen.
 * Layer: test. Source: RFC 9113 4.1.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

enum { ROUNDS = 64 };

static uint32_t seed;

void fuzz_begin(const uint8_t *two)
{
    seed = ((uint32_t)two[0] << 8 | two[1]) * 2654435761u;
}

uint32_t fuzz_next(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

void fuzz_end(void)
{
    if (test_has_failed()) {
        abort();
    }
}

void fuzz_bytes(const uint8_t *data, size_t n, int is_compact)
{
    const uint8_t *end = data + n;
    if (!is_compact) {
        wire_bytes(data, n);
        return;
    }
    while (end - data >= 4) {
        unsigned type = data[0] & 15, flags = data[1];
        uint32_t id = data[2];
        size_t size = data[3], left = (size_t)(end - data) - 4;
        size = size < left ? size : left;
        if (type == COMPACT_MESSAGE) {
            uint8_t payload[5 + UINT8_MAX] = {(uint8_t)(flags >> 7), 0, 0, 0, (uint8_t)size};
            memcpy(payload + 5, data + 4, size);
            wire_frame(NRPC_DATA, flags & NRPC_END_STREAM, id, payload, 5 + size);
        } else {
            wire_frame(type, flags, id, data + 4, size);
        }
        data += 4 + size;
    }
}

/* Not without end: a peer with large windows may have asked for messages that do not end. */
static size_t pump(void)
{
    size_t all = 0, n = 1;
    for (unsigned i = 0; i < ROUNDS && n; i++) {
        size_t room = fuzz_next(3) ? NRPC_TRANSMIT_MIN + fuzz_next(2000)
                                   : fuzz_next(NRPC_TRANSMIT_MIN + 1);
        uint8_t *to = test_guarded_room(room);
        n = nrpc_conn_transmit(wire.conn, to, room);
        if (CHECK(n <= room) && n) {
            fuzz_judge(to, n);
        }
        all += n;
    }
    return all;
}

void fuzz_run(void (*act)(void))
{
    wire_open();
    fuzz_judge_begin();
    for (unsigned stuck = 0; wire.n_fed < wire.n_in && stuck < 50; stuck++) {
        size_t n = 1 + fuzz_next(fuzz_next(4) ? 20 : 400), left = wire.n_in - wire.n_fed;
        size_t used = wire_feed(wire.in + wire.n_fed, n < left ? n : left);
        wire.n_fed += used;
        if (fuzz_next(4)) {
            used += pump();
        }
        if (fuzz_next(3) == 0) {
            act();
        }
        if (fuzz_next(20) == 0) {
            wire.now_ms += fuzz_next(fuzz_next(10) ? 50 : 15000);
            CHECK(nrpc_conn_tick(wire.conn, wire.now_ms) <= 1000);
        }
        if (fuzz_next(500) == 0) {
            nrpc_conn_shutdown(wire.conn);
        }
        stuck = used ? 0 : stuck;
    }
    for (unsigned i = 0; i < 8; i++) {
        act();
        (void)pump();
    }
    wire_close();
}
