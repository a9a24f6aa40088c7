/* ports/nrpc_admission.h - who gives way when all connections are taken and another client waits.
 * Layer: port; what all ports share. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NRPC_ADMISSION_H
#define NRPC_ADMISSION_H

#include "nanorpc/http2/nrpc_conn.h"
#include "ports/nrpc_link.h"

NRPC_BEGIN_C

/* The rules, for a client that waits for one of a server's n connections:
 *   1. A connection without a call gives way, the longest idle first, once it has been without, or
 *      been there, for NRPC_YIELD_MS. A request that has not come whole is no call; nor is a
 *      handshake.
 *   2. A client whose address would hold more than half of the connections with this one only gets
 *      one of its own address's. A client whose address holds none may have anybody's.
 *   3. An address that holds more than half gives way to another's client at once; where all of its
 *      connections have calls the newest one does.
 * So half of the connections are safe from any one address, however often it connects; where all
 * clients have one address (a NAT, a proxy) only rule 1 is left. Links that we dialled never give
 * way.
 *
 * A port accepts a client, calls nrpc_admission_accept, and where that gives NULL
 * nrpc_admission_choose; nrpc_conn_yield that connection, transmit what it says, close its link as
 * when it closes by itself, or, where it does not come to that, as it is; then accept again. Where
 * nobody gives way it keeps a few clients waiting for a while: nrpc_admission_first says who of
 * them is next, nrpc_admission_last who goes when there are too many. */

/* An address in 32 bits: an IPv4 address as it is, more bytes mixed. Of IPv6 give the first 8
 * bytes: a network's clients choose the others as they like. */
static inline uint32_t nrpc_admission_peer(const uint8_t *address, size_t n)
{
    uint32_t peer = 0;
    for (size_t i = 0; i < n; i++) {
        peer = (peer << 8 | peer >> 24) ^ address[i];
    }
    return peer;
}

/* As nrpc_link_accept, for a client at `peer`; 0 where the transport knows no addresses. */
static inline struct nrpc_conn *nrpc_admission_accept(const struct nrpc_server *server,
                                                      uint32_t peer, uint32_t now_ms)
{
    struct nrpc_conn *conn = nrpc_link_accept(server, now_ms);
    if (conn) {
        conn->peer = peer;
    }
    return conn;
}

/* A port with so many connections that it cannot go over them for each client defines these two
 * itself, and NRPC_ADMISSION_COUNTED. */
#ifdef NRPC_ADMISSION_COUNTED
unsigned nrpc_admission_held(const struct nrpc_server *server, uint32_t peer);
uint32_t nrpc_admission_most(const struct nrpc_server *server);
#else
/* How many of the server's connections this address holds. */
static inline unsigned nrpc_admission_held(const struct nrpc_server *server, uint32_t peer)
{
    unsigned held = 0;
    for (unsigned i = 0; i < server->n_conns; i++) {
        const struct nrpc_conn *conn = &server->conns[i];
        held += (conn->flags & NRPC_CONN_OPEN) && conn->peer == peer;
    }
    return held;
}

/* The address that holds more than half of the connections, if there is one: what is left over when
 * pairs of two different ones are struck out. */
static inline uint32_t nrpc_admission_most(const struct nrpc_server *server)
{
    uint32_t most = 0;
    unsigned left = 0;
    for (unsigned i = 0; i < server->n_conns; i++) {
        uint32_t peer = server->conns[i].peer;
        most = left ? most : peer;
        left = peer == most ? left + 1 : left - 1;
    }
    return most;
}
#endif

/* 1: it has a call that is more than a request which has not come whole. */
static inline int nrpc_admission_is_used(const struct nrpc_conn *conn)
{
    unsigned flags = 0;
    for (unsigned i = 0; (i = nrpc_stream_from(conn, i)) < NRPC_MAX_STREAMS; i++) {
        flags |= conn->calls[i].flags;
    }
    return (flags & NRPC_CALL_ENGAGED) != 0;
}

/* Who of `count` of the server's connections gives way to a client at `peer`, by the rules above;
 * NULL: nobody does now. */
static inline struct nrpc_conn *nrpc_admission_choose_of(const struct nrpc_server *server,
                                                         struct nrpc_conn *first, unsigned count,
                                                         uint32_t peer, uint32_t now_ms)
{
    const uint16_t now = (uint16_t)(now_ms >> NRPC_TICK_SHIFT);
    const unsigned n = server->n_conns, own = nrpc_admission_held(server, peer);
    const uint32_t most = nrpc_admission_most(server);
    const int is_over = n > 1 && most != peer && 2 * nrpc_admission_held(server, most) > n;
    const int may_any = !own || 2 * own + 2 <= n;
    struct nrpc_conn *chosen = NULL;
    uint32_t best = 0;
    for (struct nrpc_conn *conn = first; conn < first + count; conn++) {
        uint32_t idle = (uint16_t)(now - conn->idle), rank = (uint32_t)UINT16_MAX + 1 + idle;
        int at_once = is_over && conn->peer == most;
        int may = at_once ||
                  (idle > NRPC_YIELD_MS >> NRPC_TICK_SHIFT && (may_any || conn->peer == peer));
        if (!may || rank <= best || !(conn->flags & NRPC_CONN_OPEN) || conn->dial) {
            continue;
        }
        if (nrpc_admission_is_used(conn)) {
            rank = at_once ? UINT16_MAX - (uint32_t)(uint16_t)(now - conn->born) : 0;
        }
        if (rank > best) {
            best = rank;
            chosen = conn;
        }
    }
    return chosen;
}

/* Of them all. */
static inline struct nrpc_conn *nrpc_admission_choose(const struct nrpc_server *server,
                                                      uint32_t peer, uint32_t now_ms)
{
    return nrpc_admission_choose_of(server, server->conns, server->n_conns, peer, now_ms);
}

/* A client that is connected, and waits. */
struct nrpc_newcomer {
    const struct nrpc_server *server;
    void *pcb; /* this or fd, as the port has it */
    int fd;
    uint32_t peer, since_ms;
};

/* The i-th of *n waits no longer. */
static inline void nrpc_admission_forget(struct nrpc_newcomer *waiting, unsigned *n, unsigned i)
{
    for (--*n; i < *n; i++) {
        waiting[i] = waiting[i + 1];
    }
}

/* How many connections, and how many of the n that wait, are its address's. */
static inline unsigned nrpc_admission_has(const struct nrpc_newcomer *waiting, unsigned n,
                                          const struct nrpc_newcomer *client)
{
    unsigned has = nrpc_admission_held(client->server, client->peer);
    for (unsigned i = 0; i < n; i++) {
        has += waiting[i].server == client->server && waiting[i].peer == client->peer;
    }
    return has;
}

/* Of n clients, in the order in which they came: the one for this server whose address has the
 * least, and came first; n: there is none. */
static inline unsigned nrpc_admission_first(const struct nrpc_newcomer *waiting, unsigned n,
                                            const struct nrpc_server *server)
{
    unsigned first = n, least = ~0u;
    for (unsigned i = 0; i < n; i++) {
        unsigned has = nrpc_admission_has(waiting, n, &waiting[i]);
        if (waiting[i].server == server && has < least) {
            least = has;
            first = i;
        }
    }
    return first;
}

/* The one whose address has the most, and came last. n: 1 or more. */
static inline unsigned nrpc_admission_last(const struct nrpc_newcomer *waiting, unsigned n)
{
    unsigned last = 0, most = 0;
    for (unsigned i = 0; i < n; i++) {
        unsigned has = nrpc_admission_has(waiting, n, &waiting[i]);
        if (has >= most) {
            most = has;
            last = i;
        }
    }
    return last;
}

NRPC_END_C

#endif
