/* boards/where.c - where clients reach a board that has lwIP: its address and port.
 * Layer: board. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "board.h"
#include "lwip/netif.h"

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
