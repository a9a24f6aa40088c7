/* tests/unit/test_client_goaway.c - servers that take no more calls, or end them; new links.
 * Layer: test. Source: RFC 9113 6.8; gRPC "Connection Backoff Protocol".
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#if NRPC_CLIENT
#include <string.h>

#include "raw_client.h"
#include "wire.h"

#define HEAD(method) "[POST http /test.Raw/" method " @device te=trailers grpc]"
#define ECHO "1: " HEAD("Echo") " 'hi' END "

/* Two calls that begin at once: which gets the first stream depends on the room to send it in. */
#if NRPC_FAST
#define IN_ORDER(text) "*"
#else
#define IN_ORDER(text) text
#endif

static void echo(void)
{
    CHECK(raw_start("Echo", "hi", NULL));
}
static void list(void)
{
    CHECK(raw_start("List", "3", NULL));
}
static void tick(void)
{
    raw_client_tick(wire.now_ms);
}
static void two(void)
{
    echo();
    echo();
}
static void expect_closing(void)
{
    tick();
    CHECK(nrpc_conn_closing(wire.conn));
}

static void goaway_lets_calls_finish(void)
{
    raw_client_begin(two);
    wire_goaway(3, NRPC_H2_NO_ERROR);
    wire_do(echo); /* waits for the next link */
    raw_answer(1);
    wire_message(1, "hi", 0);
    raw_trailers(1, "0", NULL);
    wire_do(NULL);
    raw_answer(3);
    wire_message(3, "ho", 0);
    raw_trailers(3, "0", NULL);
    wire_do(NULL);
    wire_do(expect_closing);
    wire_expect(ECHO "3: " HEAD("Echo") " 'hi' END " IN_ORDER("1h 1'hi' 1=0 2h 2'ho' 2=0"));
    CHECK_EQ(raw_client.n_done, 2);
}

static void link_again(void)
{
    tick();
    CHECK(nrpc_conn_closing(wire.conn));
    nrpc_conn_lost(wire.conn);
    wire.n_out = 0;
    CHECK(raw_client_link(wire.now_ms) == wire.conn); /* at once */
}

static void goaway_takes_not_all(void)
{
    raw_client_begin(two);
    wire_goaway(1, NRPC_H2_NO_ERROR);
    raw_answer(1);
    wire_message(1, "hi", 0);
    raw_trailers(1, "0", NULL);
    wire_do(link_again);
    wire_frame(NRPC_SETTINGS, 0, 0, NULL, 0);
    wire_do(NULL);
    raw_answer(1);
    wire_message(1, "ho", 0);
    raw_trailers(1, "0", NULL);
    wire_expect(ECHO IN_ORDER("1h 1'hi' 1=0 2h 2'ho' 2=0"));
    CHECK_EQ(raw_client.n_done, 2);
}

/* With an error, or before it has taken a call: then the next attempt waits for its time. */
static void lose_and_wait(void)
{
    tick();
    nrpc_conn_lost(wire.conn);
    CHECK(raw_client_tick(wire.now_ms) > 0);
    CHECK_EQ(raw_channel.dial.state, NRPC_DIAL_WAITING);
    wire.is_blocked = 1; /* there is no link any more */
}
static void wait_for_ready(void)
{
    static const struct nrpc_call_options options = {.wait_for_ready = 1};
    CHECK(raw_start("Echo", "hi", &options));
}

static void goaway_that_is_no_success(void)
{
    for (unsigned i = 0; i < 4; i++) {
        raw_client_begin_bare(wait_for_ready);
        wire_frame(NRPC_SETTINGS, 0, 0, NULL, 0);
        if (i < 2) { /* else it comes before our HEADERS */
            wire_do(NULL);
        }
        wire_goaway(i == 0   ? 1
                    : i == 3 ? 0x7fffffff
                             : 0,
                    i ? NRPC_H2_NO_ERROR : NRPC_H2_INTERNAL_ERROR);
        wire_do(lose_and_wait);
        (void)wire_run_once();
    }
}

/* A call without end on the old link does not keep those that wait for the next one for ever. */
static void wait_and_give_way(void)
{
    wire.now_ms += 10ul * NRPC_DRAIN_MS; /* nobody waits yet */
    tick();
    CHECK(!nrpc_conn_closing(wire.conn));
}
static void give_way(void)
{
    for (uint32_t ms = 0; ms < NRPC_DRAIN_MS - 1000; ms += 1000) {
        tick();
        CHECK(!nrpc_conn_closing(wire.conn));
        wire.now_ms += 1000;
    }
    wire.now_ms += 2000;
    tick();
    wire_pump();
    CHECK(nrpc_conn_closing(wire.conn));
    nrpc_conn_lost(wire.conn);
    wire.n_out = 0;
    CHECK(raw_client_link(wire.now_ms) == wire.conn);
    CHECK_TEXT(raw_client_log(), "1h 1=14(connection lost)");
}

static void goaway_and_a_call_without_end(void)
{
    raw_client_begin(list);
    raw_answer(1);
    wire_goaway(1, NRPC_H2_NO_ERROR);
    wire_do(echo);
    wire_do(give_way);
    (void)wire_run_once();
    raw_client_begin(list);
    raw_answer(1);
    wire_goaway(1, NRPC_H2_NO_ERROR);
    wire_do(wait_and_give_way);
    (void)wire_run_once();
}

/* --- Its deadline, by the server's clock ------------------------------------------------------ */

static void with_deadline(void)
{
    static const struct nrpc_call_options options = {.timeout_ms = 1500};
    CHECK(raw_start("Echo", "hi", &options));
}

/* The server's clock may be a little ahead of ours. Before that it is what it says. */
static uint32_t early_ms;

static void pass_most_of_it(void)
{
    raw_client_tick(wire.now_ms);
    wire.now_ms += 1500 - early_ms;
    raw_client_tick(wire.now_ms);
}

static void deadline_of_the_server(void)
{
    static const struct {
        uint32_t early_ms;
        const char *by_reset, *by_trailers;
    } rows[] = {{0, "*=4", "*=4"},
                {1, "1=4(stream reset)", "1h 1=4(time)"},
                {125, "1=4(stream reset)", "1h 1=4(time)"},
                {126, "1=1(stream reset)", "1h 1=1(time)"},
                {1500, "1=1(stream reset)", "1h 1=1(time)"}};
    for (unsigned i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        char text[200] = "1: [POST http /test.Raw/Echo @device te=trailers grpc grpc-timeout=1500m]"
                         " 'hi' END ";
        early_ms = rows[i / 2].early_ms;
        raw_client_begin(with_deadline);
        wire_do(pass_most_of_it);
        if (i % 2) {
            raw_answer(1);
            raw_trailers(1, "1", "time");
        } else {
            wire_number(NRPC_RST_STREAM, 1, NRPC_H2_CANCEL);
        }
        wire_expect(strcat(text, i % 2 ? rows[i / 2].by_trailers : rows[i / 2].by_reset));
    }
}

int main(void)
{
    RUN(goaway_lets_calls_finish);
    RUN(goaway_takes_not_all);
    RUN(goaway_that_is_no_success);
    RUN(goaway_and_a_call_without_end);
    RUN(deadline_of_the_server);
    return test_end();
}
#else
int main(void)
{
    return test_end();
}
#endif
