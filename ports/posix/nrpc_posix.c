/* ports/posix/nrpc_posix.c - the epoll loop: one recv and one send per connection and turn.
 * Layer: port. Source: epoll(7), tcp(7), RFC 9113 9.1.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "nrpc_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "nrpc_posix_sockets.h"

enum { EVENTS = 64, PAUSE_MS = 100, TICK_MS = 1000, PIECE = 1024, BUFFER = NRPC_POSIX_BUFFER_BYTES };
enum { KEY_LISTENER = 1 << 24, KEY_WAKE = 1 << 25 }; /* epoll keys; below: the number of a link */

NRPC_STATIC_ASSERT(NRPC_POSIX_LINKS >= 1 && NRPC_POSIX_LINKS <= 65535, "NRPC_POSIX_LINKS: 1..65535");
NRPC_STATIC_ASSERT(BUFFER >= 2048 && BUFFER <= 1048576, "NRPC_POSIX_BUFFER_BYTES: 2048..1048576");
NRPC_STATIC_ASSERT(BUFFER >= PIECE + NRPC_TRANSMIT_MIN, "NRPC_POSIX_BUFFER_BYTES: PIECE + NRPC_TRANSMIT_MIN or more");

/* One TCP connection. conn is NULL while it lingers: we have sent FIN and wait for the peer's. */
struct link {
    struct nrpc_conn *conn;
    int fd;
    uint32_t events;                 /* what epoll watches for */
    uint32_t rx_at, rx_end;          /* received, not yet taken by the core: in kept[].rx */
    uint32_t tx_at, tx_end;          /* made by the core, not yet taken by TCP: in kept[].tx */
    uint32_t linger_until;
    uint16_t place;                  /* in port.open */
};

struct listener {
    const struct nrpc_server *server;
    int fd;
};

static struct {
    int epoll, wake, spare;          /* spare: given up to refuse a peer when none is left */
    uint32_t now_ms, tick_ms;        /* the clock of this turn; when the timers are due */
    uint32_t pause_until;            /* listeners rest: accept failed for want of memory */
    uint16_t n_open, n_free, n_listeners, taken_port;
    uint8_t ready, paused;
    uint8_t busy;                    /* the last turn had something to do */
    uint8_t spin_rest, spin_miss;    /* turns that do not spin; how many the next miss makes them */
    uint16_t open[NRPC_POSIX_LINKS]; /* numbers of links in use, in no order */
    uint16_t free[NRPC_POSIX_LINKS];
    struct listener listeners[NRPC_POSIX_LISTENERS];
    struct nrpc_posix_stats stats;
    struct nrpc_posix_error error;
} port;

static struct link links[NRPC_POSIX_LINKS];
static struct {
    uint8_t rx[BUFFER], tx[BUFFER];
} kept[NRPC_POSIX_LINKS], shared; /* shared: what one turn of one link works in */

static int64_t clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static uint32_t clock_ms(void)
{
    return (uint32_t)(clock_ns() / 1000000);
}

/* a is before b on a clock that wraps. */
static int before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static int fail(const char *what, int number)
{
    snprintf(port.error.text, sizeof port.error.text, "%s: %s", what, strerror(number));
    return NRPC_E_LINK;
}

static void spare_refill(void)
{
    if (port.spare < 0)
        port.spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int port_init(void)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.u32 = KEY_WAKE}};

    if (port.ready)
        return 0;
    port.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (port.epoll < 0)
        return fail("epoll_create1", errno);
    port.wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (port.wake < 0 || epoll_ctl(port.epoll, EPOLL_CTL_ADD, port.wake, &event)) {
        int number = errno;

        if (port.wake >= 0)
            close(port.wake);
        close(port.epoll);
        return fail("eventfd", number);
    }
    port.spare = -1;
    spare_refill();
    for (uint16_t i = 0; i < NRPC_POSIX_LINKS; i++)
        port.free[i] = (uint16_t)(NRPC_POSIX_LINKS - 1 - i);
    port.n_free = NRPC_POSIX_LINKS;
    port.now_ms = clock_ms();
    port.tick_ms = port.now_ms + TICK_MS;
    port.ready = 1;
    return 0;
}

/* --- Links -------------------------------------------------------------------------------- */

static unsigned number_of(const struct link *link)
{
    return (unsigned)(link - links);
}

/* Tells epoll what the link waits for, if that changed. */
static void link_watch(struct link *link)
{
    struct epoll_event event = {.data = {.u32 = number_of(link)}};

    event.events = (link->rx_at == link->rx_end ? EPOLLIN : 0u) |
                   (link->tx_at != link->tx_end ? EPOLLOUT : 0u);
    if (event.events == link->events)
        return;
    link->events = event.events;
    epoll_ctl(port.epoll, EPOLL_CTL_MOD, link->fd, &event);
}

static void link_close(struct link *link)
{
    uint16_t last = port.open[--port.n_open];

    if (link->conn)
        nrpc_conn_lost(link->conn);
    close(link->fd);
    port.open[link->place] = last;
    links[last].place = link->place;
    port.free[port.n_free++] = (uint16_t)number_of(link);
    port.stats.open = port.n_open;
    memset(link, 0, sizeof *link);
}

/* The core is done with this connection and TCP has its last bytes. A close now could answer what the
 * peer still sends with RST, which would destroy our GOAWAY before it was read. */
static void link_linger(struct link *link)
{
    nrpc_conn_lost(link->conn);
    link->conn = NULL;
    shutdown(link->fd, SHUT_WR);
    link->rx_at = link->rx_end = 0;
    link->linger_until = port.now_ms + NRPC_POSIX_LINGER_MS;
    link_watch(link);
}

/* Gives TCP n bytes and keeps what it does not take. Returns 0, or -1: the connection is lost. */
static int link_send(struct link *link, const uint8_t *data, size_t n)
{
    uint8_t *keep = kept[number_of(link)].tx;
    ssize_t sent = send(link->fd, data, n, MSG_NOSIGNAL);

    if (sent < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR && errno != ENOBUFS)
            return -1;
        sent = 0;
    }
    port.stats.sent_bytes += (uint64_t)sent;
    if (data >= keep && data < keep + BUFFER) {
        link->tx_at += (uint32_t)sent;
        if (link->tx_at == link->tx_end)
            link->tx_at = link->tx_end = 0;
    } else if ((size_t)sent < n) {
        memcpy(keep, data + sent, n - (size_t)sent);
        link->tx_at = 0;
        link->tx_end = (uint32_t)(n - (size_t)sent);
    }
    return 0;
}

/* Lets the core work on n received bytes (0: only on its output) until it needs neither room nor
 * input; what it makes is sent whenever a packet's worth is there, so that the peer reads the first
 * answers while we make the others. *used: the bytes taken. Returns 0, or -1: the connection is lost. */
static int link_work(struct link *link, const uint8_t *data, size_t n, size_t *used)
{
    size_t took, made, filled = 0;

    *used = 0;
    do {
        size_t some = n - *used < PIECE ? n - *used : PIECE;

        took = some ? nrpc_conn_receive(link->conn, data + *used, some, port.now_ms) : 0;
        *used += took;
        made = 0;
        if (link->tx_at == link->tx_end) { /* else nothing can leave: input goes on while the core takes it */
            made = nrpc_conn_transmit(link->conn, shared.tx + filled, BUFFER - filled);
            filled += made;
        }
        if (filled >= PIECE || (filled && !took && !made)) {
            if (link_send(link, shared.tx, filled))
                return -1;
            filled = 0;
        }
    } while (took || made);
    return 0;
}

/* After any work: ends the link, or watches for what it needs now. */
static void link_settle(struct link *link)
{
    if (nrpc_conn_closing(link->conn) && link->tx_at == link->tx_end)
        link_linger(link);
    else
        link_watch(link);
}

/* Sends what is kept or was made outside of an event, then takes up what was left over. */
static void link_flush(struct link *link)
{
    size_t used;
    uint8_t *rx = kept[number_of(link)].rx;

    if (link->tx_at != link->tx_end &&
        link_send(link, kept[number_of(link)].tx + link->tx_at, link->tx_end - link->tx_at)) {
        link_close(link);
        return;
    }
    if (link_work(link, rx + link->rx_at, link->rx_end - link->rx_at, &used)) {
        link_close(link);
        return;
    }
    link->rx_at += (uint32_t)used;
    link_settle(link);
}

/* The peer has sent something, or has gone. */
static void link_receive(struct link *link)
{
    size_t used, n;
    ssize_t got = recv(link->fd, shared.rx, BUFFER, 0);

    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (got <= 0) {
        link_close(link);
        return;
    }
    n = (size_t)got;
    port.stats.received_bytes += n;
    if (!link->conn)
        return;
    if (link_work(link, shared.rx, n, &used)) {
        link_close(link);
        return;
    }
    link->rx_at = 0;
    link->rx_end = (uint32_t)(n - used);
    if (used < n)
        memcpy(kept[number_of(link)].rx, shared.rx + used, n - used);
    link_settle(link);
}

static void link_event(struct link *link, uint32_t events)
{
    /* A reset while we do not read: it can only be learnt here. */
    if ((events & (EPOLLERR | EPOLLHUP)) && !(link->events & EPOLLIN)) {
        link_close(link);
        return;
    }
    if ((events & EPOLLOUT) && link->conn)
        link_flush(link);
    if ((events & ~(uint32_t)EPOLLOUT) && (link->events & EPOLLIN))
        link_receive(link);
}

/* --- Listening ---------------------------------------------------------------------------- */

static void listeners_watch(uint32_t events)
{
    for (unsigned i = 0; i < port.n_listeners; i++) {
        struct epoll_event event = {.events = events, .data = {.u32 = KEY_LISTENER | i}};

        epoll_ctl(port.epoll, EPOLL_CTL_MOD, port.listeners[i].fd, &event);
    }
    port.paused = !events;
    port.pause_until = port.now_ms + PAUSE_MS;
    if (port.paused)
        port.tick_ms = port.pause_until;
}

static void refuse(int fd)
{
    struct linger reset = {.l_onoff = 1, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    port.stats.refused++;
}

/* Those that only linger give their place to a new peer. */
static void make_place(void)
{
    for (unsigned i = 0; i < port.n_open && !port.n_free; i++)
        if (!links[port.open[i]].conn)
            link_close(&links[port.open[i]]);
}

static void take(const struct nrpc_server *server, int fd)
{
    int on = 1;
    struct nrpc_conn *conn = NULL;
    struct link *link;
    struct epoll_event event = {.events = EPOLLIN};

    if (!port.n_free)
        make_place();
    if (port.n_free)
        conn = nrpc_server_accept(server, port.now_ms);
    if (!conn) {
        refuse(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    event.data.u32 = port.free[port.n_free - 1];
    if (epoll_ctl(port.epoll, EPOLL_CTL_ADD, fd, &event)) {
        nrpc_conn_lost(conn);
        refuse(fd);
        return;
    }
    link = &links[port.free[--port.n_free]];
    link->conn = conn;
    link->fd = fd;
    link->events = EPOLLIN;
    link->place = port.n_open;
    port.open[port.n_open++] = (uint16_t)event.data.u32;
    port.stats.open = port.n_open;
    port.stats.accepted++;
    link_flush(link); /* our SETTINGS need not wait for the peer's */
}

/* accept has failed. Returns 1 to try again, 0 when no peer waits or none can be had now. */
static int accept_failed(int number, int listener)
{
    int fd;

    switch (number) {
    case EAGAIN:
        return 0;
    case EMFILE:
    case ENFILE:
        /* The peer would wait, and epoll would report it for ever. */
        if (port.spare >= 0)
            close(port.spare);
        port.spare = -1;
        fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            refuse(fd);
        spare_refill();
        if (fd < 0 && errno != EAGAIN)
            listeners_watch(0);
        return fd >= 0;
    case EBADF:
    case ENOTSOCK:
    case EINVAL:
    case EOPNOTSUPP:
    case ENOBUFS:
    case ENOMEM:
        listeners_watch(0);
        return 0;
    default: /* that peer is gone, accept(2) passes on its network's errors: the next one may do */
        return 1;
    }
}

static void listener_event(const struct listener *listener)
{
    /* Bounded, so that a flood of peers leaves time for those that are here. */
    for (int i = 0; i < EVENTS; i++) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0)
            take(listener->server, fd);
        else if (!accept_failed(errno, listener->fd))
            return;
    }
}

static void listeners_drop(unsigned keep)
{
    while (port.n_listeners > keep)
        close(port.listeners[--port.n_listeners].fd);
}

int nrpc_posix_listen(const struct nrpc_server *server, const char *address, uint16_t number)
{
    unsigned first = port.n_listeners;
    int fds[NRPC_POSIX_LISTENERS], n;

    port.taken_port = 0;
    if (server->n_conns > NRPC_POSIX_LINKS) {
        snprintf(port.error.text, sizeof port.error.text, "%u connections, but NRPC_POSIX_LINKS is %d",
                 (unsigned)server->n_conns, NRPC_POSIX_LINKS);
        return NRPC_E_LIMIT;
    }
    if (port_init())
        return NRPC_E_LINK;
    n = nrpc_posix_sockets(address, &number, fds, NRPC_POSIX_LISTENERS - port.n_listeners, &port.error);
    for (int i = 0; i < n; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data = {.u32 = KEY_LISTENER | port.n_listeners}};

        port.listeners[port.n_listeners].server = server;
        port.listeners[port.n_listeners++].fd = fds[i];
        if (epoll_ctl(port.epoll, EPOLL_CTL_ADD, fds[i], &event)) {
            int number_of_error = errno;

            while (++i < n)
                close(fds[i]);
            listeners_drop(first);
            return fail("epoll_ctl", number_of_error);
        }
    }
    if (n < 0)
        return n;
    port.taken_port = number;
    return 0;
}

/* --- The loop ----------------------------------------------------------------------------- */

/* Handlers and the application may have given any connection something to send: ask each. With
 * nothing to do that is one call into the core, a few nanoseconds. */
static void flush_all(void)
{
    for (unsigned i = port.n_open; i-- > 0;) {
        struct link *link = &links[port.open[i]];

        if (link->conn && link->tx_at == link->tx_end)
            link_flush(link);
    }
}

/* Runs the timers that are due and sets the next time. */
static void tick_all(void)
{
    uint32_t next = TICK_MS;

    for (unsigned i = port.n_open; i-- > 0;) {
        struct link *link = &links[port.open[i]];
        uint32_t wait;

        if (!link->conn) {
            if (!before(port.now_ms, link->linger_until))
                link_close(link);
            continue;
        }
        wait = nrpc_conn_tick(link->conn, port.now_ms);
        if (wait < next)
            next = wait;
        if (link->tx_at == link->tx_end)
            link_flush(link);
        else if (nrpc_conn_closing(link->conn)) /* a timer ended it; the peer takes nothing any more */
            link_close(link);
    }
    if (port.paused && !before(port.now_ms, port.pause_until)) {
        spare_refill();
        listeners_watch(EPOLLIN);
    }
    if (port.paused && next > PAUSE_MS)
        next = PAUSE_MS;
    port.tick_ms = port.now_ms + next;
}

static int wait_for(int timeout_ms)
{
    uint32_t due = before(port.now_ms, port.tick_ms) ? port.tick_ms - port.now_ms : 0;

    return timeout_ms < 0 || (uint32_t)timeout_ms > due ? (int)due : timeout_ms;
}

/* Under load the next bytes are here sooner than a sleeping thread wakes up (30 us and more on a
 * core that has gone idle): look for them for a while. Where that was in vain, do so more rarely. */
static int spin(struct epoll_event *events)
{
    int64_t until;

    if (!NRPC_POSIX_SPIN_US || !port.busy)
        return 0;
    if (port.spin_rest) {
        port.spin_rest--;
        return 0;
    }
    until = clock_ns() + NRPC_POSIX_SPIN_US * INT64_C(1000);
    do {
        int n = epoll_wait(port.epoll, events, EVENTS, 0);

        if (n) {
            port.spin_miss = 0;
            return n;
        }
        sched_yield();
    } while (clock_ns() < until);
    port.spin_rest = port.spin_miss = (uint8_t)(port.spin_miss < 128 ? 2 * port.spin_miss + 1 : 255);
    return 0;
}

int nrpc_posix_poll(int timeout_ms)
{
    struct epoll_event events[EVENTS];
    uint64_t count;
    int n, served = 0;

    if (port_init())
        return NRPC_E_LINK;
    flush_all();
    n = timeout_ms ? spin(events) : 0;
    if (!n)
        n = epoll_wait(port.epoll, events, EVENTS, wait_for(timeout_ms));
    if (n < 0 && errno != EINTR)
        return fail("epoll_wait", errno);
    port.busy = n > 0;
    port.now_ms = clock_ms();
    for (int i = 0; i < n; i++) {
        if (events[i].data.u32 < NRPC_POSIX_LINKS) {
            link_event(&links[events[i].data.u32], events[i].events);
            served++;
        }
    }
    /* Listeners come last: a link that closed above must not be another peer's in this turn. */
    for (int i = 0; i < n; i++) {
        if (events[i].data.u32 & KEY_LISTENER)
            listener_event(&port.listeners[events[i].data.u32 & ~(uint32_t)KEY_LISTENER]);
        else if (events[i].data.u32 & KEY_WAKE && read(port.wake, &count, sizeof count) < 0)
            continue; /* somebody else's wake was read with the one before */
    }
    if (!before(port.now_ms, port.tick_ms))
        tick_all();
    return served;
}

void nrpc_posix_wake(void)
{
    uint64_t one = 1;
    int number = errno;
    ssize_t written = port.ready ? write(port.wake, &one, sizeof one) : 0;

    (void)written; /* fails only when a wake is already pending */
    errno = number;
}

void nrpc_posix_shutdown(void)
{
    listeners_drop(0);
    for (unsigned i = 0; i < port.n_open; i++)
        if (links[port.open[i]].conn)
            nrpc_conn_shutdown(links[port.open[i]].conn);
}

void nrpc_posix_close(void)
{
    if (!port.ready)
        return;
    listeners_drop(0);
    while (port.n_open)
        link_close(&links[port.open[port.n_open - 1]]);
    if (port.spare >= 0)
        close(port.spare);
    close(port.wake);
    close(port.epoll);
    port.ready = 0;
}

uint16_t nrpc_posix_port(void)
{
    return port.taken_port;
}

const char *nrpc_posix_error(void)
{
    return port.error.text;
}

const struct nrpc_posix_stats *nrpc_posix_stats(void)
{
    return &port.stats;
}
