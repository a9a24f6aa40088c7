/* tests/bench/raw_epoll.c - the least that any server must do: epoll, and answers of fixed bytes.
 * Layer: test. Source: epoll(7); RFC 9113 4.1; RFC 7541.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* It reads frames no further than their heads, and gives each DATA that ends a stream the answer
 * that our Greeter gives: no headers are decoded, no message, no window is kept. What is above it
 * is what gRPC costs. */

enum { DATA = 0, SETTINGS = 4, HEAD = 9, PREFACE = 24, ROOM = 1 << 18, EVENTS = 64 };

struct link {
    int fd, answered;
    size_t skip, n_in; /* bytes of the preface to skip; of in[] */
    uint8_t in[ROOM];
};

static uint8_t out[ROOM];
static size_t n_out;

static const uint8_t hello[] = {0, 0, 0, SETTINGS, 0, 0, 0, 0, 0,  /* ours */
                                0, 0, 0, SETTINGS, 1, 0, 0, 0, 0}; /* and theirs acknowledged */
#define BODY "\0\0\0\0\17\n\15Hello, world!"
/* With indexing at the first call of a link; afterwards by index. */
static const uint8_t first[] = "\0\0\23\1\4\0\0\0\0\210\137\20application/grpc"
                               "\0\0\24\0\0\0\0\0\0" BODY "\0\0\17\1\5\0\0\0\0\100\13grpc-status\1"
                               "0";
static const uint8_t next[] = "\0\0\2\1\4\0\0\0\0\210\277"
                              "\0\0\24\0\0\0\0\0\0" BODY "\0\0\1\1\5\0\0\0\0\276";

static void put(const void *bytes, size_t n)
{
    memcpy(out + n_out, bytes, n);
    n_out += n;
}

/* The three frames, each with the stream's id, and the window that the request has used. */
static void answer(struct link *link, const uint8_t *id, uint8_t used)
{
    const uint8_t *frames = link->answered ? next : first;
    size_t n = (link->answered ? sizeof next : sizeof first) - 1;
    uint8_t *at = out + n_out, *end;
    put(frames, n);
    for (end = at + n; at < end; at += HEAD + at[2]) {
        memcpy(at + 5, id, 4);
    }
    const uint8_t window[HEAD + 4] = {0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, used};
    put(window, sizeof window);
    link->answered = 1;
}

static void flush(struct link *link)
{
    for (size_t sent = 0; sent < n_out;) {
        ssize_t n = send(link->fd, out + sent, n_out - sent, MSG_NOSIGNAL);
        if (n <= 0) {
            break; /* the link is over: its end is read next */
        }
        sent += (size_t)n;
    }
    n_out = 0;
}

static void take(struct link *link)
{
    uint8_t *at = link->in, *end = at + link->n_in;
    while (end - at >= HEAD) {
        size_t length = (size_t)at[0] << 16 | (size_t)at[1] << 8 | at[2];
        if ((size_t)(end - at) < HEAD + length) {
            break;
        }
        if (at[3] == DATA && (at[4] & 1)) {
            answer(link, at + 5, (uint8_t)length);
        }
        at += HEAD + length;
        if (n_out > ROOM - 256) {
            flush(link);
        }
    }
    link->n_in = (size_t)(end - at);
    memmove(link->in, at, link->n_in);
    flush(link);
}

static void serve(struct link *link)
{
    ssize_t n = read(link->fd, link->in + link->n_in, sizeof link->in - link->n_in);
    if (n <= 0) {
        close(link->fd);
        free(link);
        return;
    }
    link->n_in += (size_t)n;
    if (link->skip && link->n_in >= link->skip) {
        link->n_in -= link->skip;
        memmove(link->in, link->in + link->skip, link->n_in);
        link->skip = 0;
        put(hello, sizeof hello);
    }
    if (!link->skip) {
        take(link);
    }
}

int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof address;
    const int listener = socket(AF_INET, SOCK_STREAM, 0), epoll = epoll_create1(0), yes = 1;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[EVENTS];
    if (bind(listener, (struct sockaddr *)&address, n) || listen(listener, 128) ||
        getsockname(listener, (struct sockaddr *)&address, &n) ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event)) {
        perror("raw_epoll");
        return 1;
    }
    printf("raw_epoll: ready on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            struct link *link = events[i].data.ptr;
            if (link) {
                serve(link);
                continue;
            }
            link = calloc(1, sizeof *link);
            if (!link) {
                return 1;
            }
            link->fd = accept(listener, NULL, NULL);
            link->skip = PREFACE;
            setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
            event.data.ptr = link;
            epoll_ctl(epoll, EPOLL_CTL_ADD, link->fd, &event);
        }
    }
}
