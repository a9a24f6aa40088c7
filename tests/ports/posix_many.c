/* tests/ports/posix_many.c - ports/posix with any number of peers and no sockets: what it costs.
 * Layer: test; linked with --wrap for each of the system's functions below.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ports/posix/nrpc_posix.h"

extern const struct nrpc_server server; /* boards/apps/greeter/greeter.c */

enum { FIRST = 1 << 21, PEERS = 1 << 18, EVENTS = 64 };

#define FRAME(length, type, flags, id, payload) "\0\0" length type flags "\0\0\0" id payload
static const char opening[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" FRAME("\0", "\4", "\0", "\0", "")
    FRAME("\0", "\4", "\1", "\0", "");
static const char request[] = FRAME("\100", "\1", "\4", "\0",
                                    "\203\206\4\34/helloworld.Greeter/SayHello\17\20\20"
                                    "application/grpc\0\2te\10trailers")
    FRAME("\14", "\0", "\1", "\0", "\0\0\0\0\7\12\5world");
enum { HEADERS_ID = 6, DATA_ID = 9 + 0100 + 6 };

/* What there is of the world: the peers' sockets begin at FIRST. */
static struct peer {
    uint32_t key, events;
    const char *sends; /* to be received */
    size_t n;
    int is_stuck; /* it does not read */
} peers[PEERS];
static unsigned n_peers, n_waiting, n_ready, n_greeted;
static uint32_t ready[EVENTS], listener_key;
static int64_t now_ns = 1000000000;

int __real_epoll_ctl(int epoll, int what, int fd, struct epoll_event *event);
int __real_close(int fd);
int __real_setsockopt(int fd, int level, int name, const void *value, socklen_t n);

int __wrap_clock_gettime(clockid_t clock, struct timespec *t);
int __wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
    (void)clock;
    t->tv_sec = (time_t)(now_ns / 1000000000);
    t->tv_nsec = (long)(now_ns % 1000000000);
    return 0;
}

int __wrap_epoll_ctl(int epoll, int what, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epoll, int what, int fd, struct epoll_event *event)
{
    (void)epoll;
    if (fd >= FIRST) {
        peers[fd - FIRST].key = event->data.u32;
        peers[fd - FIRST].events = event->events;
    } else if (what == EPOLL_CTL_ADD && event->data.u32 & 1 << 24) {
        listener_key = event->data.u32;
    }
    return 0;
}

int __wrap_epoll_wait(int epoll, struct epoll_event *events, int most, int timeout);
int __wrap_epoll_wait(int epoll, struct epoll_event *events, int most, int timeout)
{
    int n = 0;

    (void)epoll;
    (void)timeout;
    if (n_waiting)
        events[n++] = (struct epoll_event){.events = EPOLLIN, .data = {.u32 = listener_key}};
    for (unsigned i = 0; i < n_ready && n < most; i++) {
        struct peer *peer = &peers[ready[i]];
        uint32_t happens = peer->events &
                           ((peer->n ? EPOLLIN : 0u) | (peer->is_stuck ? 0u : EPOLLOUT));

        if (happens)
            events[n++] = (struct epoll_event){.events = happens, .data = {.u32 = peer->key}};
    }
    return n;
}

int __wrap_accept4(int fd, struct sockaddr *from, socklen_t *n, int flags);
int __wrap_accept4(int fd, struct sockaddr *from, socklen_t *n, int flags)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)from;

    (void)fd;
    (void)flags;
    if (!n_waiting) {
        errno = EAGAIN;
        return -1;
    }
    n_waiting--;
    v4->sin_family = AF_INET;
    v4->sin_addr.s_addr = n_peers / 4; /* four a client */
    *n = sizeof *v4;
    return FIRST + (int)n_peers++;
}

ssize_t __wrap_recv(int fd, void *buf, size_t n, int flags);
ssize_t __wrap_recv(int fd, void *buf, size_t n, int flags)
{
    struct peer *peer = &peers[fd - FIRST];

    if (!peer->n) {
        errno = EAGAIN;
        return -1;
    }
    n = n < peer->n ? n : peer->n;
    memcpy(buf, peer->sends, n);
    if (!(flags & MSG_PEEK)) {
        peer->sends += n;
        peer->n -= n;
    }
    return (ssize_t)n;
}

int __wrap_poll(struct pollfd *asked, nfds_t n, int timeout);
int __wrap_poll(struct pollfd *asked, nfds_t n, int timeout)
{
    (void)n;
    (void)timeout;
    asked->revents = peers[asked->fd - FIRST].is_stuck ? 0 : POLLOUT;
    return asked->revents != 0;
}

ssize_t __wrap_send(int fd, const void *buf, size_t n, int flags);
ssize_t __wrap_send(int fd, const void *buf, size_t n, int flags)
{
    const char *at = buf, *end = at + n;

    (void)flags;
    if (peers[fd - FIRST].is_stuck) {
        errno = EAGAIN;
        return -1;
    }
    while ((at = memmem(at, (size_t)(end - at), "Hello, world!", 13)) != NULL && at < end - 13) {
        n_greeted++;
        at += 13;
    }
    return (ssize_t)n;
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t n);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t n)
{
    return fd >= FIRST ? 0 : __real_setsockopt(fd, level, name, value, n);
}

int __wrap_shutdown(int fd, int how);
int __wrap_shutdown(int fd, int how)
{
    (void)fd;
    (void)how;
    return 0;
}

int __wrap_close(int fd);
int __wrap_close(int fd)
{
    return fd >= FIRST ? 0 : __real_close(fd);
}

static void poll_once(void)
{
    if (nrpc_posix_poll(0) < 0) {
        puts(nrpc_posix_error());
        exit(1);
    }
}

static void say(unsigned peer, const char *bytes, size_t n)
{
    peers[peer].sends = bytes;
    peers[peer].n = n;
    ready[0] = peer;
    n_ready = 1;
    poll_once();
    if (peers[peer].n && !peers[peer].is_stuck) {
        puts("not all was received");
        exit(1);
    }
}

static long resident_kb(void)
{
    char line[128];
    long kb = 0;
    FILE *file = fopen("/proc/self/status", "r");

    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmRSS: %ld", &kb) == 1)
            break;
    if (file)
        fclose(file);
    return kb;
}

/* As many peers as that, from the second one on, do not read. They send PINGs, whose answers come
 * to be in the way, then a request. */
static void get_stuck(unsigned n)
{
    static const char ping[] = FRAME("\10", "\6", "\0", "\0", "12345678");
    enum { PINGS = 80, PING = sizeof ping - 1 };
    static char all[PINGS * PING + sizeof request - 1];

    for (size_t i = 0; i < PINGS; i++)
        memcpy(all + i * PING, ping, PING);
    memcpy(all + PINGS * PING, request, sizeof request - 1);
    all[PINGS * PING + HEADERS_ID + 2] = all[PINGS * PING + DATA_ID + 2] = 1;
    for (unsigned i = 1; i <= n; i++) {
        peers[i].is_stuck = 1;
        say(i, all, sizeof all);
        poll_once();
    }
}

static void get_unstuck(unsigned n)
{
    for (unsigned i = 1; i <= n; i++) {
        peers[i].is_stuck = 0;
        ready[0] = i;
        for (int turns = 0; turns < 8; turns++)
            poll_once();
    }
}

/* PEERS REQUESTS SECONDS STUCK MORE: so many come, the first one asks so often, so much time
 * passes; first that many others stop reading, and go on in the end; and more come than there is
 * place. */
int main(int argc, char **argv)
{
    static char asks[sizeof request];
    unsigned long n = strtoul(argv[argc > 1], NULL, 10), calls, seconds;
    unsigned stuck, buffers;
    long before;

    calls = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    seconds = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
    stuck = argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 0;
    if (nrpc_posix_listen(&server, "127.0.0.1", 0)) {
        puts(nrpc_posix_error());
        return 1;
    }
    poll_once();
    before = resident_kb();
    n_waiting = (unsigned)n + (argc > 5 ? (unsigned)strtoul(argv[5], NULL, 10) : 0);
    while (n_waiting)
        poll_once();
    for (unsigned i = 0; i < n; i++)
        say(i, opening, sizeof opening - 1);
    before = resident_kb() - before;
    get_stuck(stuck);
    buffers = nrpc_posix_stats()->buffers;
    memcpy(asks, request, sizeof request);
    for (unsigned long i = 0; i < calls; i++) {
        for (int k = 0; k < 3; k++)
            asks[HEADERS_ID + k] = asks[DATA_ID + k] = (char)((2 * i + 1) >> (16 - 8 * k));
        say(0, asks, sizeof request - 1);
    }
    printf("buffers=%u greeted=%u ", buffers, n_greeted);
    get_unstuck(stuck);
    n_ready = 0;
    for (unsigned long i = 0; i < seconds * 1000; i++) {
        now_ns += 1000000;
        if (i % 10 == 0)
            poll_once();
    }
    printf("then=%u left=%u open=%u refused=%u bytes=%ld\n", n_greeted,
           (unsigned)nrpc_posix_stats()->buffers, (unsigned)nrpc_posix_stats()->open,
           (unsigned)nrpc_posix_stats()->refused, n ? before * 1024 / (long)n : 0);
    return 0;
}
