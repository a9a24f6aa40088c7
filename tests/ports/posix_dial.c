/* tests/ports/posix_dial.c - ports/posix/nrpc_posix_dial.c against sockets of the same process.
 * Layer: test. Source: nrpc_posix_dial.h.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "ports/posix/nrpc_posix_dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ports/posix/nrpc_posix_port.h"
#include "raw_service.h"
#include "test.h"

enum { PATIENCE_MS = 60000 };

#define HERE "127.0.0.1"

static NRPC_REVERSE_DEFINE(one, raw_server);
static NRPC_REVERSE_DEFINE(two, raw_server);
static NRPC_REVERSE_DEFINE(three, raw_server);

/* A socket on a port of its own; listening or, to be refused, not. */
static int open_socket(int listening, uint16_t *number)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    CHECK_EQ(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&address, &n), 0);
    if (listening)
        CHECK_EQ(listen(fd, 8), 0);
    *number = ntohs(address.sin_port);
    return fd;
}

/* Polls until the dial is in that state. */
static void until(const struct nrpc_dial *dial, enum nrpc_dial_state state)
{
    for (int i = 0; dial->state != state && CHECK(i < PATIENCE_MS); i++)
        CHECK(nrpc_posix_poll(1) >= 0);
}

/* The peer's side of a new link: its first bytes are our SETTINGS. */
static int accept_link(int listener)
{
    uint8_t head[9];
    int fd = accept(listener, NULL, NULL);

    CHECK(fd >= 0);
    CHECK_EQ(recv(fd, head, sizeof head, MSG_WAITALL), sizeof head);
    CHECK_EQ(head[3], 4);
    return fd;
}

static int is_closed(int fd)
{
    uint8_t bytes[4096];
    ssize_t n;

    do {
        n = recv(fd, bytes, sizeof bytes, 0);
    } while (n > 0);
    close(fd);
    return n == 0 || errno == ECONNRESET;
}

static void links_and_undials(void)
{
    uint16_t number;
    int listener = open_socket(1, &number), fd;

    for (int i = 0; i < 3; i++) {
        one.dial.held = 0;
        CHECK_EQ(nrpc_posix_dial(&one.dial, HERE, number), 0);
        until(&one.dial, NRPC_DIAL_LINKED);
        CHECK_TEXT(nrpc_posix_dial_error(&one.dial), "");
        fd = accept_link(listener);
        CHECK_EQ(nrpc_posix_stats()->open, 1);
        nrpc_posix_undial(&one.dial);
        nrpc_posix_undial(&one.dial);
        CHECK_EQ(nrpc_posix_stats()->open, 0);
        CHECK_EQ(one.dial.state, NRPC_DIAL_WAITING);
        CHECK(one.dial.conn == NULL);
        CHECK(is_closed(fd));
    }
    CHECK_EQ(nrpc_posix_stats()->dialled, 3);
    close(listener);
}

static int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t n = sizeof value;

    CHECK_EQ(getsockopt(fd, level, name, &value, &n), 0);
    return value;
}

/* The one link that is open. */
static void check_options(void)
{
    int fd = nrpc_posix_links[0].fd;

    CHECK_EQ(nrpc_posix_stats()->open, 1);
    CHECK_EQ(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    CHECK_EQ(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), NRPC_POSIX_KEEPALIVE_MS / 1000);
    CHECK_EQ(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 10);
    CHECK_EQ(option(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
    CHECK_EQ(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), NRPC_POSIX_USER_TIMEOUT_MS);
    CHECK_EQ(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
}

/* Dialled and accepted. */
static void peers_that_vanish_are_noticed(void)
{
    uint16_t number;
    int listener = open_socket(1, &number), fd;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    static struct nrpc_server server;

    one.dial.held = 0;
    CHECK_EQ(nrpc_posix_dial(&one.dial, HERE, number), 0);
    until(&one.dial, NRPC_DIAL_LINKED);
    check_options();
    nrpc_posix_undial(&one.dial);
    close(listener);
    server = raw_server;
    server.n_conns = 1;
    CHECK_EQ(nrpc_posix_listen(&server, HERE, 0), 0);
    address.sin_port = htons(nrpc_posix_port());
    fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    for (int i = 0; !nrpc_posix_stats()->open && CHECK(i < PATIENCE_MS); i++)
        CHECK(nrpc_posix_poll(1) >= 0);
    check_options();
    nrpc_posix_close();
    close(fd);
}

static void links_again(void)
{
    uint16_t number;
    int listener = open_socket(1, &number);

    CHECK_EQ(nrpc_posix_dial(&one.dial, "localhost", number), 0);
    for (int i = 0; i < 3; i++) {
        one.dial.held = 0;
        until(&one.dial, NRPC_DIAL_LINKED);
        close(accept_link(listener));
        until(&one.dial, NRPC_DIAL_WAITING);
    }
    nrpc_posix_undial(&one.dial);
    close(listener);
}

static void refused(void)
{
    uint16_t number;
    int fd = open_socket(0, &number);

    CHECK_EQ(nrpc_posix_dial(&one.dial, HERE, number), 0);
    for (int i = 0; i < 3; i++) {
        one.dial.held = 0;
        one.dial.state = NRPC_DIAL_WAITING;
        while (nrpc_posix_dial_error(&one.dial)[0] == 0)
            CHECK(nrpc_posix_poll(1) >= 0);
        CHECK(strstr(nrpc_posix_dial_error(&one.dial), strerror(ECONNREFUSED)) != NULL);
    }
    CHECK_EQ(listen(fd, 8), 0); /* now there is somebody */
    one.dial.held = 0;
    until(&one.dial, NRPC_DIAL_LINKED);
    CHECK_TEXT(nrpc_posix_dial_error(&one.dial), "");
    nrpc_posix_undial(&one.dial);
    CHECK_TEXT(nrpc_posix_dial_error(&one.dial), "");
    close(fd);
}

static void undial_before_it_is_linked(void)
{
    uint16_t number;
    int listener = open_socket(1, &number);
    struct pollfd watched = {.fd = listener, .events = POLLIN};

    for (int i = 0; i < 2; i++) {
        one.dial.held = 0;
        CHECK_EQ(nrpc_posix_dial(&one.dial, i ? "a-name.invalid" : HERE, number), 0);
        CHECK(nrpc_posix_poll(0) >= 0);
        nrpc_posix_undial(&one.dial);
        CHECK_EQ(one.dial.state, NRPC_DIAL_WAITING);
        one.dial.held = 0;
        for (int polls = 0; polls < 100; polls++)
            CHECK(nrpc_posix_poll(1) >= 0);
        CHECK_EQ(one.dial.state, NRPC_DIAL_WAITING);
        CHECK_EQ(nrpc_posix_stats()->open, 0);
        while (poll(&watched, 1, 0) > 0) /* it may have come so far; then it is closed */
            CHECK(is_closed(accept(listener, NULL, NULL)));
    }
    close(listener);
}

static void limits(void)
{
    char host[300];

    memset(host, 'x', sizeof host);
    host[sizeof host - 1] = 0;
    CHECK_EQ(nrpc_posix_dial(&one.dial, HERE, 1), 0);
    CHECK_EQ(nrpc_posix_dial(&one.dial, HERE, 1), NRPC_E_STATE);
    CHECK_EQ(nrpc_posix_dial(&two.dial, "", 1), NRPC_E_LINK);
    CHECK_EQ(nrpc_posix_dial(&two.dial, host, 1), NRPC_E_LINK);
    CHECK(nrpc_posix_error()[0] != 0);
    CHECK_EQ(nrpc_posix_dial(&two.dial, HERE, 1), 0);
    CHECK_EQ(nrpc_posix_dial(&three.dial, HERE, 1), NRPC_E_LIMIT); /* NRPC_POSIX_DIALS is 2 here */
    CHECK(strstr(nrpc_posix_error(), "NRPC_POSIX_DIALS") != NULL);
    nrpc_posix_undial(&three.dial);
    nrpc_posix_undial(&one.dial);
    CHECK_EQ(nrpc_posix_dial(&three.dial, HERE, 1), 0);
    nrpc_posix_undial(&two.dial);
    nrpc_posix_undial(&three.dial);
}

/* NRPC_POSIX_LINKS is 1 here. */
static void all_links_taken(void)
{
    uint16_t number;
    int listener = open_socket(1, &number), first, second;

    one.dial.held = two.dial.held = 0;
    CHECK_EQ(nrpc_posix_dial(&one.dial, HERE, number), 0);
    until(&one.dial, NRPC_DIAL_LINKED);
    first = accept_link(listener);
    CHECK_EQ(nrpc_posix_dial(&two.dial, HERE, number), 0);
    while (nrpc_posix_dial_error(&two.dial)[0] == 0)
        CHECK(nrpc_posix_poll(1) >= 0);
    CHECK(strstr(nrpc_posix_dial_error(&two.dial), "no memory") != NULL);
    second = accept(listener, NULL, NULL);
    CHECK(is_closed(second));
    CHECK_EQ(one.dial.state, NRPC_DIAL_LINKED);
    nrpc_posix_undial(&one.dial);
    CHECK(is_closed(first));
    two.dial.held = 0;
    until(&two.dial, NRPC_DIAL_LINKED);
    nrpc_posix_undial(&two.dial);
    close(listener);
}

/* A clean end, and a hard one: nothing is dialled any more. */
static void shutdown_and_close(void)
{
    uint16_t number;
    int listener = open_socket(1, &number), fd;

    for (int hard = 0; hard < 2; hard++) {
        one.dial.held = two.dial.held = 0;
        CHECK_EQ(nrpc_posix_dial(&one.dial, HERE, number), 0);
        CHECK_EQ(nrpc_posix_dial(&two.dial, "a-name.invalid", number), 0);
        until(&one.dial, NRPC_DIAL_LINKED);
        fd = accept_link(listener);
        if (hard) {
            nrpc_posix_close();
            CHECK(is_closed(fd));
        } else {
            nrpc_posix_shutdown();
            close(fd);
            while (nrpc_posix_stats()->open)
                CHECK(nrpc_posix_poll(1) >= 0);
        }
        one.dial.held = two.dial.held = 0;
        for (int polls = 0; polls < 50; polls++)
            CHECK(nrpc_posix_poll(1) >= 0);
        CHECK(two.dial.state == NRPC_DIAL_WAITING);
        CHECK_EQ(nrpc_posix_stats()->open, 0);
        nrpc_posix_close();
    }
    close(listener);
}

int main(void)
{
    RUN(links_and_undials);
    RUN(peers_that_vanish_are_noticed);
    RUN(links_again);
    RUN(refused);
    RUN(undial_before_it_is_linked);
    RUN(limits);
    RUN(all_links_taken);
    RUN(shutdown_and_close);
    return test_end();
}
