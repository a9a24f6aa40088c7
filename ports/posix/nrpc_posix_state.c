/* ports/posix/nrpc_posix_state.c - what the loop and all that it drives stand on: its state, clock.
 * Layer: port. Source: epoll(7), eventfd(2), clock_gettime(2).
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "ports/posix/nrpc_posix_port.h"

NRPC_STATIC_ASSERT(NRPC_POSIX_LINKS >= 1 && NRPC_POSIX_LINKS <= 1000000,
                   "NRPC_POSIX_LINKS: 1..1000000");

struct nrpc_posix nrpc_posix;

#if NRPC_CHECKS
/* Not weak: the core's own, which says nothing, is. */
void nrpc_check_failed(const char *function, const char *what)
{
    fprintf(stderr, "nanorpc: %s: %s\n", function, what);
    abort();
}
#endif

int64_t nrpc_posix_clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

uint32_t nrpc_posix_clock_ms(void)
{
    return (uint32_t)(nrpc_posix_clock_ns() / 1000000);
}

int nrpc_posix_fail(const char *what, int number)
{
    snprintf(nrpc_posix.error.text, sizeof nrpc_posix.error.text, "%s: %s", what, strerror(number));
    return NRPC_E_LINK;
}

void nrpc_posix_spare_refill(void)
{
    if (nrpc_posix.spare < 0)
        nrpc_posix.spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

int nrpc_posix_init(void)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.u32 = NRPC_POSIX_KEY_WAKE}};

    if (nrpc_posix.ready)
        return 0;
    nrpc_posix.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (nrpc_posix.epoll < 0)
        return nrpc_posix_fail("epoll_create1", errno);
    nrpc_posix.wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (nrpc_posix.wake < 0 ||
        epoll_ctl(nrpc_posix.epoll, EPOLL_CTL_ADD, nrpc_posix.wake, &event)) {
        int number = errno;

        if (nrpc_posix.wake >= 0)
            close(nrpc_posix.wake);
        close(nrpc_posix.epoll);
        return nrpc_posix_fail("eventfd", number);
    }
    nrpc_posix.spare = -1;
    nrpc_posix_spare_refill();
    nrpc_posix.now_ms = nrpc_posix_clock_ms();
    nrpc_posix_timers_init();
    nrpc_posix.ready = 1;
    return 0;
}
