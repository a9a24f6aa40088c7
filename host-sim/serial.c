/* host-sim/serial.c - the simulated device on a serial line: a pseudo-terminal, or a TCP port.
 * Layer: board. Source: docs/serial.md; pty(7), posix_openpt(3).
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "serial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "board.h"
#include "ports/serial/nrpc_serial.h"

/* As boards/uart.h has them; the ring is the kernel's. */
enum { CLIENTS = 4, RING_BYTES = 256, BITS_PER_BYTE = 10 };
enum { AT_ONCE = 512, NOBODY_MS = 20 };

extern const struct nrpc_server server; /* the application's */
NRPC_SERIAL_DEFINE(line, server, CLIENTS, RING_BYTES, 115200);

/* One direction: what may pass by now, and what befalls it. */
struct way {
    uint64_t random;
    uint64_t since_us;
    double credit; /* bytes */
};

static const struct serial_line *settings;
static struct way ways[2]; /* to the device, from it */
static int listener = -1, end = -1;

static uint64_t clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

/* How many bytes may pass; what has not been used of a millisecond or two is lost. */
static size_t allowed(struct way *way)
{
    uint64_t now = clock_us();
    if (settings->baud == 0) {
        return AT_ONCE;
    }
    double per_us = (double)settings->baud / BITS_PER_BYTE / 1e6, most = per_us * 2000 + 1;
    way->credit += per_us * (double)(now - way->since_us);
    way->credit = way->credit < most ? way->credit : most;
    way->since_us = now;
    return way->credit < AT_ONCE ? (size_t)way->credit : AT_ONCE;
}

/* xorshift: the same seed is the same line again. Returns 0..999999. */
static uint32_t dice(struct way *way)
{
    way->random ^= way->random << 13;
    way->random ^= way->random >> 7;
    way->random ^= way->random << 17;
    return (uint32_t)(way->random % 1000000u);
}

/* n bytes pass. Returns how many of them arrive. */
static size_t pass(struct way *way, uint8_t *bytes, size_t n)
{
    size_t left = 0;
    way->credit -= (double)n;
    for (size_t i = 0; i < n; i++) {
        int is_lost = dice(way) < settings->loss_ppm;
        if (dice(way) < settings->noise_ppm) {
            bytes[i] ^= (uint8_t)(1u << dice(way) % 8);
        }
        if (!is_lost) {
            bytes[left++] = bytes[i];
        }
    }
    return left;
}

/* --- The other end --------------------------------------------------------------------------- */

static int complain(const char *what)
{
    fprintf(stderr, "host-sim: --serial: %s: %s\n", what, strerror(errno));
    return 0;
}

/* A pseudo-terminal says "hung up" while no program has it open, but only after one had. */
static int open_pty(char *where, unsigned room)
{
    struct termios raw;
    end = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (end < 0 || grantpt(end) != 0 || unlockpt(end) != 0 || ptsname_r(end, where, room) != 0) {
        return complain("no pseudo-terminal");
    }
    int other = open(where, O_RDWR | O_NOCTTY);
    if (other < 0 || tcgetattr(other, &raw) != 0) {
        return complain(where);
    }
    cfmakeraw(&raw);
    (void)tcsetattr(other, TCSANOW, &raw);
    (void)close(other);
    return 1;
}

static int open_tcp(int port, char *where, unsigned room)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t n = sizeof at;
    const int on = 1;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(listener, (const struct sockaddr *)&at, n) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&at, &n) != 0) {
        fprintf(stderr, "host-sim: port %d: %s; choose another with --port\n", port,
                strerror(errno));
        return 0;
    }
    snprintf(where, room, "socket://127.0.0.1:%u", (unsigned)ntohs(at.sin_port));
    return 1;
}

int serial_open(const struct serial_line *its_settings, const struct nrpc_server *its_server,
                int tcp_port, char *where, unsigned room)
{
    settings = its_settings;
    line.server = its_server;
    line.t1_ms = (uint16_t)NRPC_SERIAL_T1_MS(settings->baud);
    for (unsigned i = 0; i < 2; i++) {
        ways[i].random = (settings->seed * 2 + i + 1) * UINT64_C(0x9E3779B97F4A7C15);
        ways[i].since_us = clock_us();
    }
    return tcp_port < 0 ? open_pty(where, room) : open_tcp(tcp_port, where, room);
}

/* TCP: one program at a time; the next one waits. */
static void await_program(void)
{
    const int on = 1;
    if (listener >= 0 && end < 0) {
        end = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (end >= 0) {
            (void)setsockopt(end, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        }
    }
}

static void program_has_gone(void)
{
    if (listener >= 0) {
        (void)close(end);
        end = -1;
    }
}

/* --- The device ------------------------------------------------------------------------------ */

/* 1: nobody is there: what the device says goes nowhere, as from a UART. */
static int take_in(uint32_t now_ms)
{
    uint8_t bytes[AT_ONCE];
    size_t most = allowed(&ways[0]);
    ssize_t n = end < 0 ? 0 : most ? read(end, bytes, most) : -1;
    if (n > 0) {
        nrpc_serial_receive(&line, bytes, pass(&ways[0], bytes, (size_t)n), now_ms);
    } else if (end >= 0 && most && (n == 0 || errno != EAGAIN)) {
        program_has_gone();
        return 1;
    }
    return end < 0;
}

static void give_out(uint32_t now_ms, int is_alone)
{
    static uint8_t bytes[AT_ONCE]; /* the first `have` are not taken yet */
    static size_t have;
    size_t most = allowed(&ways[1]), room = most < sizeof bytes - have ? most : sizeof bytes - have;
    size_t n = room ? nrpc_serial_transmit(&line, bytes + have, room, now_ms) : 0;
    have += pass(&ways[1], bytes + have, n);
    ssize_t taken = is_alone ? (ssize_t)have : have ? write(end, bytes, have) : 0;
    if (taken > 0) {
        have -= (size_t)taken;
        memmove(bytes, bytes + taken, have);
    }
}

void serial_poll(uint32_t most_ms)
{
    uint32_t now = board_now_ms();
    await_program();
    int is_alone = take_in(now);
    uint32_t wait = nrpc_serial_tick(&line, now);
    give_out(now, is_alone);
    wait = wait < most_ms ? wait : most_ms;
    if (is_alone) {
        wait = wait < NOBODY_MS ? wait : NOBODY_MS;
    } else if (settings->baud) {
        wait = 1; /* the line's time goes on */
    }
    struct pollfd what[2] = {{.fd = is_alone ? -1 : end, .events = POLLIN},
                             {.fd = end < 0 ? listener : -1, .events = POLLIN}};
    (void)poll(what, 2, (int)wait);
}
