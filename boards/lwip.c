/* boards/lwip.c - the link of a board without an operating system that has a network: lwIP's raw
 * API. Layer: board. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "board.h"
#include "lwip/netif.h"
#include "nanorpc/nanorpc.h"
#include "ports/lwip/nrpc_lwip_dial.h"

/* Where `server` listens; the forwarding of an emulator goes there. */
#ifndef SERVER_PORT
#define SERVER_PORT 50051
#endif

/* Decimal, without printf. Returns where the next character goes. */
static char *put_number(char *to, uint32_t number)
{
    uint32_t unit = 1;
    while (number / unit >= 10) {
        unit *= 10;
    }
    for (; unit != 0; unit /= 10) {
        *to++ = (char)('0' + number / unit % 10);
    }
    return to;
}

const char *board_where(void)
{
    static char text[sizeof "255.255.255.255:65535"];
    char *to = text;
    const ip4_addr_t *ip = netif_ip4_addr(netif_default);
    if (ip4_addr_isany_val(*ip)) {
        return NULL;
    }
    for (unsigned i = 0; i < 4; i++) {
        to = put_number(to, ip4_addr_get_byte(ip, i));
        *to++ = i < 3 ? '.' : ':';
    }
    *put_number(to, SERVER_PORT) = '\0';
    return text;
}

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
