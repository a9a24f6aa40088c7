/* host-sim/gateway.c - the far end of the simulated Ethernet: libslirp, a router for one user.
 * Layer: board. Source: libslirp 4.7, <slirp/libslirp.h>.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "gateway.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <slirp/libslirp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BACKLOG = 128 };

/* libslirp's TCP is of 1990: it sends a lost SYN again after 6 s, and other segments after one at
 * the least. Its clock goes so many times as fast as ours, which makes its timers those of today:
 * 1.5 s (RFC 6298 2.1: 1 s), 250 ms. */
enum { CLOCK_FACTOR = 4 };

static struct {
    Slirp *slirp;
    gateway_send *send;
    struct pollfd *polled; /* grows; the first one is wake_fd */
    nfds_t n_polled, room;
} gateway;

/* --- What libslirp asks of us ----------------------------------------------------------------- */

static ssize_t on_frame(const void *frame, size_t n, void *unused)
{
    (void)unused;
    gateway.send(frame, n);
    return (ssize_t)n;
}

static void on_guest_error(const char *text, void *unused)
{
    (void)unused;
    fprintf(stderr, "host-sim: libslirp: %s\n", text);
}

static int64_t on_clock(void *unused)
{
    struct timespec now;
    (void)unused;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return ((int64_t)now.tv_sec * 1000000000 + now.tv_nsec) * CLOCK_FACTOR;
}

/* Timers are for IPv6 router advertisements only, and there is no IPv6 here. */
static void *on_timer_new(SlirpTimerId id, void *data, void *unused)
{
    (void)id;
    (void)data;
    (void)unused;
    return &gateway;
}

static void on_timer_free(void *timer, void *unused)
{
    (void)timer;
    (void)unused;
}

static void on_timer_mod(void *timer, int64_t expire_ms, void *unused)
{
    (void)timer;
    (void)expire_ms;
    (void)unused;
}

static void on_poll_fd(int fd, void *unused)
{
    (void)fd;
    (void)unused;
}

static void on_notify(void *unused)
{
    (void)unused;
}

static void on_init_completed(Slirp *slirp, void *unused)
{
    (void)slirp;
    (void)unused;
}

static int on_add_poll(int fd, int events, void *unused)
{
    struct pollfd *polled;
    (void)unused;
    if (gateway.n_polled == gateway.room) {
        gateway.room = gateway.room == 0 ? 64 : gateway.room * 2;
        gateway.polled = realloc(gateway.polled, gateway.room * sizeof *gateway.polled);
        if (gateway.polled == NULL) {
            fputs("host-sim: out of memory\n", stderr);
            abort();
        }
    }
    polled = &gateway.polled[gateway.n_polled];
    polled->fd = fd;
    polled->revents = 0;
    polled->events = (short)(((events & SLIRP_POLL_IN) ? POLLIN : 0) |
                             ((events & SLIRP_POLL_OUT) ? POLLOUT : 0) |
                             ((events & SLIRP_POLL_PRI) ? POLLPRI : 0));
    return (int)gateway.n_polled++;
}

static int on_revents(int index, void *unused)
{
    int got = gateway.polled[index].revents;
    (void)unused;
    return ((got & POLLIN) ? SLIRP_POLL_IN : 0) | ((got & POLLOUT) ? SLIRP_POLL_OUT : 0) |
           ((got & POLLPRI) ? SLIRP_POLL_PRI : 0) | ((got & POLLERR) ? SLIRP_POLL_ERR : 0) |
           ((got & POLLHUP) ? SLIRP_POLL_HUP : 0);
}

/* --- The gateway ------------------------------------------------------------------------------ */

static struct in_addr address(const char *text)
{
    struct in_addr result;
    result.s_addr = inet_addr(text);
    return result;
}

/* libslirp does not tell which port it took, but hands out the socket that it listens on.
 * It lets one client wait there; of several that come at once the others' SYN would be lost
 * for a second. */
static int listening_port(void)
{
    uint32_t unused_ms = 0;
    gateway.n_polled = 0;
    slirp_pollfds_fill(gateway.slirp, &unused_ms, on_add_poll, NULL);
    for (nfds_t i = 0; i < gateway.n_polled; i++) {
        struct sockaddr_in name;
        socklen_t name_bytes = sizeof name, flag_bytes = sizeof(int);
        int fd = gateway.polled[i].fd, listens = 0;
        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &flag_bytes) == 0 && listens &&
            listen(fd, BACKLOG) == 0 &&
            getsockname(fd, (struct sockaddr *)&name, &name_bytes) == 0) {
            return ntohs(name.sin_port);
        }
    }
    errno = ENOTSOCK;
    return -1;
}

int gateway_open(uint16_t port, uint16_t device_port, gateway_send *send)
{
    static const SlirpCb callbacks = {
        .send_packet = on_frame,
        .guest_error = on_guest_error,
        .clock_get_ns = on_clock,
        .timer_free = on_timer_free,
        .timer_mod = on_timer_mod,
        .register_poll_fd = on_poll_fd,
        .unregister_poll_fd = on_poll_fd,
        .notify = on_notify,
        .init_completed = on_init_completed,
        .timer_new_opaque = on_timer_new,
    };
    SlirpConfig config;
    memset(&config, 0, sizeof config);
    config.version = 4;
    config.in_enabled = true;
    config.vnetwork = address(GATEWAY_NETWORK);
    config.vnetmask = address(GATEWAY_NETMASK);
    config.vhost = address(GATEWAY_ADDRESS);
    config.vdhcp_start = address(GATEWAY_DEVICE);
    config.vnameserver = address(GATEWAY_DNS);
    gateway.send = send;
    gateway.slirp = slirp_new(&config, &callbacks, NULL);
    if (gateway.slirp == NULL) {
        errno = ENOMEM;
        return -1;
    }
    if (slirp_add_hostfwd(gateway.slirp, 0, address("127.0.0.1"), port, address(GATEWAY_DEVICE),
                          device_port) != 0) {
        return -1;
    }
    return listening_port();
}

/* --- Frames from the device ------------------------------------------------------------------- */

/* Turns four bytes of a TCP header into no-operation options, and mends its checksum: RFC
 * 1624 3. */
static void blank(uint8_t *tcp, size_t at)
{
    uint32_t sum = 0xffffu & ~((uint32_t)tcp[16] << 8 | tcp[17]);
    for (size_t end = at + 4; at < end; at++) {
        unsigned shift = at % 2 == 0 ? 8 : 0;
        sum += (0xffffu - ((uint32_t)tcp[at] << shift)) + (1u << shift);
        tcp[at] = 1;
    }
    sum = (sum & 0xffffu) + (sum >> 16);
    sum = ~((sum & 0xffffu) + (sum >> 16));
    tcp[16] = (uint8_t)(sum >> 8);
    tcp[17] = (uint8_t)sum;
}

/* Blanks the maximum segment size in a TCP header of n bytes. */
static void blank_mss(uint8_t *tcp, size_t n)
{
    size_t at = 20;
    while (at + 4 <= n && tcp[at] != 0) {
        if (tcp[at] == 2 && tcp[at + 1] == 4) {
            blank(tcp, at);
        }
        at += tcp[at] == 1 || tcp[at + 1] == 0 ? 1 : tcp[at + 1];
    }
}

/* libslirp throws away what a connection has buffered, sent or not, when a SYN with a maximum
 * segment size comes; also when that is only the device's SYN-ACK once more, because the first was
 * late or its acknowledgement was lost. Then the client's first bytes would never arrive. So all
 * but the first SYN-ACK of a connection come without the option. */
static void mend_syn_ack(uint8_t *frame, size_t n)
{
    static uint32_t seen[65536]; /* for each port of a client: what the last SYN-ACK acknowledged */
    enum { IP = 14, PROTOCOL = 23, TCP_MIN = 20, SYN_ACK = 0x12 };
    uint8_t *tcp;
    size_t tcp_at, tcp_bytes;
    uint32_t acknowledged, *last;
    if (n < IP + 20 + TCP_MIN || frame[12] != 0x08 || frame[13] != 0x00 ||
        frame[PROTOCOL] != IPPROTO_TCP) {
        return;
    }
    tcp_at = IP + (frame[IP] & 0x0fu) * 4u;
    tcp = frame + tcp_at;
    if (tcp_at + TCP_MIN > n || (tcp[13] & SYN_ACK) != SYN_ACK) {
        return;
    }
    tcp_bytes = (tcp[12] >> 4) * 4u;
    acknowledged = (uint32_t)tcp[8] << 24 | (uint32_t)tcp[9] << 16 | (uint32_t)tcp[10] << 8 |
                   tcp[11];
    last = &seen[(size_t)tcp[2] << 8 | tcp[3]];
    if (*last == acknowledged && tcp_at + tcp_bytes <= n) {
        blank_mss(tcp, tcp_bytes);
    }
    *last = acknowledged;
}

void gateway_input(uint8_t *frame, size_t n)
{
    mend_syn_ack(frame, n);
    slirp_input(gateway.slirp, frame, (int)n);
}

/* --- Waiting ---------------------------------------------------------------------------------- */

void gateway_wait(uint64_t most_us, int wake_fd)
{
    uint32_t slirp_ms = UINT32_MAX;
    struct timespec wait;
    uint64_t count;
    int n;
    gateway.n_polled = 0;
    (void)on_add_poll(wake_fd, SLIRP_POLL_IN, NULL);
    slirp_pollfds_fill(gateway.slirp, &slirp_ms, on_add_poll, NULL);
    if (slirp_ms * 1000ull / CLOCK_FACTOR < most_us) {
        most_us = slirp_ms * 1000ull / CLOCK_FACTOR;
    }
    wait.tv_sec = (time_t)(most_us / 1000000);
    wait.tv_nsec = (long)(most_us % 1000000) * 1000;
    n = ppoll(gateway.polled, gateway.n_polled, &wait, NULL);
    if (n > 0 && gateway.polled[0].revents != 0 && read(wake_fd, &count, sizeof count) < 0) {
        errno = 0; /* another wake was read with this one */
    }
    slirp_pollfds_poll(gateway.slirp, n < 0, on_revents, NULL);
}

void gateway_close(void)
{
    if (gateway.slirp != NULL) {
        slirp_cleanup(gateway.slirp);
    }
    free(gateway.polled);
    memset(&gateway, 0, sizeof gateway);
}
