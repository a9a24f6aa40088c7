/* tests/unit/test_mutations.c - good conversations, a few wrong bytes: nothing breaks.
 * Layer: test. Source: none; the sanitizers and the service's own rules are the judges.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "wire.h"

#define END NRPC_END_STREAM

#ifdef __arm__
enum { RUNS = 300 };
#else
enum { RUNS = 12000 };
#endif

static uint32_t seed, patience; /* patience: ms that may pass between two things */

static uint32_t next(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

/* Frames that a client may send at any time; id: an open stream. */
static void write_control(uint32_t id)
{
    static const uint8_t settings[] = {NRPC_HEADER_TABLE_SIZE, NRPC_INITIAL_WINDOW_SIZE,
                                       NRPC_MAX_HEADER_LIST_SIZE, 77};
    switch (next(7)) {
    case 0: wire_ping("abcdefgh"); break;
    case 1: wire_number(NRPC_WINDOW_UPDATE, next(2) ? id : 0, 1 + next(100)); break;
    case 2: wire_priority(id, id + 2 * next(5) + 2); break;
    case 3: wire_setting(settings[next(4)], next(3) ? next(100) : 65535); break;
    case 4: wire_frame(10 + next(200), next(256), id, "unknown", 7); break;
    default: break;
    }
}

/* All kinds of calls and frames, all of them allowed. */
static void write_conversation(void)
{
    static const char *const paths[] = {
        "/test.Raw/Echo",  "/test.Raw/List", "/test.Raw/Collect", "/test.Raw/Bidi",
        "/test.Raw/First", "/test.Raw/Hold", "/test.Raw/Fail",    "/test.Raw/Later",
    };
    wire_begin_acked(&raw_server);
    wire_setting(NRPC_INITIAL_WINDOW_SIZE, next(3) ? 65535 : next(40));
    for (uint32_t id = 1; id < 15; id += 2) {
        wire_request_fields(paths[next(8)]);
        if (next(3) == 0) {
            wire_block("\x40\x08grpc-bin\x81\x1f", 12);
            wire_field("x-long", "0123456789012345678901234567890123456789");
        }
        wire_headers_in_pieces(id, 0, 1 + next(100));
        write_control(id);
        wire_message(id, next(2) ? "2" : "D some text", 0);
        write_control(id);
        switch (next(5)) {
        case 0: wire_padded_data(id, "\0\0\0\0\1x", 6, next(9), END); break;
        case 1: wire_number(NRPC_RST_STREAM, id, NRPC_H2_CANCEL); break;
        case 2: break;
        default: wire_data(id, "", 0, END); break;
        }
    }
    wire_goaway(0, 0);
}

static void mutate(void)
{
    for (uint32_t i = 1 + next(next(4) ? 2 : 5); i > 0; i--) {
        size_t at = 24 + next((uint32_t)wire.n_in - 24), n = 1 + next(12), rest = wire.n_in - at;
        n = n < rest ? n : rest;
        switch (next(6)) {
        case 0: wire.in[at] = (uint8_t)next(256); break;
        case 1: wire.in[at] = (uint8_t)(wire.in[at] ^ 1u << next(8)); break;
        case 2:
            memmove(wire.in + at, wire.in + at + n, rest - n);
            wire.n_in -= n;
            break; /* without some */
        case 3:
            memmove(wire.in + at + n, wire.in + at, rest);
            wire.n_in += n;
            break; /* some twice */
        case 4: wire.in[at] = 0xff; break;
        default:
            memcpy(wire.in + at, wire.in + 24 + next((uint32_t)(wire.n_in - n - 24)), 1);
            break;
        }
        if (wire.n_in <= 40) {
            return;
        }
    }
}

/* What a handler's side does meanwhile. */
static void act(void)
{
    uint32_t id = 1 + 2 * next(8);
    if (raw_call(id)) {
        switch (next(4)) {
        case 0: raw_send(id, "text"); break;
        case 1: raw_finish(id, NRPC_ABORTED, "act"); break;
        default: raw_wake(id); break;
        }
    }
}

/* Frames are whole, and of streams that exist. */
static void check_output(void)
{
    size_t at = 0;
    while (at + 9 <= wire.n_out) {
        struct nrpc_frame frame;
        nrpc_frame_read(&frame, wire.out + at);
        CHECK(frame.type <= NRPC_WINDOW_UPDATE && frame.type != NRPC_PUSH_PROMISE &&
              frame.type != NRPC_PRIORITY);
        at += 9 + frame.length;
    }
    CHECK_EQ(at, wire.n_out);
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
        if (next(20) == 0) {
            wire.now_ms += next(next(10) ? 50 : patience);
            nrpc_conn_tick(wire.conn, wire.now_ms);
        }
        if (next(500) == 0) {
            nrpc_conn_shutdown(wire.conn);
        }
        stuck = used ? 0 : stuck;
    }
    wire.is_blocked = 0;
    wire.room = 1024;
    wire_pump();
    check_output();
    int alive = !(wire.conn->flags & NRPC_CONN_DEAD);
    wire_close();
    return alive;
}

static void conversations(void)
{
    for (uint32_t i = 0; i < RUNS / 4 && !test_has_failed(); i++) {
        seed = i;
        test_context("seed", (long)i);
        patience = 50;
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
        patience = 15000;
        write_conversation();
        mutate();
        open += run() != 0;
    }
    CHECK(open > RUNS / 10);
}

/* Nothing but the preface is right. */
static void noise(void)
{
    for (uint32_t i = 0; i < RUNS && !test_has_failed(); i++) {
        seed = ~i;
        test_context("seed", (long)i);
        wire_begin(&raw_server);
        for (uint32_t frames = next(20); frames > 0; frames--) {
            uint8_t payload[40];
            for (unsigned k = 0; k < sizeof payload; k++) {
                payload[k] = (uint8_t)next(next(2) ? 256 : 4);
            }
            wire_frame(next(11), next(2) ? next(256) : next(8), next(8), payload, next(41));
        }
        if (wire.n_in > 40) {
            run();
        }
    }
}

int main(void)
{
    RUN(conversations);
    RUN(mutated_conversations);
    RUN(noise);
    return test_end();
}
