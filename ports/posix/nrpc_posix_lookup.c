/* ports/posix/nrpc_posix_lookup.c - from a host's name to addresses, without holding up the loop.
 * Layer: port. Source: getaddrinfo(3), pthreads(7).
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "ports/posix/nrpc_posix_lookup.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "ports/posix/nrpc_posix_dial.h"

/* Many resolvers want more than the least stack that there is. */
enum { STACK_BYTES = 256 * 1024, NUMBER_BITS = 8, PORT_TEXT = 6 };

NRPC_STATIC_ASSERT(NRPC_POSIX_DIALS >= 1 && NRPC_POSIX_DIALS <= 1 << NUMBER_BITS,
                   "NRPC_POSIX_DIALS: 1..256");

/* A thread cannot be stopped while the system looks a name up. So each lookup has a number that is
 * never used again, and whoever comes back with another one's throws its answer away. */
static struct lookup {
    unsigned generation;
    int result; /* NRPC_POSIX_LOOKING, or getaddrinfo's */
    struct addrinfo *list;
    char host[NRPC_POSIX_HOST_MAX + 1], port[PORT_TEXT];
} lookups[NRPC_POSIX_DIALS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of lookups */

static int look(const char *host, const char *port, int flags, struct addrinfo **list)
{
    struct addrinfo hint = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};

    return getaddrinfo(host, port, &hint, list);
}

static void *run(void *key)
{
    unsigned number = (unsigned)(uintptr_t)key & ((1u << NUMBER_BITS) - 1);
    unsigned generation = (unsigned)(uintptr_t)key >> NUMBER_BITS;
    struct lookup mine, *its = &lookups[number];
    struct addrinfo *list = NULL;
    int result;

    pthread_mutex_lock(&lock);
    mine = *its;
    pthread_mutex_unlock(&lock);
    if (mine.generation != generation)
        return NULL;
    result = look(mine.host, mine.port, 0, &list);
    pthread_mutex_lock(&lock);
    if (its->generation == generation) {
        its->result = result;
        its->list = result ? NULL : list;
        nrpc_posix_wake(); /* within the lock: the loop drops all lookups before it closes */
        list = NULL;
    }
    pthread_mutex_unlock(&lock);
    if (!result && list)
        freeaddrinfo(list);
    return NULL;
}

/* Returns 0 or EAI_AGAIN. */
static int start_thread(unsigned number, unsigned generation)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;
    int result;

    if (pthread_attr_init(&attributes))
        return EAI_AGAIN;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* not for threads unknown to the program */
    result = pthread_create(&thread, &attributes, run,
                            (void *)(uintptr_t)(generation << NUMBER_BITS | number));
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return result ? EAI_AGAIN : 0;
}

int nrpc_posix_lookup_begin(unsigned number, const char *host, uint16_t port)
{
    struct lookup *its = &lookups[number];
    unsigned generation;
    int result;

    nrpc_posix_lookup_drop(number);
    pthread_mutex_lock(&lock);
    generation = its->generation;
    snprintf(its->host, sizeof its->host, "%s", host);
    snprintf(its->port, sizeof its->port, "%u", (unsigned)port);
    /* Without a name getaddrinfo gives both loopback addresses: see nrpc_posix_sockets.c. */
    result = look(strcmp(host, "localhost") ? host : NULL, its->port, AI_NUMERICHOST, &its->list);
    its->result = result == EAI_NONAME ? NRPC_POSIX_LOOKING : result;
    pthread_mutex_unlock(&lock);
    return result == EAI_NONAME ? start_thread(number, generation) : result;
}

int nrpc_posix_lookup_end(unsigned number, struct addrinfo **list)
{
    struct lookup *its = &lookups[number];
    int result;

    pthread_mutex_lock(&lock);
    result = its->result;
    *list = its->list;
    if (result != NRPC_POSIX_LOOKING)
        its->list = NULL;
    pthread_mutex_unlock(&lock);
    return result;
}

void nrpc_posix_lookup_drop(unsigned number)
{
    struct lookup *its = &lookups[number];

    pthread_mutex_lock(&lock);
    its->generation = (its->generation + 1) & (~0u >> NUMBER_BITS);
    if (its->list)
        freeaddrinfo(its->list);
    its->list = NULL;
    pthread_mutex_unlock(&lock);
}
