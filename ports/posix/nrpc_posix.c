/* ports/posix/nrpc_posix.c - the epoll loop: waits, serves who has something, runs the timers.
 * Layer: port. Source: epoll(7).
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "ports/posix/nrpc_posix_port.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS = 64 };

/* Those to which handlers and the application may have given something to send, and whose peer has
 * sent what could not be taken. What they give one another meanwhile is for the next turn. */
static void flush_listed(void)
{
    nrpc_posix.flushing = 1;
    for (unsigned n = nrpc_posix.listed.n; n > 0; n--) {
        struct nrpc_posix_link *link =
            &nrpc_posix_links[nrpc_posix.listed.links[nrpc_posix.listed.at]];

        nrpc_posix.listed.n--;
        nrpc_posix.listed.at = (nrpc_posix.listed.at + 1) % NRPC_POSIX_LINKS;
        link->listed = 0;
        if (link->conn && !link->tx)
            nrpc_posix_link_flush(link);
    }
    nrpc_posix.flushing = 0;
}

/* Runs the timers that are due. */
static void tick_due(void)
{
    struct nrpc_posix_link *link;

    while ((link = nrpc_posix_timer_next()) != NULL) {
        if (!link->conn) {
            nrpc_posix_link_close(link);
            continue;
        }
        nrpc_posix_link_tick(link);
        if (!link->tx)
            nrpc_posix_link_flush(link);
        else if (nrpc_link_closing(link->conn)) /* by a timer: the peer takes nothing */
            nrpc_posix_link_close(link);
    }
    nrpc_posix_listeners_resume();
    if (nrpc_posix.paused && nrpc_posix_before(nrpc_posix.pause_until, nrpc_posix.tick_ms))
        nrpc_posix.tick_ms = nrpc_posix.pause_until;
}

/* Lets the dials go on. Returns the milliseconds after which to do it again. */
static uint32_t run_dials(void)
{
    if (!nrpc_posix.dialler)
        return NRPC_POSIX_TICK_MS;
    nrpc_posix.now_ms = nrpc_posix_clock_ms();
    return nrpc_posix.dialler->run();
}

/* For how long to sleep, at most: `next`, or what the caller allows, or until the timers
 * are due. */
static int wait_for(int timeout_ms, uint32_t next)
{
    uint32_t due = 0;

    if (nrpc_posix_before(nrpc_posix.now_ms, nrpc_posix.tick_ms))
        due = nrpc_posix.tick_ms - nrpc_posix.now_ms;
    if (due > next)
        due = next;
    if (nrpc_posix.unfinished)
        due = 0;
    return timeout_ms < 0 || (uint32_t)timeout_ms > due ? (int)due : timeout_ms;
}

/* Under load the next bytes are here sooner than a sleeping thread wakes up (30 us and more on a
 * core that has gone idle): look for them for a while. Where that was in vain, do so more
 * rarely. */
static int spin(struct epoll_event *events)
{
    int64_t until;

    if (!NRPC_POSIX_SPIN_US || !nrpc_posix.busy)
        return 0;
    if (nrpc_posix.spin_rest) {
        nrpc_posix.spin_rest--;
        return 0;
    }
    until = nrpc_posix_clock_ns() + NRPC_POSIX_SPIN_US * INT64_C(1000);
    do {
        int n = epoll_wait(nrpc_posix.epoll, events, EVENTS, 0);

        if (n) {
            nrpc_posix.spin_miss = 0;
            return n;
        }
        sched_yield();
    } while (nrpc_posix_clock_ns() < until);
    nrpc_posix.spin_rest = nrpc_posix.spin_miss =
        (uint8_t)(nrpc_posix.spin_miss < 128 ? 2 * nrpc_posix.spin_miss + 1 : 255);
    return 0;
}

int nrpc_posix_poll(int timeout_ms)
{
    struct epoll_event events[EVENTS];
    uint64_t count;
    uint32_t next_ms, waiting_ms;
    int n, served = 0;

    if (nrpc_posix_init())
        return NRPC_E_LINK;
    /* A channel's timers run in there, and what they end may be another link's to tell. */
    run_dials();
    nrpc_posix.unfinished = 0;
    flush_listed();
    next_ms = run_dials(); /* handlers' calls want links */
    waiting_ms = nrpc_posix_waiting_run();
    timeout_ms = wait_for(timeout_ms, next_ms < waiting_ms ? next_ms : waiting_ms);
    n = timeout_ms ? spin(events) : 0;
    if (!n)
        n = epoll_wait(nrpc_posix.epoll, events, EVENTS, timeout_ms);
    if (n < 0 && errno != EINTR)
        return nrpc_posix_fail("epoll_wait", errno);
    nrpc_posix.busy = n > 0;
    nrpc_posix.now_ms = nrpc_posix_clock_ms();
    for (int i = 0; i < n; i++) {
        if (events[i].data.u32 < NRPC_POSIX_LINKS) {
            nrpc_posix_link_event(&nrpc_posix_links[events[i].data.u32], events[i].events);
            served++;
        }
    }
    /* New links come last: one that closed above must not be another peer's in this turn. */
    for (int i = 0; i < n; i++) {
        uint32_t key = events[i].data.u32;

        if (key & NRPC_POSIX_KEY_LISTENER)
            nrpc_posix_listener_event(
                &nrpc_posix.listeners[key & ~(uint32_t)NRPC_POSIX_KEY_LISTENER]);
        else if (key & NRPC_POSIX_KEY_DIAL)
            nrpc_posix.dialler->event(key & ~(uint32_t)NRPC_POSIX_KEY_DIAL);
        else if (key & NRPC_POSIX_KEY_WAKE && read(nrpc_posix.wake, &count, sizeof count) < 0)
            continue; /* somebody else's wake was read with the one before */
    }
    if (!nrpc_posix_before(nrpc_posix.now_ms, nrpc_posix.tick_ms))
        tick_due();
    return served;
}

void nrpc_posix_wake(void)
{
    uint64_t one = 1;
    int number = errno;
    ssize_t written = nrpc_posix.ready ? write(nrpc_posix.wake, &one, sizeof one) : 0;

    (void)written; /* fails only when a wake is already pending */
    errno = number;
}

/* Nobody comes any more, and nobody is dialled. */
static void stop_all(void)
{
    nrpc_posix_listeners_drop(0);
    if (nrpc_posix.dialler)
        nrpc_posix.dialler->stop();
    nrpc_posix.dialler = NULL;
}

void nrpc_posix_shutdown(void)
{
    stop_all();
    for (unsigned i = 0; i < NRPC_POSIX_LINKS; i++)
        if (nrpc_posix_links[i].conn)
            nrpc_posix_link_shutdown(&nrpc_posix_links[i]);
}

void nrpc_posix_close(void)
{
    if (!nrpc_posix.ready)
        return;
    stop_all();
    for (unsigned i = 0; i < NRPC_POSIX_LINKS; i++)
        if (nrpc_posix_links[i].conn)
            nrpc_posix_link_close(&nrpc_posix_links[i]);
    while (nrpc_posix_timer_lingers())
        nrpc_posix_link_close(nrpc_posix_timer_lingers());
    if (nrpc_posix.spare >= 0)
        close(nrpc_posix.spare);
    close(nrpc_posix.wake);
    close(nrpc_posix.epoll);
    nrpc_posix.ready = 0;
}

uint16_t nrpc_posix_port(void)
{
    return nrpc_posix.taken_port;
}

const char *nrpc_posix_error(void)
{
    return nrpc_posix.error.text;
}

const struct nrpc_posix_stats *nrpc_posix_stats(void)
{
    return &nrpc_posix.stats;
}
