/* ports/posix/nrpc_posix_links.c - TCP connections: one recv and one send each and turn.
 * Layer: port. Source: epoll(7), tcp(7), RFC 9113 9.1.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "ports/posix/nrpc_posix_port.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* LITTLE: what TCP takes when it says that it has room; it is asked for no more where there is no
 * buffer for what it does not take. */
enum { PIECE = 1024, BUFFER = NRPC_POSIX_BUFFER_BYTES, TURN = 65536 };
enum { LITTLE = NRPC_LINK_MIN > PIECE ? NRPC_LINK_MIN : PIECE };
enum { KEEPALIVE_PROBE_S = 10, KEEPALIVE_PROBES = 3 };

NRPC_STATIC_ASSERT(NRPC_MANY_CONNECTIONS, "ports/posix needs NRPC_MANY_CONNECTIONS=1");
NRPC_STATIC_ASSERT(BUFFER >= 2048 && BUFFER <= 1048576, "NRPC_POSIX_BUFFER_BYTES: 2048..1048576");
NRPC_STATIC_ASSERT(BUFFER >= PIECE + NRPC_LINK_MIN,
                   "NRPC_POSIX_BUFFER_BYTES: PIECE + NRPC_LINK_MIN or more");

struct nrpc_posix_link nrpc_posix_links[NRPC_POSIX_LINKS];
static struct {
    uint8_t rx[BUFFER], tx[BUFFER];
} shared; /* what one turn of one link works in */

static uint32_t number_of(const struct nrpc_posix_link *link)
{
    return (uint32_t)(link - nrpc_posix_links);
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
        number_of(link);
}

/* Not weak: the core's own, which does nothing, is. */
void nrpc_conn_stirred(struct nrpc_conn *conn)
{
    struct nrpc_posix_link *link;

    if (conn == nrpc_posix.working)
        return; /* it is asked as it is */
    link = nrpc_posix_link_of(conn);
    if (!link)
        return;
    nrpc_posix_link_list(link);
    if (nrpc_posix.flushing)
        nrpc_posix.unfinished = 1;
}

/* Tells epoll what the link waits for, if that changed. */
static void link_watch(struct nrpc_posix_link *link)
{
    struct epoll_event event = {.data = {.u32 = number_of(link)}};

    event.events = (link->rx || link->is_held ? 0u : (uint32_t)EPOLLIN) |
                   (link->tx || link->is_full ? (uint32_t)EPOLLOUT : 0u);
    if (event.events == link->events)
        return;
    link->events = (uint8_t)event.events;
    epoll_ctl(nrpc_posix.epoll, EPOLL_CTL_MOD, link->fd, &event);
}

/* The connection is over. */
static void link_lost(struct nrpc_posix_link *link)
{
    nrpc_posix_peer_goes(link->conn);
    nrpc_link_lost(link->conn);
    link->conn = NULL;
    nrpc_posix.freed = 1;
}

static void drop_all(struct nrpc_posix_link *link)
{
    nrpc_posix_buffer_drop(&link->rx, nrpc_posix_buffer_has(link->rx));
    nrpc_posix_buffer_drop(&link->tx, nrpc_posix_buffer_has(link->tx));
    link->is_held = link->is_full = link->is_idle = 0;
}

void nrpc_posix_link_close(struct nrpc_posix_link *link)
{
    uint8_t listed = link->listed; /* its number may still stand there */

    if (link->conn)
        link_lost(link);
    drop_all(link);
    close(link->fd);
    nrpc_posix_timer_free(link);
    nrpc_posix.stats.open--;
    nrpc_posix.freed = 1; /* a link at least */
    memset(link, 0, sizeof *link);
    link->listed = listed;
}

/* The core is done with this connection and TCP has its last bytes. A close now could answer what
 * the peer still sends with RST, which would destroy our GOAWAY before it was read. */
static void link_linger(struct nrpc_posix_link *link)
{
    link_lost(link);
    shutdown(link->fd, SHUT_WR);
    drop_all(link);
    nrpc_posix_timer_linger(link);
    link_watch(link);
}

/* Returns how many of the n bytes TCP takes, or -1: the connection is lost. */
static ssize_t tcp_send(struct nrpc_posix_link *link, const uint8_t *data, size_t n)
{
    ssize_t sent = send(link->fd, data, n, MSG_NOSIGNAL);

    if (sent < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR && errno != ENOBUFS)
            return -1;
        sent = 0;
    }
    nrpc_posix.stats.sent_bytes += (uint64_t)sent;
    return sent;
}

/* Gives TCP n bytes and keeps what it does not take. Returns 0, or -1: the connection is lost. */
static int link_send(struct nrpc_posix_link *link, const uint8_t *data, size_t n)
{
    ssize_t sent = tcp_send(link, data, n);

    if (sent < 0)
        return -1;
    if ((size_t)sent < n) {
        link->tx = nrpc_posix_buffer_keep(data + sent, n - (size_t)sent);
        if (!link->tx)
            return -1;
    }
    return 0;
}

/* 1: TCP takes LITTLE bytes. Else epoll is to say when. */
static int has_room(struct nrpc_posix_link *link)
{
    struct pollfd asked = {.fd = link->fd, .events = POLLOUT};

    link->is_full = poll(&asked, 1, 0) <= 0;
    return !link->is_full;
}

/* How many of the n bytes are given to the core at once: PIECE or a little more, so that no frame
 * is cut. One that comes in two pieces costs it more: a header block is then decoded anew, a
 * message copied. */
static size_t piece_of(const struct nrpc_conn *conn, const uint8_t *data, size_t n)
{
    size_t at = 0;

    if (n <= PIECE || !nrpc_link_at_frame(conn))
        return n < PIECE ? n : PIECE;
    while (at < PIECE && n - at >= NRPC_FRAME_HEADER_BYTES) {
        struct nrpc_frame frame;

        nrpc_frame_read(&frame, data + at);
        at += NRPC_FRAME_HEADER_BYTES + frame.length;
        if (at > n)
            return n;
    }
    return at;
}

/* Lets the core work on n received bytes (0: only on its output) until it needs neither room nor
 * input, or TURN bytes have left: a peer that reads as fast as we make keeps no other waiting, nor
 * what it says itself. What the core makes is sent whenever a packet's worth is there, so that the
 * peer reads the first answers while we make the others. *used: the bytes taken. Returns 0, or -1:
 * the connection is lost. */
static int link_work(struct nrpc_posix_link *link, const uint8_t *data, size_t n, size_t *used)
{
    const int suffice = nrpc_posix_buffers_suffice();
    size_t took, made, filled = 0, sent = 0;
    int lost = 0;

    *used = 0;
    nrpc_posix.working = link->conn;
    do {
        size_t some = piece_of(link->conn, data + *used, n - *used);

        took = some ? nrpc_link_receive(link->conn, data + *used, some, nrpc_posix.now_ms) : 0;
        *used += took;
        made = 0;
        /* Else nothing leaves: input goes on while the core takes it. */
        if (!link->tx && !link->is_full && sent < TURN && (suffice || has_room(link))) {
            made = nrpc_link_transmit(link->conn, shared.tx + filled,
                                      suffice ? BUFFER - filled : LITTLE);
            filled += made;
        }
        if (filled >= PIECE || (filled && (!suffice || (!took && !made)))) {
            lost = link_send(link, shared.tx, filled);
            sent += filled;
            filled = 0;
        }
    } while (!lost && (took || made));
    nrpc_posix.working = NULL;
    if (sent >= TURN) {
        nrpc_posix_link_list(link);
        nrpc_posix.unfinished = 1;
    }
    return lost;
}

/* Before it is given anything. */
static void link_wake(struct nrpc_posix_link *link)
{
    if (!link->is_idle)
        return;
    link->is_idle = 0;
    nrpc_link_tick(link->conn, nrpc_posix.now_ms);
    nrpc_posix_timer_set(link, nrpc_posix.now_ms + NRPC_POSIX_TICK_MS);
}

static uint32_t link_tick(struct nrpc_posix_link *link)
{
    uint32_t ms = nrpc_link_tick(link->conn, nrpc_posix.now_ms);

    nrpc_posix_timer_set(link, nrpc_posix.now_ms + ms);
    return ms;
}

void nrpc_posix_link_tick(struct nrpc_posix_link *link)
{
    uint32_t ms = link_tick(link), idle_ms = nrpc_conn_idle_ms(link->conn);

    link->is_idle = idle_ms > ms && !link->rx && !link->tx && !link->is_held && !link->is_full;
    if (link->is_idle)
        nrpc_posix_timer_set(link, nrpc_posix.now_ms + idle_ms);
}

/* After any work: ends the link, or watches for what it needs now. */
static void link_settle(struct nrpc_posix_link *link)
{
    /* What is left over may have to wait for a turn that TLS gives at its time. */
    if (nrpc_conn_timer_set(link->conn) || link->rx || link->is_held)
        link_tick(link);
    if (nrpc_link_closing(link->conn) && !link->tx)
        link_linger(link);
    else
        link_watch(link);
}

/* Bytes that have been worked on while they were TCP's leave it. Returns 0, or -1. */
static int link_discard(struct nrpc_posix_link *link, size_t n)
{
    while (n) {
        ssize_t got = recv(link->fd, shared.rx, n, 0);

        if (got <= 0)
            return -1;
        n -= (size_t)got;
    }
    return 0;
}

/* The peer has sent something, or has gone. Where no buffer may be free for what the core does not
 * take, that stays with TCP. */
static void link_receive(struct nrpc_posix_link *link)
{
    const int keep = nrpc_posix_buffers_suffice();
    size_t used = 0, n;
    ssize_t got = recv(link->fd, shared.rx, BUFFER, keep ? 0 : MSG_PEEK);

    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        if (link->conn)
            link_settle(link);
        return;
    }
    n = got > 0 ? (size_t)got : 0;
    if (!n || (link->conn && link_work(link, shared.rx, n, &used)) ||
        (!keep && link_discard(link, link->conn ? used : n))) {
        nrpc_posix_link_close(link);
        return;
    }
    nrpc_posix.stats.received_bytes += keep ? n : used;
    if (!link->conn)
        return;
    link->is_held = !keep && used < n;
    if (keep && used < n)
        link->rx = nrpc_posix_buffer_keep(shared.rx + used, n - used);
    link_settle(link);
}

void nrpc_posix_link_flush(struct nrpc_posix_link *link)
{
    size_t used, n = nrpc_posix_buffer_has(link->rx);

    if (link->tx) {
        ssize_t sent = tcp_send(link, link->tx->bytes + link->tx->at,
                                nrpc_posix_buffer_has(link->tx));

        if (sent < 0) {
            nrpc_posix_link_close(link);
            return;
        }
        nrpc_posix_buffer_drop(&link->tx, (size_t)sent);
    }
    if (link_work(link, n ? link->rx->bytes + link->rx->at : NULL, n, &used)) {
        nrpc_posix_link_close(link);
        return;
    }
    nrpc_posix_buffer_drop(&link->rx, used);
    if (link->is_held) {
        link->is_held = 0;
        link_receive(link);
        return;
    }
    link_settle(link);
}

void nrpc_posix_link_event(struct nrpc_posix_link *link, uint32_t events)
{
    /* A reset while we do not read: it can only be learnt here. */
    if ((events & (EPOLLERR | EPOLLHUP)) && !(link->events & EPOLLIN)) {
        nrpc_posix_link_close(link);
        return;
    }
    if ((events & EPOLLOUT) && link->conn) {
        link->is_full = 0;
        nrpc_posix_link_flush(link);
    }
    if ((events & ~(uint32_t)EPOLLOUT) && (link->events & EPOLLIN)) {
        link_wake(link);
        link_receive(link);
    }
}

void nrpc_posix_link_shutdown(struct nrpc_posix_link *link)
{
    link_wake(link);
    nrpc_conn_shutdown(link->conn);
    nrpc_posix_link_list(link);
}

void nrpc_posix_link_yield(struct nrpc_conn *conn)
{
    struct nrpc_posix_link *link = nrpc_posix_link_of(conn);

    if (!link)
        return;
    nrpc_conn_yield(conn, nrpc_posix.now_ms);
    if (!link->tx)
        nrpc_posix_link_flush(link);
    if (link->conn == conn)
        nrpc_posix_link_close(link);
}

int nrpc_posix_link_free(void)
{
    if (nrpc_posix.stats.open == NRPC_POSIX_LINKS && nrpc_posix_timer_lingers())
        nrpc_posix_link_close(nrpc_posix_timer_lingers());
    return nrpc_posix.stats.open < NRPC_POSIX_LINKS;
}

/* A failure costs only what the option would have gained. */
static void set_option(int fd, int level, int option, int value)
{
    setsockopt(fd, level, option, &value, sizeof value);
}

int nrpc_posix_link_open(struct nrpc_conn *conn, int fd)
{
    struct nrpc_posix_link *link = nrpc_posix_timer_new();
    struct epoll_event event = {.events = EPOLLIN, .data = {.u32 = number_of(link)}};

    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, NRPC_POSIX_KEEPALIVE_MS / 1000);
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_PROBE_S);
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, NRPC_POSIX_USER_TIMEOUT_MS);
    if (epoll_ctl(nrpc_posix.epoll, EPOLL_CTL_ADD, fd, &event)) {
        nrpc_posix_timer_free(link);
        return -1;
    }
    conn->link = 1u + number_of(link);
    link->conn = conn;
    link->fd = fd;
    link->events = EPOLLIN;
    nrpc_posix_peer_comes(conn);
    nrpc_posix.stats.open++;
    nrpc_posix_timer_set(link, nrpc_posix.now_ms + NRPC_POSIX_TICK_MS);
    nrpc_posix_link_flush(link); /* our SETTINGS need not wait for the peer's */
    return 0;
}
