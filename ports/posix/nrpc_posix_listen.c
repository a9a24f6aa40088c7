/* ports/posix/nrpc_posix_listen.c - peers that come: accepted, or refused when there is no place.
 * Layer: port. Source: accept(2), epoll(7).
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "ports/posix/nrpc_posix_port.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ACCEPTS = 64, PAUSE_MS = 100 };

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

static void take(const struct nrpc_server *server, int fd)
{
    struct nrpc_conn *conn = nrpc_posix_link_free() ? nrpc_link_accept(server, nrpc_posix.now_ms)
                                                    : NULL;

    if (conn && !nrpc_posix_link_open(conn, fd)) {
        nrpc_posix.stats.accepted++;
        return;
    }
    if (conn)
        nrpc_link_lost(conn);
    nrpc_posix_refuse(fd);
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
        int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0)
            take(listener->server, fd);
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
    return 0;
}
