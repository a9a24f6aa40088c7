/* boards/lwip.c - the link of a board without an operating system that has a network: lwIP's raw
 * API. Layer: board. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "board.h"
#include "nanorpc/nanorpc.h"
#include "ports/lwip/nrpc_lwip_dial.h"

/* Where `server` listens; the forwarding of an emulator goes there. */
#ifndef SERVER_PORT
#define SERVER_PORT 50051
#endif

const char *board_serve(const struct nrpc_server *server)
{
    return nrpc_lwip_listen(server, SERVER_PORT) == 0
               ? NULL
               : "cannot listen: too many connections for NRPC_LWIP_CONNECTIONS, or no pcb";
}

int board_dial(struct nrpc_dial *dial, const char *host, uint16_t port)
{
    (void)board_entropy(&dial->random, sizeof dial->random);
    return nrpc_lwip_dial(dial, host, port);
}

void board_undial(struct nrpc_dial *dial)
{
    nrpc_lwip_undial(dial);
}

int board_listen(const struct nrpc_server *another, uint16_t port)
{
    return nrpc_lwip_listen(another, port);
}

void board_wait(uint32_t most_ms)
{
    (void)most_ms; /* board_poll sleeps for a millisecond at most */
    board_poll();
    (void)nrpc_lwip_poll(board_now_ms());
}
