/* boards/freertos/link.c - the link of a board with an RTOS: lwIP's sockets, in main's task.
 * Layer: board. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "board.h"
#include "nanorpc/nanorpc.h"
#include "ports/lwip/nrpc_lwip_sockets_dial.h"

#ifndef SERVER_PORT
#define SERVER_PORT 50051
#endif

const char *board_serve(const struct nrpc_server *server)
{
    return nrpc_lwip_sockets_listen(server, SERVER_PORT) == 0
               ? NULL
               : "cannot listen: too many connections for NRPC_LWIP_SOCKETS_CONNECTIONS, or no "
                 "socket";
}

int board_dial(struct nrpc_dial *dial, const char *host, uint16_t port)
{
    (void)board_entropy(&dial->random, sizeof dial->random);
    return nrpc_lwip_sockets_dial(dial, host, port);
}

void board_undial(struct nrpc_dial *dial)
{
    nrpc_lwip_sockets_undial(dial);
}

int board_listen(const struct nrpc_server *another, uint16_t port)
{
    return nrpc_lwip_sockets_listen(another, port);
}

void board_wait(uint32_t most_ms)
{
    if (nrpc_lwip_sockets_poll(most_ms) != 0) {
        board_panic("the sockets port has given up");
    }
}
