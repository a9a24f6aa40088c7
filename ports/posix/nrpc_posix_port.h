/* ports/posix/nrpc_posix_port.h - what the port's files share: its links, its loop's state.
 * Layer: port, internal to ports/posix. Source: epoll(7).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NRPC_POSIX_PORT_H
#define NRPC_POSIX_PORT_H

#define NRPC_ADMISSION_COUNTED
#include "ports/nrpc_admission.h"
#include "ports/nrpc_link.h"
#include "ports/posix/nrpc_posix.h"
#include "ports/posix/nrpc_posix_sockets.h"

/* epoll keys; below: the number of a link. */
enum {
    NRPC_POSIX_KEY_LISTENER = 1 << 24,
    NRPC_POSIX_KEY_WAKE = 1 << 25,
    NRPC_POSIX_KEY_DIAL = 1 << 26
};

/* Bytes that wait: bytes[at] to bytes[end]. A link that has one has bytes in it. */
struct nrpc_posix_buffer {
    struct nrpc_posix_buffer *next; /* that is free, too */
    uint32_t at, end;
    uint8_t bytes[NRPC_POSIX_BUFFER_BYTES];
};

/* One TCP connection. conn is NULL while it lingers: we have sent FIN and wait for the peer's. */
struct nrpc_posix_link {
    struct nrpc_conn *conn;
    struct nrpc_posix_buffer *rx; /* received, not yet taken by the core */
    struct nrpc_posix_buffer *tx; /* made by the core, not yet taken by TCP */
    int fd;
    uint32_t due;    /* when it is ticked, or its lingering is over */
    uint8_t events;  /* what epoll watches for; of EPOLLIN and EPOLLOUT */
    uint8_t listed;  /* in nrpc_posix.listed */
    uint8_t is_idle; /* it must be ticked before anything else: nrpc_conn_idle_ms */
    uint8_t is_held; /* what the core does not take stays with TCP: there is no buffer for it */
    uint8_t is_full; /* nothing is made before TCP has room: there is no buffer for it */
};
extern struct nrpc_posix_link nrpc_posix_links[NRPC_POSIX_LINKS];

struct nrpc_posix_listener {
    const struct nrpc_server *server;
    int fd;
};

/* Dialling is linked in by who dials; see nrpc_posix_dial.c. */
struct nrpc_posix_dialler {
    uint32_t (*run)(void);          /* dials what may be; returns ms after which to call again */
    void (*event)(unsigned number); /* a socket is connected, or never will be */
    void (*stop)(void);             /* forgets every dial; links stay */
};

struct nrpc_posix {
    int epoll, wake, spare;   /* spare: given up to refuse a peer when none is left */
    uint32_t now_ms, tick_ms; /* the clock of this turn; when the timers are due */
    uint32_t pause_until;     /* listeners rest: accept failed for want of memory */
    uint16_t n_listeners, taken_port;
    uint8_t ready, paused;
    uint8_t unfinished;           /* a link's turn was over before it had sent all */
    uint8_t busy;                 /* the last turn had something to do */
    uint8_t spin_rest, spin_miss; /* turns that do not spin; how many the next miss makes them */
    uint8_t flushing;             /* what is listed now is too late for this turn */
    uint8_t freed;                /* a link was closed: somebody who waits may have a place */
    struct {                      /* numbers of links that may have something to send, in a ring */
        uint32_t at, n;
        uint32_t links[NRPC_POSIX_LINKS];
    } listed;
    const struct nrpc_conn *working; /* is asked just now, and until it has no more */
    struct nrpc_posix_listener listeners[NRPC_POSIX_LISTENERS];
    const struct nrpc_posix_dialler *dialler; /* NULL: nobody dials */
    struct nrpc_posix_stats stats;
    struct nrpc_posix_error error;
};
extern struct nrpc_posix nrpc_posix;

/* The loop, nrpc_posix.c, stands on the following; nothing here calls it. */

/* --- Its state: nrpc_posix_state.c ---------------------------------------------------------- */

enum { NRPC_POSIX_TICK_MS = 1000 };

/* Before anything else; again does nothing. Returns 0, or NRPC_E_LINK. */
int nrpc_posix_init(void);

/* CLOCK_MONOTONIC. */
uint32_t nrpc_posix_clock_ms(void);
int64_t nrpc_posix_clock_ns(void);

/* a is before b on a clock that wraps. */
static inline int nrpc_posix_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

/* Notes "what: text of errno `number`". Returns NRPC_E_LINK. */
int nrpc_posix_fail(const char *what, int number);

/* The descriptor in reserve. */
void nrpc_posix_spare_refill(void);

/* --- Bytes that wait: nrpc_posix_buffers.c --------------------------------------------------- */

/* 1: the turn of a link, which may keep what it has received and what it has made, finds buffers
 * for both. */
int nrpc_posix_buffers_suffice(void);

/* Copies n bytes, 1 to NRPC_POSIX_BUFFER_BYTES, into a free one. NULL: there is none. */
struct nrpc_posix_buffer *nrpc_posix_buffer_keep(const uint8_t *data, size_t n);

/* The first n bytes of *buffer need no longer be kept; of the last ones it is freed, and NULL. */
void nrpc_posix_buffer_drop(struct nrpc_posix_buffer **buffer, size_t n);

static inline size_t nrpc_posix_buffer_has(const struct nrpc_posix_buffer *buffer)
{
    return buffer ? buffer->end - buffer->at : 0;
}

/* --- Timers: nrpc_posix_timers.c ------------------------------------------------------------- */

/* Each link is in one list: of the free ones, those that linger, or whose time is the same. */
void nrpc_posix_timers_init(void);

/* Sets its time, whatever it was; nrpc_posix.tick_ms moves where it is later. */
void nrpc_posix_timer_set(struct nrpc_posix_link *link, uint32_t due);

/* Begins NRPC_POSIX_LINGER_MS. */
void nrpc_posix_timer_linger(struct nrpc_posix_link *link);

/* The first one that lingers, or NULL. */
struct nrpc_posix_link *nrpc_posix_timer_lingers(void);

/* The next one whose time has come, at nrpc_posix.now_ms, to be given another, or freed. NULL:
 * there is none, and nrpc_posix.tick_ms says when to look again. */
struct nrpc_posix_link *nrpc_posix_timer_next(void);

void nrpc_posix_timer_free(struct nrpc_posix_link *link);

/* A free link, which is to be given a time; NULL: there is none. */
struct nrpc_posix_link *nrpc_posix_timer_new(void);

/* --- Who has how many: nrpc_posix_peers.c ----------------------------------------------------- */

/* A link of this connection begins, or ends; between the two its peer stays the same. */
void nrpc_posix_peer_comes(const struct nrpc_conn *conn);
void nrpc_posix_peer_goes(const struct nrpc_conn *conn);

/* --- Links: nrpc_posix_links.c ------------------------------------------------------------ */

/* 1: a link is free, or was made free from those that only linger. */
int nrpc_posix_link_free(void);

/* A link for a connected socket; call only where one is free. Both are the link's from here on.
 * Returns 0, or -1: epoll does not take it, and both are the caller's. */
int nrpc_posix_link_open(struct nrpc_conn *conn, int fd);

void nrpc_posix_link_close(struct nrpc_posix_link *link);

/* This connection gives way to another: it says so and closes, or just closes where that cannot be
 * said now. */
void nrpc_posix_link_yield(struct nrpc_conn *conn);

/* Begins its graceful end. */
void nrpc_posix_link_shutdown(struct nrpc_posix_link *link);

/* It is flushed in the next turn. */
void nrpc_posix_link_list(struct nrpc_posix_link *link);

/* Of this connection, or NULL: it has none. */
struct nrpc_posix_link *nrpc_posix_link_of(const struct nrpc_conn *conn);

/* Sends what is kept or was made outside of an event, then takes up what was left over. */
void nrpc_posix_link_flush(struct nrpc_posix_link *link);

/* Runs its timers, and sets its next time; until then it may be left alone: is_idle. */
void nrpc_posix_link_tick(struct nrpc_posix_link *link);

void nrpc_posix_link_event(struct nrpc_posix_link *link, uint32_t events);

/* --- Listening: nrpc_posix_listen.c -------------------------------------------------------- */

/* Beyond the first `keep`; 0: those that wait are refused as well. */
void nrpc_posix_listeners_drop(unsigned keep);
void nrpc_posix_listener_event(const struct nrpc_posix_listener *listener);

/* Peers that wait for a connection get one, or are refused in the end. Returns the milliseconds
 * after which to call again. */
uint32_t nrpc_posix_waiting_run(void);

/* Those that rest go on, once it is time. */
void nrpc_posix_listeners_resume(void);

/* RST. */
void nrpc_posix_refuse(int fd);

#endif
