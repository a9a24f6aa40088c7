/* ports/posix/nrpc_posix_peers.c - how many connections each address has, for nrpc_admission.h.
 * Layer: port. Source: Knuth, The Art of Computer Programming 6.4, algorithms L and R.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ports/posix/nrpc_posix_port.h"

/* Half of the places are always free. */
enum { PLACES = 2 * NRPC_POSIX_LINKS + 1 };
static struct peer {
    const struct nrpc_server *server; /* NULL: a free place */
    uint32_t address, held;
} peers[PLACES];

/* Of each server the address that came to have more than half last. */
static struct peer most[NRPC_POSIX_LISTENERS];

static uint64_t factor; /* nobody else's to know: who has many addresses could choose bad ones */

static uint32_t home_of(const struct nrpc_server *server, uint32_t address)
{
    uint64_t mixed = ((uintptr_t)server ^ (uint64_t)address << 8) * factor;

    return (uint32_t)((mixed >> 32) * PLACES >> 32);
}

/* Its place, or the free one that it would have. */
static struct peer *place_of(const struct nrpc_server *server, uint32_t address)
{
    uint32_t i = home_of(server, address);

    while (peers[i].server && (peers[i].server != server || peers[i].address != address))
        i = i + 1 == PLACES ? 0 : i + 1;
    return &peers[i];
}

/* The place becomes free: what stands behind it and could not have it moves up. */
static void free_place(uint32_t hole)
{
    uint32_t i = hole;

    peers[hole].server = NULL;
    for (;;) {
        uint32_t home;

        i = i + 1 == PLACES ? 0 : i + 1;
        if (!peers[i].server)
            return;
        home = home_of(peers[i].server, peers[i].address);
        if (hole < i ? home <= hole || home > i : home <= hole && home > i) {
            peers[hole] = peers[i];
            peers[i].server = NULL;
            hole = i;
        }
    }
}

static void note_most(const struct peer *peer)
{
    struct peer *at = most;

    while (at < most + NRPC_POSIX_LISTENERS && at->server && at->server != peer->server)
        at++;
    if (at < most + NRPC_POSIX_LISTENERS)
        *at = *peer;
}

void nrpc_posix_peer_comes(const struct nrpc_conn *conn)
{
    struct peer *peer;

    if (!factor)
        factor = (uint64_t)nrpc_posix_clock_ns() * 0x9e3779b97f4a7c15u | 1;
    peer = place_of(conn->server, conn->peer);
    if (!peer->server)
        *peer = (struct peer){.server = conn->server, .address = conn->peer};
    if (2 * ++peer->held > conn->server->n_conns)
        note_most(peer);
}

void nrpc_posix_peer_goes(const struct nrpc_conn *conn)
{
    struct peer *peer = place_of(conn->server, conn->peer);

    if (peer->server && !--peer->held)
        free_place((uint32_t)(peer - peers));
}

unsigned nrpc_admission_held(const struct nrpc_server *server, uint32_t peer)
{
    const struct peer *place = place_of(server, peer);

    return place->server ? place->held : 0;
}

uint32_t nrpc_admission_most(const struct nrpc_server *server)
{
    for (unsigned i = 0; i < NRPC_POSIX_LISTENERS; i++)
        if (most[i].server == server)
            return most[i].address;
    return 0;
}
