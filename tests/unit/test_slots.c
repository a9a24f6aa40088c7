/* tests/unit/test_slots.c - slots of calls: found by id, gone over, asked in turn, however many.
 * Layer: test. Source: nanorpc/http2/nrpc_stream.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "nanorpc/http2/nrpc_conn.h"
#include "wire.h"

enum { LISTS = NRPC_MAX_STREAMS < 4 ? NRPC_MAX_STREAMS : 4, TURNS = 100 };

static unsigned random_number(unsigned below)
{
    static uint32_t state = 1;
    state = state * 1664525 + 1013904223;
    return (unsigned)(state >> 16) % below;
}

static struct nrpc_call *slot_with(struct nrpc_conn *conn, uint32_t id)
{
    for (unsigned i = 0; i < NRPC_MAX_STREAMS; i++) {
        if (conn->calls[i].id == id) {
            return &conn->calls[i];
        }
    }
    return NULL;
}

/* Every open call is met, from each slot on, and few that are not open. */
static void check_walk(struct nrpc_conn *conn)
{
    for (unsigned from = 0; from <= NRPC_MAX_STREAMS; from++) {
        unsigned at = from, next = nrpc_stream_from(conn, from);
        while (at < NRPC_MAX_STREAMS && (conn->calls[at].flags & NRPC_CALL_OPEN) == 0 &&
               (NRPC_MANY_STREAMS || at < next)) {
            at++;
        }
        CHECK_EQ(next, at);
    }
}

/* Calls come and go at random, and so do requests that are refused. */
static void slots_are_found(void)
{
    struct nrpc_conn *conn = nrpc_server_accept(&raw_server, 1);
    uint32_t id = 1;
    for (unsigned i = 0; i < 4000 && !test_has_failed(); i++) {
        id += random_number(9) ? 2 : 4;
        struct nrpc_call *call = nrpc_stream_vacant(conn);
        conn->last_id = id;
        if (call) {
            nrpc_stream_open(call, id);
            call->flags |= NRPC_CALL_FINISHED; /* nobody is told */
        }
        while (!call || random_number(3) == 0) {
            call = &conn->calls[random_number(NRPC_MAX_STREAMS)];
            if (call->flags & NRPC_CALL_OPEN) {
                nrpc_stream_close(call, NRPC_CANCELLED);
            }
        }
        if (i % 16 == 0) {
            check_walk(conn);
        }
        for (uint32_t back = 0; back < 12 && 2 * back < id; back++) {
            uint32_t asked = id - 2 * back * (back < 8 ? 1u : id / 2 / 12);
            CHECK(nrpc_stream_find(conn, asked) == slot_with(conn, asked));
        }
    }
    nrpc_conn_lost(conn);
    check_walk(conn);
}

static void request(uint32_t *id, const char *path, const char *text)
{
    wire_request(*id, path, 0);
    wire_message(*id, text, NRPC_END_STREAM);
    *id += 2;
}

/* The streams whose DATA frames leave, in their order, with room for one turn at a time. */
static unsigned note_turns(uint32_t *ids, unsigned most)
{
    uint8_t out[NRPC_TRANSMIT_MIN];
    unsigned count = 0;
    size_t n;
    while ((n = nrpc_conn_transmit(wire.conn, out, sizeof out)) != 0) {
        for (size_t at = 0; at + NRPC_FRAME_HEADER_BYTES <= n;) {
            if (out[at + 3] == NRPC_DATA && count < most) {
                ids[count++] = nrpc_get32(out + at + 5);
            }
            at += NRPC_FRAME_HEADER_BYTES + ((size_t)out[at + 1] << 8 | out[at + 2]);
        }
    }
    return count;
}

/* Each once, then all again in the same order; between them, and around the end of the slots, are
 * some without a call. */
static void calls_take_turns(void)
{
    uint32_t ids[TURNS], id = 1;
    unsigned between = NRPC_MANY_STREAMS ? NRPC_MAX_STREAMS / 8 : 0;
    wire_begin_acked(&raw_server);
    wire_open();
    for (unsigned i = 0; i < NRPC_MAX_STREAMS - 2 - between; i++) {
        request(&id, "/test.Raw/Echo", "x");
        wire_feed_all();
    }
    wire_pump();
    wire_begin_bare(&raw_server);
    for (unsigned i = 0; i < between; i++) {
        request(&id, "/test.Raw/Push", "x");
    }
    for (unsigned i = 0; i < LISTS; i++) {
        request(&id, "/test.Raw/List", "90:40");
    }
    CHECK_EQ(wire_feed(wire.in, wire.n_in), wire.n_in);
    for (unsigned i = 0; i < between; i++) {
        if (i != between / 2) { /* one stays, and has nothing to say */
            CHECK_EQ(raw_finish(id - 2 * (LISTS + between - i), NRPC_OK, NULL), 0);
        }
    }
    CHECK_EQ(note_turns(ids, TURNS), TURNS);
    for (unsigned i = 0; i < TURNS && !test_has_failed(); i++) {
        for (unsigned k = 1; k <= LISTS && k <= i; k++) {
            CHECK((ids[i] == ids[i - k]) == (k == LISTS));
        }
    }
    wire_close();
}

int main(void)
{
    RUN(slots_are_found);
    RUN(calls_take_turns);
    return test_end();
}
