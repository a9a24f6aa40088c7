/* tests/unit/test_streamed_mutations.c - streamed fields, good ones and with a few wrong bytes.
 * Layer: test. Source: none; the sanitizers and the handlers' own checks are the judges.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#if NRPC_PIECES
#include <string.h>

#include "blobs_service.h"

#ifdef __arm__
enum { RUNS = 200 };
#else
enum { RUNS = 6000 };
#endif

static uint32_t seed;

static uint32_t next(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

/* Calls of all kinds, side by side, each message in frames of any size. */
static void write_conversation(void)
{
    blobs_begin();
    how.any = 1;
    how.piece = next(2) ? UINT32_MAX : 1 + next(30);
    how.wait_at = next(3) ? UINT32_MAX : next(50);
    how.fail_at = next(6) ? UINT32_MAX : next(50);
    how.refuse = next(6) ? NRPC_OK : NRPC_ABORTED;
    how.refuse_at = next(200);
    how.hold = next(4) == 0;
    wire_setting(NRPC_INITIAL_WINDOW_SIZE, next(2) ? 65535 : 1 + next(60));
    for (uint32_t id = 1; id < 11; id += 2) {
        uint32_t size = next(4) ? next(100) : next(900);
        switch (next(5)) {
        case 0: blobs_ask(id, GET, size, next(2)); continue;
        case 1: blobs_ask(id, GET_ALL, size, next(4)); continue;
        case 2: wire_request(id, PUT, 0); break;
        case 3: wire_request(id, PUT_ALL, 0); break;
        default: wire_request(id, EXCHANGE, 0); break;
        }
        for (uint32_t i = next(3); i != UINT32_MAX; i--) {
            blobs_named(size);
            blobs_send(id, 1 + next(300), i ? 0 : NRPC_END_STREAM);
        }
        wire_number(NRPC_WINDOW_UPDATE, 0, 1 + next(100));
    }
}

static void mutate(void)
{
    for (uint32_t i = 1 + next(4); i > 0; i--) {
        size_t at = 24 + next((uint32_t)wire.n_in - 24);
        wire.in[at] = (uint8_t)(next(2) ? next(256) : wire.in[at] ^ 1u << next(8));
    }
}

/* What applications do meanwhile. */
static void act(void)
{
    unsigned i = next(5);
    struct nrpc_call *call = calls[i].call;
    if (!call || call->id / 2 % BLOBS_CALLS != i || !(call->flags & NRPC_CALL_OPEN)) {
        return;
    }
    switch (next(8)) {
    case 0: how.hold = !how.hold; break;
    case 1: (void)nrpc_call_finish(call, next(2) ? NRPC_OK : NRPC_ABORTED, "act"); break;
    default: (void)nrpc_call_wake(call); break;
    }
}

/* Returns whether the connection was not ended by an error. */
static int run(void)
{
    wire.room = next(2) ? NRPC_TRANSMIT_MIN : 1 + next(2000);
    wire_open();
    size_t at = 0;
    for (unsigned stuck = 0; at < wire.n_in && stuck < 50; stuck++) {
        size_t n = 1 + next(next(4) ? 20 : 400);
        n = n < wire.n_in - at ? n : wire.n_in - at;
        size_t used = wire_feed(wire.in + at, n);
        at += used;
        wire.is_blocked = next(4) == 0;
        wire_pump();
        if (next(3) == 0) {
            act();
        }
        stuck = used ? 0 : stuck;
    }
    wire.is_blocked = 0;
    wire.room = 1024;
    for (unsigned i = 0; i < 40; i++) {
        act();
        wire_pump();
    }
    int alive = !(wire.conn->flags & NRPC_CONN_DEAD);
    wire_close();
    return alive;
}

static void conversations(void)
{
    for (uint32_t i = 0; i < RUNS / 4 && !test_has_failed(); i++) {
        seed = i;
        test_context("seed", (long)i);
        write_conversation();
        CHECK(run());
    }
}

static void mutated_conversations(void)
{
    unsigned open = 0;
    for (uint32_t i = 0; i < RUNS && !test_has_failed(); i++) {
        seed = i;
        test_context("seed", (long)i);
        write_conversation();
        mutate();
        open += run() != 0;
    }
    CHECK(open > RUNS / 20);
}

int main(void)
{
    RUN(conversations);
    RUN(mutated_conversations);
    return test_end();
}
#else
int main(void)
{
    return test_end();
}
#endif
