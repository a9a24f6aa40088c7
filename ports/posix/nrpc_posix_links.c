/* ports/posix/nrpc_posix_links.c - TCP connections: one recv and one send each and turn.
 * Layer: port. Source: epoll(7), tcp(7), RFC 9113 9.1.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "ports/posix/nrpc_posix_port.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 1024, BUFFER = NRPC_POSIX_BUFFER_BYTES, TURN = 65536 };
NRPC_STATIC_ASSERT(NRPC_MANY_CONNECTIONS, "ports/posix needs NRPC_MANY_CONNECTIONS=1");

enum { KEEPALIVE_PROBE_S = 10, KEEPALIVE_PROBES = 3 };

NRPC_STATIC_ASSERT(BUFFER >= 2048 && BUFFER <= 1048576, "NRPC_POSIX_BUFFER_BYTES: 2048..1048576");
NRPC_STATIC_ASSERT(BUFFER >= PIECE + NRPC_LINK_MIN,
                   "NRPC_POSIX_BUFFER_BYTES: PIECE + NRPC_LINK_MIN or more");

struct nrpc_posix_link nrpc_posix_links[NRPC_POSIX_LINKS];
static struct {
    uint8_t rx[BUFFER], tx[BUFFER];
} kept[NRPC_POSIX_LINKS], shared; /* shared: what one turn of one link works in */

static unsigned number_of(const struct nrpc_posix_link *link)
{
    return (unsigned)(link - nrpc_posix_links);
}

struct nrpc_posix_link *nrpc_posix_link_of(const struct nrpc_conn *conn)
{
    /* A connection keeps the number when its link has gone. */
    struct nrpc_posix_link *link = &nrpc_posix_links[conn->link ? conn->link - 1 : 0];

    return link->conn == conn ? link : NULL;
}

void nrpc_posix_link_list(struct nrpc_posix_link *link)
{
    if (link->listed)
        return;
    link->listed = 1;
    nrpc_posix.listed.links[(nrpc_posix.listed.at + nrpc_posix.listed.n++) % NRPC_POSIX_LINKS] =
        (uint16_t)number_of(link);
}

/* Not weak: the core's own, which does nothing, is. */
void nrpc_conn_stirred(struct nrpc_conn *conn)
{
    struct nrpc_posix_link *link = nrpc_posix_link_of(conn);

    if (!link || link == nrpc_posix.working)
        return;
    nrpc_posix_link_list(link);
    if (nrpc_posix.flushing)
        nrpc_posix.unfinished = 1;
}

/* Tells epoll what the link waits for, if that changed. */
static void link_watch(struct nrpc_posix_link *link)
{
    struct epoll_event event = {.data = {.u32 = number_of(link)}};

    event.events = (link->rx_at == link->rx_end ? EPOLLIN : 0u) |
                   (link->tx_at != link->tx_end ? EPOLLOUT : 0u);
    if (event.events == link->events)
        return;
    link->events = event.events;
    epoll_ctl(nrpc_posix.epoll, EPOLL_CTL_MOD, link->fd, &event);
}

void nrpc_posix_link_close(struct nrpc_posix_link *link)
{
    uint16_t last = nrpc_posix.open[--nrpc_posix.n_open];
    uint8_t listed = link->listed; /* its number may still stand there */

    if (link->conn)
        nrpc_link_lost(link->conn);
    close(link->fd);
    nrpc_posix.open[link->place] = last;
    nrpc_posix_links[last].place = link->place;
    nrpc_posix.free[nrpc_posix.n_free++] = (uint16_t)number_of(link);
    nrpc_posix.stats.open = nrpc_posix.n_open;
    memset(link, 0, sizeof *link);
    link->listed = listed;
}

/* The core is done with this connection and TCP has its last bytes. A close now could answer what
 * the peer still sends with RST, which would destroy our GOAWAY before it was read. */
static void link_linger(struct nrpc_posix_link *link)
{
    nrpc_link_lost(link->conn);
    link->conn = NULL;
    shutdown(link->fd, SHUT_WR);
    link->rx_at = link->rx_end = 0;
    link->linger_until = nrpc_posix.now_ms + NRPC_POSIX_LINGER_MS;
    link_watch(link);
}

/* Gives TCP n bytes and keeps what it does not take. Returns 0, or -1: the connection is lost. */
static int link_send(struct nrpc_posix_link *link, const uint8_t *data, size_t n)
{
    uint8_t *keep = kept[number_of(link)].tx;
    ssize_t sent = send(link->fd, data, n, MSG_NOSIGNAL);

    if (sent < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR && errno != ENOBUFS)
            return -1;
        sent = 0;
    }
    nrpc_posix.stats.sent_bytes += (uint64_t)sent;
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
 * input, or TURN bytes have left: a peer that reads as fast as we make keeps no other waiting, nor
 * what it says itself. What the core makes is sent whenever a packet's worth is there, so that the
 * peer reads the first answers while we make the others. *used: the bytes taken. Returns 0, or -1:
 * the connection is lost. */
static int link_work(struct nrpc_posix_link *link, const uint8_t *data, size_t n, size_t *used)
{
    size_t took, made, filled = 0, sent = 0;

    *used = 0;
    nrpc_posix.working = link;
    do {
        size_t some = n - *used < PIECE ? n - *used : PIECE;

        took = some ? nrpc_link_receive(link->conn, data + *used, some, nrpc_posix.now_ms) : 0;
        *used += took;
        made = 0;
        /* Else nothing leaves: input goes on while the core takes it. */
        if (link->tx_at == link->tx_end && sent < TURN) {
            made = nrpc_link_transmit(link->conn, shared.tx + filled, BUFFER - filled);
            filled += made;
        }
        if (filled >= PIECE || (filled && !took && !made)) {
            if (link_send(link, shared.tx, filled)) {
                nrpc_posix.working = NULL;
                return -1;
            }
            sent += filled;
            filled = 0;
        }
    } while (took || made);
    nrpc_posix.working = NULL;
    if (sent >= TURN) {
        nrpc_posix_link_list(link);
        nrpc_posix.unfinished = 1;
    }
    return 0;
}

void nrpc_posix_link_tick(struct nrpc_posix_link *link)
{
    uint32_t due = nrpc_posix.now_ms + nrpc_link_tick(link->conn, nrpc_posix.now_ms);

    if (nrpc_posix_before(due, nrpc_posix.tick_ms))
        nrpc_posix.tick_ms = due;
}

/* After any work: ends the link, or watches for what it needs now. */
static void link_settle(struct nrpc_posix_link *link)
{
    if (link->rx_at != link->rx_end) /* a handler may make place for it at any time */
        nrpc_posix_link_list(link);
    if (nrpc_conn_timer_set(link->conn))
        nrpc_posix_link_tick(link);
    if (nrpc_link_closing(link->conn) && link->tx_at == link->tx_end)
        link_linger(link);
    else
        link_watch(link);
}

/* Sends what is kept or was made outside of an event, then takes up what was left over. */
void nrpc_posix_link_flush(struct nrpc_posix_link *link)
{
    size_t used;
    uint8_t *rx = kept[number_of(link)].rx;

    if (link->tx_at != link->tx_end &&
        link_send(link, kept[number_of(link)].tx + link->tx_at, link->tx_end - link->tx_at)) {
        nrpc_posix_link_close(link);
        return;
    }
    if (link_work(link, rx + link->rx_at, link->rx_end - link->rx_at, &used)) {
        nrpc_posix_link_close(link);
        return;
    }
    link->rx_at += (uint32_t)used;
    link_settle(link);
}

/* The peer has sent something, or has gone. */
static void link_receive(struct nrpc_posix_link *link)
{
    size_t used, n;
    ssize_t got = recv(link->fd, shared.rx, BUFFER, 0);

    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (got <= 0) {
        nrpc_posix_link_close(link);
        return;
    }
    n = (size_t)got;
    nrpc_posix.stats.received_bytes += n;
    if (!link->conn)
        return;
    if (link_work(link, shared.rx, n, &used)) {
        nrpc_posix_link_close(link);
        return;
    }
    link->rx_at = 0;
    link->rx_end = (uint32_t)(n - used);
    if (used < n)
        memcpy(kept[number_of(link)].rx, shared.rx + used, n - used);
    link_settle(link);
}

void nrpc_posix_link_event(struct nrpc_posix_link *link, uint32_t events)
{
    /* A reset while we do not read: it can only be learnt here. */
    if ((events & (EPOLLERR | EPOLLHUP)) && !(link->events & EPOLLIN)) {
        nrpc_posix_link_close(link);
        return;
    }
    if ((events & EPOLLOUT) && link->conn)
        nrpc_posix_link_flush(link);
    if ((events & ~(uint32_t)EPOLLOUT) && (link->events & EPOLLIN))
        link_receive(link);
}

void nrpc_posix_link_yield(struct nrpc_conn *conn)
{
    struct nrpc_posix_link *link = nrpc_posix_link_of(conn);

    if (!link)
        return;
    nrpc_conn_yield(conn, nrpc_posix.now_ms);
    if (link->tx_at == link->tx_end)
        nrpc_posix_link_flush(link);
    if (link->conn == conn)
        nrpc_posix_link_close(link);
}

int nrpc_posix_link_free(void)
{
    for (unsigned i = 0; i < nrpc_posix.n_open && !nrpc_posix.n_free; i++)
        if (!nrpc_posix_links[nrpc_posix.open[i]].conn)
            nrpc_posix_link_close(&nrpc_posix_links[nrpc_posix.open[i]]);
    return nrpc_posix.n_free != 0;
}

/* A failure costs only what the option would have gained. */
static void set_option(int fd, int level, int option, int value)
{
    setsockopt(fd, level, option, &value, sizeof value);
}

int nrpc_posix_link_open(struct nrpc_conn *conn, int fd)
{
    uint16_t number = nrpc_posix.free[nrpc_posix.n_free - 1];
    struct nrpc_posix_link *link = &nrpc_posix_links[number];
    struct epoll_event event = {.events = EPOLLIN, .data = {.u32 = number}};

    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, NRPC_POSIX_KEEPALIVE_MS / 1000);
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_PROBE_S);
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, NRPC_POSIX_USER_TIMEOUT_MS);
    if (epoll_ctl(nrpc_posix.epoll, EPOLL_CTL_ADD, fd, &event))
        return -1;
    nrpc_posix.n_free--;
    conn->link = 1u + number;
    link->conn = conn;
    link->fd = fd;
    link->events = EPOLLIN;
    link->place = nrpc_posix.n_open;
    nrpc_posix.open[nrpc_posix.n_open++] = number;
    nrpc_posix.stats.open = nrpc_posix.n_open;
    nrpc_posix_link_flush(link); /* our SETTINGS need not wait for the peer's */
    return 0;
}
