/* boards/apps/reverse/reverse.c - the board dials a relay (host-sim/relay.py), serves its clients.
 * Layer: application. Source: nanorpc/dial.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "board.h"
#include "ports/lwip/nrpc_lwip_dial.h"

extern const struct nrpc_server server; /* greeter.c's */

/* Where the relay is: an address or a name; -D gives another. 10.0.2.2 is the host of an emulated
 * board. */
#ifndef RELAY_HOST
#define RELAY_HOST "10.0.2.2"
#endif
#ifndef RELAY_PORT
#define RELAY_PORT 50052
#endif

enum { LINKS = NRPC_LWIP_DIALS };

/* Not folded into the code, so that an image can be given another relay after it was linked: the
 * mark tells where (tests/e2e/test_reverse.py does that). */
static const volatile struct {
    char mark[8], host[54];
    uint16_t port;
} relay = {"@RELAY@", RELAY_HOST, RELAY_PORT};

uint32_t app_poll(uint32_t now_ms)
{
    static struct nrpc_reverse uplinks[LINKS];
    static char host[sizeof relay.host];
    (void)now_ms;
    for (unsigned i = 0; uplinks[LINKS - 1].server == NULL && i < LINKS; i++) {
        for (unsigned at = 0; i == 0 && at < sizeof host - 1; at++) {
            host[at] = relay.host[at];
        }
        uplinks[i] = (struct nrpc_reverse)NRPC_REVERSE(server);
        (void)board_entropy(&uplinks[i].dial.random, sizeof uplinks[i].dial.random);
        (void)nrpc_lwip_dial(&uplinks[i].dial, host, relay.port); /* there are as many dials */
    }
    return 1000;
}
