/* tests/ports/posix_tables.c - the tables of ports/posix beside ones that are too simple to be
 * wrong. Layer: test. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ports/posix/nrpc_posix_peers.c"
#include "ports/posix/nrpc_posix_port.h"

enum { LINKS = NRPC_POSIX_LINKS, ROUNDS = 30000 };

struct nrpc_posix nrpc_posix;
struct nrpc_posix_link nrpc_posix_links[LINKS];

int64_t nrpc_posix_clock_ns(void)
{
    return 12345;
}

static void check(int is_right, const char *what, long round)
{
    if (!is_right) {
        printf("%s, round %ld\n", what, round);
        exit(1);
    }
}

static uint32_t next_random(uint32_t n)
{
    static uint64_t state = 1;

    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % n;
}

/* --- Timers -------------------------------------------------------------------------------- */

/* From now on: near, far, and further than the wheel reaches. */
static uint32_t some_ms(void)
{
    static const uint32_t most[] = {2, 50, 1100, 3000, 1100000, 4000000};

    if (next_random(5) == 0) /* where lists begin */
        return 1023 + 1024 * next_random(2000) - nrpc_posix.now_ms % 1024;
    return next_random(most[next_random(6)]);
}

static void run_due(uint32_t *due, int is_lingering[LINKS], long round)
{
    struct nrpc_posix_link *link;

    while ((link = nrpc_posix_timer_next()) != NULL) {
        long i = link - nrpc_posix_links;

        check(!nrpc_posix_before(nrpc_posix.now_ms, due[i]), "too early", round);
        is_lingering[i] = next_random(4) == 0;
        if (is_lingering[i])
            nrpc_posix_timer_linger(link);
        else
            nrpc_posix_timer_set(link, nrpc_posix.now_ms + 1 + some_ms());
        due[i] = link->due;
    }
    check(!nrpc_posix_before(nrpc_posix.now_ms + NRPC_POSIX_TICK_MS, nrpc_posix.tick_ms),
          "no look for long", round);
}

static void timers(void)
{
    static uint32_t due[LINKS];
    static int is_lingering[LINKS];

    nrpc_posix.now_ms = 0xfffff000u; /* soon it wraps */
    nrpc_posix_timers_init();
    for (int i = 0; i < LINKS; i++) {
        check(nrpc_posix_timer_new() == &nrpc_posix_links[i], "the first one that is free", i);
        nrpc_posix_timer_set(&nrpc_posix_links[i], nrpc_posix.now_ms + some_ms());
        due[i] = nrpc_posix_links[i].due;
    }
    check(!nrpc_posix_timer_new(), "none is free", 0);
    for (long round = 0; round < ROUNDS; round++) {
        uint32_t i = next_random(LINKS), soonest;

        if (next_random(2)) /* as the loop wakes up, or later, for its other work */
            nrpc_posix.now_ms = nrpc_posix.tick_ms;
        else
            nrpc_posix.now_ms += next_random(8) ? next_random(40) : next_random(300000);
        run_due(due, is_lingering, round);
        if (!is_lingering[i]) {
            nrpc_posix_timer_set(&nrpc_posix_links[i], nrpc_posix.now_ms + 1 + some_ms());
            due[i] = nrpc_posix_links[i].due;
        }
        soonest = nrpc_posix.now_ms + NRPC_POSIX_TICK_MS;
        for (i = 0; i < LINKS; i++) {
            check(nrpc_posix_before(nrpc_posix.now_ms, due[i]), "late", round);
            soonest = nrpc_posix_before(due[i], soonest) ? due[i] : soonest;
        }
        check(!nrpc_posix_before(soonest, nrpc_posix.tick_ms), "the next look is too late", round);
    }
    nrpc_posix_timer_free(&nrpc_posix_links[7]);
    check(nrpc_posix_timer_new() == &nrpc_posix_links[7], "what was used last", 0);
}

/* --- Peers --------------------------------------------------------------------------------- */

static void addresses(void)
{
    static const struct nrpc_server servers[2] = {{.n_conns = 10}, {.n_conns = LINKS}};
    static struct nrpc_conn conns[LINKS];
    static int is_open[LINKS];

    for (long round = 0; round < ROUNDS; round++) {
        struct nrpc_conn *conn = &conns[next_random(LINKS)];
        const struct nrpc_server *server = &servers[next_random(2)];
        unsigned held[2] = {0, 0};
        uint32_t most_held;

        if (is_open[conn - conns]) {
            nrpc_posix_peer_goes(conn);
        } else {
            conn->server = server;
            conn->peer = next_random(3) ? next_random(2 * LINKS) : 5;
            nrpc_posix_peer_comes(conn);
        }
        is_open[conn - conns] ^= 1;
        for (int i = 0; i < LINKS; i++)
            if (is_open[i] && conns[i].peer == conn->peer)
                held[conns[i].server - servers]++;
        for (int i = 0; i < 2; i++) {
            check(nrpc_admission_held(&servers[i], conn->peer) == held[i], "held", round);
            most_held = nrpc_admission_most(&servers[i]);
            check(2 * held[i] <= servers[i].n_conns || most_held == conn->peer, "most", round);
        }
    }
    for (int i = 0; i < LINKS; i++)
        if (is_open[i])
            nrpc_posix_peer_goes(&conns[i]);
    for (int i = 0; i < PLACES; i++)
        check(!peers[i].server, "a place is not free", i);
}

int main(void)
{
    timers();
    addresses();
    puts("right");
    return 0;
}
