/* ports/posix/nrpc_posix_dial.c - links that we open: each address of a name in turn, for ever.
 * Layer: port. Source: connect(2), getaddrinfo(3).
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "ports/posix/nrpc_posix_dial.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ports/posix/nrpc_posix_lookup.h"
#include "ports/posix/nrpc_posix_port.h"

static struct entry {
    struct nrpc_dial *dial; /* NULL: free */
    const char *host;
    uint16_t port;
    int fd;         /* being connected, or -1 */
    uint32_t until; /* the name, or this address, has no longer */
    uint8_t looking;
    struct addrinfo *list, *next; /* the name's addresses; the one to try after this */
    char error[160];
} entries[NRPC_POSIX_DIALS];

/* Notes why the attempt, or the address, has failed. */
static void note(struct entry *entry, const char *why)
{
    snprintf(entry->error, sizeof entry->error, "%.64s port %u: %.64s", entry->host,
             (unsigned)entry->port, why);
}

/* The attempt is over, well or not. */
static void clear(struct entry *entry)
{
    if (entry->fd >= 0)
        close(entry->fd);
    entry->fd = -1;
    entry->looking = 0;
    nrpc_posix_lookup_drop((unsigned)(entry - entries));
    if (entry->list)
        freeaddrinfo(entry->list);
    entry->list = entry->next = NULL;
}

/* Returns 0, the connection is on its way, or errno. */
static int try_address(struct entry *entry, const struct addrinfo *info)
{
    struct epoll_event event = {.events = EPOLLOUT,
                                .data = {.u32 = NRPC_POSIX_KEY_DIAL | (uint32_t)(entry - entries)}};

    entry->fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (entry->fd < 0)
        return errno;
    if (connect(entry->fd, info->ai_addr, info->ai_addrlen) && errno != EINPROGRESS)
        return errno;
    return epoll_ctl(nrpc_posix.epoll, EPOLL_CTL_ADD, entry->fd, &event) ? errno : 0;
}

/* The next address, or the end of the attempt. */
static void try_next(struct entry *entry)
{
    while (entry->next) {
        const struct addrinfo *info = entry->next;
        int number;

        entry->next = info->ai_next;
        if (entry->fd >= 0)
            close(entry->fd);
        number = try_address(entry, info);
        if (!number) {
            entry->until = nrpc_posix.now_ms + NRPC_DIAL_TIMEOUT_MS;
            return;
        }
        note(entry, strerror(number));
    }
    clear(entry);
    nrpc_dial_failed(entry->dial);
}

/* The name's addresses are here, or it has none: result is getaddrinfo's. */
static void looked_up(struct entry *entry, int result)
{
    entry->looking = 0;
    if (result)
        note(entry, gai_strerror(result));
    entry->next = entry->list;
    try_next(entry);
}

static void begin(struct entry *entry)
{
    int result = nrpc_posix_lookup_begin((unsigned)(entry - entries), entry->host, entry->port);

    entry->looking = 1;
    entry->until = nrpc_posix.now_ms + NRPC_DIAL_TIMEOUT_MS;
    if (result)
        looked_up(entry, result);
}

/* Takes an attempt one step further. Returns the milliseconds after which to look again. */
static uint32_t go_on(struct entry *entry)
{
    if (entry->looking) {
        int result = nrpc_posix_lookup_end((unsigned)(entry - entries), &entry->list);

        if (result != NRPC_POSIX_LOOKING)
            looked_up(entry, result);
    }
    if (entry->dial->state == NRPC_DIAL_DIALLING &&
        !nrpc_posix_before(nrpc_posix.now_ms, entry->until)) {
        note(entry, strerror(ETIMEDOUT));
        try_next(entry);
    }
    return entry->dial->state == NRPC_DIAL_DIALLING ? entry->until - nrpc_posix.now_ms : 1;
}

static uint32_t run(void)
{
    uint32_t next = 1000;

    for (struct entry *entry = entries; entry < entries + NRPC_POSIX_DIALS; entry++) {
        uint32_t wait;

        if (!entry->dial)
            continue;
        wait = nrpc_dial_wait_ms(entry->dial, nrpc_posix.now_ms);
        if (entry->dial->conn && nrpc_posix_link_of(entry->dial->conn)) /* it may have ended it */
            nrpc_posix_link_list(nrpc_posix_link_of(entry->dial->conn));
        next = wait < next ? wait : next;
        if (wait == 0)
            begin(entry);
        if (entry->dial->state == NRPC_DIAL_DIALLING) {
            wait = go_on(entry);
            next = wait < next ? wait : next;
        }
    }
    return next;
}

/* TCP is up: the socket becomes a link. */
static void connected(struct entry *entry)
{
    struct nrpc_conn *conn;
    int fd = entry->fd;

    epoll_ctl(nrpc_posix.epoll, EPOLL_CTL_DEL, fd, NULL); /* the link adds it anew */
    entry->fd = -1;
    clear(entry);
    conn = nrpc_posix_link_free() ? nrpc_link_dialled(entry->dial, nrpc_posix.now_ms) : NULL;
    if (conn && !nrpc_posix_link_open(conn, fd)) {
        nrpc_posix.stats.dialled++;
        entry->error[0] = 0;
        return;
    }
    note(entry, "no memory for one more connection");
    close(fd);
    if (conn)
        nrpc_link_lost(conn); /* which the dial will notice */
    else if (entry->dial->state == NRPC_DIAL_DIALLING)
        nrpc_dial_failed(entry->dial);
}

static void event(unsigned number)
{
    struct entry *entry = &entries[number];
    int error = 0;
    socklen_t n = sizeof error;

    if (!entry->dial || entry->fd < 0)
        return;
    if (getsockopt(entry->fd, SOL_SOCKET, SO_ERROR, &error, &n))
        error = errno;
    if (!error) {
        connected(entry);
        return;
    }
    note(entry, strerror(error));
    try_next(entry);
}

static void stop(void)
{
    for (struct entry *entry = entries; entry < entries + NRPC_POSIX_DIALS; entry++) {
        if (entry->dial)
            clear(entry);
        if (entry->dial)
            nrpc_dial_stop(entry->dial);
        entry->dial = NULL;
    }
}

static struct entry *find(const struct nrpc_dial *dial)
{
    for (struct entry *entry = entries; entry < entries + NRPC_POSIX_DIALS; entry++)
        if (entry->dial == dial)
            return entry;
    return NULL;
}

int nrpc_posix_dial(struct nrpc_dial *dial, const char *host, uint16_t number)
{
    static const struct nrpc_posix_dialler dialler = {run, event, stop};
    struct entry *entry = find(NULL);

    if (find(dial))
        return NRPC_E_STATE;
    if (strlen(host) > NRPC_POSIX_HOST_MAX || !*host) {
        snprintf(nrpc_posix.error.text, sizeof nrpc_posix.error.text,
                 "a host has 1 to %d characters", NRPC_POSIX_HOST_MAX);
        return NRPC_E_LINK;
    }
    if (!entry) {
        snprintf(nrpc_posix.error.text, sizeof nrpc_posix.error.text,
                 "all dials are in use: NRPC_POSIX_DIALS is %d", NRPC_POSIX_DIALS);
        return NRPC_E_LIMIT;
    }
    if (nrpc_posix_init())
        return NRPC_E_LINK;
    *entry = (struct entry){.dial = dial, .host = host, .port = number, .fd = -1};
    dial->state = NRPC_DIAL_WAITING; /* whatever nrpc_posix_shutdown has left of it */
    dial->conn = NULL;
    nrpc_posix.dialler = &dialler;
    return 0;
}

void nrpc_posix_undial(struct nrpc_dial *dial)
{
    struct entry *entry = find(dial);
    struct nrpc_conn *conn = dial->conn;

    if (!entry)
        return;
    clear(entry);
    entry->dial = NULL;
    if (conn && conn->dial == dial && nrpc_posix_link_of(conn))
        nrpc_posix_link_close(nrpc_posix_link_of(conn));
    nrpc_dial_stop(dial);
}

const char *nrpc_posix_dial_error(const struct nrpc_dial *dial)
{
    const struct entry *entry = find(dial);

    return entry ? entry->error : "";
}
