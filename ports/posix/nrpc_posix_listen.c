/* ports/posix/nrpc_posix_listen.c - peers that come: accepted, or refused when there is no place.
 * Layer: port. Source: accept(2), epoll(7).
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "ports/posix/nrpc_posix_port.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ACCEPTS = 64, PAUSE_MS = 100, WAIT_MS = 50, LOOKS = 1024 };

NRPC_STATIC_ASSERT(NRPC_POSIX_WAITING >= 1 && NRPC_POSIX_WAITING <= 64,
                   "NRPC_POSIX_WAITING: 1..64");

static struct {
    unsigned n;
    uint32_t next_ms;   /* when to look again, unless a link is closed before */
    unsigned looked_at; /* up to there */
    struct nrpc_newcomer peers[NRPC_POSIX_WAITING + 1]; /* as they came; one more for a moment */
} waiting;
static char warning[240];

static void listeners_watch(uint32_t events)
{
    for (unsigned i = 0; i < nrpc_posix.n_listeners; i++) {
        struct epoll_event event = {.events = events, .data = {.u32 = NRPC_POSIX_KEY_LISTENER | i}};

        epoll_ctl(nrpc_posix.epoll, EPOLL_CTL_MOD, nrpc_posix.listeners[i].fd, &event);
    }
    nrpc_posix.paused = !events;
    nrpc_posix.pause_until = nrpc_posix.now_ms + PAUSE_MS;
    if (nrpc_posix.paused)
        nrpc_posix.tick_ms = nrpc_posix.pause_until;
}

void nrpc_posix_refuse(int fd)
{
    struct linger reset = {.l_onoff = 1, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    nrpc_posix.stats.refused++;
}

/* Returns 1 when the peer was given a link, or was refused since epoll does not take it. */
static int admit(const struct nrpc_newcomer *peer)
{
    struct nrpc_conn *conn = NULL;

    if (nrpc_posix_link_free())
        conn = nrpc_admission_accept(peer->server, peer->peer, nrpc_posix.now_ms);
    if (!conn)
        return 0;
    if (!nrpc_posix_link_open(conn, peer->fd)) {
        nrpc_posix.stats.accepted++;
    } else {
        nrpc_link_lost(conn);
        nrpc_posix_refuse(peer->fd);
    }
    return 1;
}

/* Somebody else gives way to it: one of LOOKS connections, others each time, for a flood of peers
 * to be cheap. Returns 1, or 0: nobody does now. */
static int make_way(const struct nrpc_newcomer *peer)
{
    const struct nrpc_server *server = peer->server;
    unsigned first = server->n_conns > LOOKS ? waiting.looked_at % server->n_conns : 0;
    unsigned rest = server->n_conns - first, n = rest < LOOKS ? rest : LOOKS;
    struct nrpc_conn *leaves = nrpc_admission_choose_of(server, &server->conns[first], n,
                                                        peer->peer, nrpc_posix.now_ms);

    waiting.looked_at = first + n;
    if (leaves)
        nrpc_posix_link_yield(leaves);
    return leaves != NULL;
}

/* The i-th of those that wait gets a connection, if it can be. Returns 1, or 0. */
static int place(unsigned i)
{
    const struct nrpc_newcomer *peer = &waiting.peers[i];
    int is_first = waiting.n == 1 ||
                   nrpc_admission_first(waiting.peers, waiting.n, peer->server) == i;

    if (!(is_first && admit(peer)) && !(make_way(peer) && admit(peer)))
        return 0;
    nrpc_admission_forget(waiting.peers, &waiting.n, i);
    return 1;
}

uint32_t nrpc_posix_waiting_run(void)
{
    if (!waiting.n)
        return NRPC_POSIX_TICK_MS;
    if (!nrpc_posix.freed && nrpc_posix_before(nrpc_posix.now_ms, waiting.next_ms))
        return waiting.next_ms - nrpc_posix.now_ms;
    nrpc_posix.freed = 0;
    waiting.next_ms = nrpc_posix.now_ms + WAIT_MS;
    for (unsigned i = 0; i < waiting.n;) {
        const struct nrpc_newcomer *peer = &waiting.peers[i];

        if (place(i)) {
            i = 0;
        } else if (nrpc_posix.now_ms - peer->since_ms >= NRPC_POSIX_ACCEPT_MS) {
            nrpc_posix_refuse(peer->fd);
            nrpc_admission_forget(waiting.peers, &waiting.n, i);
        } else {
            i++;
        }
    }
    return waiting.n ? WAIT_MS : NRPC_POSIX_TICK_MS;
}

static void take(const struct nrpc_newcomer *peer)
{
    waiting.peers[waiting.n++] = *peer;
    if (!place(waiting.n - 1) && waiting.n > NRPC_POSIX_WAITING) {
        unsigned last = nrpc_admission_last(waiting.peers, waiting.n);

        nrpc_posix_refuse(waiting.peers[last].fd);
        nrpc_admission_forget(waiting.peers, &waiting.n, last);
    }
}

/* For nrpc_admission.h. */
static uint32_t peer_of(const struct sockaddr_storage *from)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;

    if (from->ss_family == AF_INET)
        return nrpc_admission_peer((const uint8_t *)&v4->sin_addr, 4);
    return from->ss_family == AF_INET6 ? nrpc_admission_peer(v6->sin6_addr.s6_addr, 8) : 0;
}

/* accept has failed. Returns 1 to try again, 0 when no peer waits or none can be had now. */
static int accept_failed(int number, int listener)
{
    int fd;

    switch (number) {
    case EAGAIN: return 0;
    case EMFILE:
    case ENFILE:
        /* The peer would wait, and epoll would report it for ever. */
        if (nrpc_posix.spare >= 0)
            close(nrpc_posix.spare);
        nrpc_posix.spare = -1;
        fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            nrpc_posix_refuse(fd);
        nrpc_posix_spare_refill();
        if (fd < 0 && errno != EAGAIN)
            listeners_watch(0);
        return fd >= 0;
    case EBADF:
    case ENOTSOCK:
    case EINVAL:
    case EOPNOTSUPP:
    case ENOBUFS:
    case ENOMEM: listeners_watch(0); return 0;
    default: /* that peer is gone, accept(2) passes on its network's errors: the next one may do */
        return 1;
    }
}

void nrpc_posix_listener_event(const struct nrpc_posix_listener *listener)
{
    /* Bounded, so that a flood of peers leaves time for those that are here. */
    for (int i = 0; i < ACCEPTS; i++) {
        struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
        socklen_t bytes = sizeof from;
        struct nrpc_newcomer peer = {.server = listener->server, .since_ms = nrpc_posix.now_ms};

        peer.fd = accept4(listener->fd, (struct sockaddr *)&from, &bytes,
                          SOCK_NONBLOCK | SOCK_CLOEXEC);
        peer.peer = peer_of(&from);
        if (peer.fd >= 0)
            take(&peer);
        else if (!accept_failed(errno, listener->fd))
            return;
    }
}

void nrpc_posix_listeners_resume(void)
{
    if (!nrpc_posix.paused || nrpc_posix_before(nrpc_posix.now_ms, nrpc_posix.pause_until))
        return;
    nrpc_posix_spare_refill();
    listeners_watch(EPOLLIN);
}

void nrpc_posix_listeners_drop(unsigned keep)
{
    while (nrpc_posix.n_listeners > keep)
        close(nrpc_posix.listeners[--nrpc_posix.n_listeners].fd);
    while (!keep && waiting.n)
        nrpc_posix_refuse(waiting.peers[--waiting.n].fd);
}

/* Of all servers that are listened for. */
static unsigned connections(void)
{
    unsigned n = 0;

    for (unsigned i = 0; i < nrpc_posix.n_listeners; i++) {
        unsigned k = 0;

        while (nrpc_posix.listeners[k].server != nrpc_posix.listeners[i].server)
            k++;
        n += k == i ? nrpc_posix.listeners[i].server->n_conns : 0;
    }
    return n < NRPC_POSIX_LINKS ? n : NRPC_POSIX_LINKS;
}

/* A file a connection, and some for all else. */
static void allow_files(void)
{
    enum { OTHERS = 32 + NRPC_POSIX_LISTENERS + NRPC_POSIX_WAITING };
    struct rlimit limit;
    unsigned n = connections();
    rlim_t wanted = (rlim_t)n + OTHERS;

    warning[0] = 0;
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (!setrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_max >= wanted)
        return;
    getrlimit(RLIMIT_NOFILE, &limit);
    snprintf(warning, sizeof warning,
             "%u connections need %llu open files, this process may have %llu: later clients will "
             "be refused; raise its hard limit (ulimit -Hn, LimitNOFILE=), or have fewer",
             n, (unsigned long long)wanted, (unsigned long long)limit.rlim_cur);
}

const char *nrpc_posix_warning(void)
{
    return warning;
}

int nrpc_posix_listen(const struct nrpc_server *server, const char *address, uint16_t number)
{
    unsigned first = nrpc_posix.n_listeners;
    int fds[NRPC_POSIX_LISTENERS], n;

    nrpc_posix.taken_port = 0;
    if (server->n_conns > NRPC_POSIX_LINKS) {
        snprintf(nrpc_posix.error.text, sizeof nrpc_posix.error.text,
                 "%u connections, but NRPC_POSIX_LINKS is %d", (unsigned)server->n_conns,
                 NRPC_POSIX_LINKS);
        return NRPC_E_LIMIT;
    }
    if (nrpc_posix_init())
        return NRPC_E_LINK;
    n = nrpc_posix_sockets(address, &number, fds, NRPC_POSIX_LISTENERS - nrpc_posix.n_listeners,
                           &nrpc_posix.error);
    for (int i = 0; i < n; i++) {
        struct epoll_event event = {
            .events = EPOLLIN, .data = {.u32 = NRPC_POSIX_KEY_LISTENER | nrpc_posix.n_listeners}};

        nrpc_posix.listeners[nrpc_posix.n_listeners].server = server;
        nrpc_posix.listeners[nrpc_posix.n_listeners++].fd = fds[i];
        if (epoll_ctl(nrpc_posix.epoll, EPOLL_CTL_ADD, fds[i], &event)) {
            int number_of_error = errno;

            while (++i < n)
                close(fds[i]);
            nrpc_posix_listeners_drop(first);
            return nrpc_posix_fail("epoll_ctl", number_of_error);
        }
    }
    if (n < 0)
        return n;
    nrpc_posix.taken_port = number;
    allow_files();
    return 0;
}
