/* ports/lwip/nrpc_lwip_links.h - how a pcb that was dialled becomes a link of the raw API's port.
 * Layer: port, internal to ports/lwip. Source: lwIP 2.2 "raw API".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NRPC_LWIP_LINKS_H
#define NRPC_LWIP_LINKS_H

#include "lwip/tcp.h"
#include "ports/nrpc_link.h"
#include "ports/lwip/nrpc_lwip.h"

/* nrpc_lwip_poll's call to who dials; NULL: nobody does. now_ms, and the result, as its own. Who
 * links no dialling pays nothing for it where the image is optimised as a whole (-flto), 16 bytes
 * else. */
extern uint32_t (*nrpc_lwip_dials)(uint32_t now_ms);

/* pcb is connected, and from here on it is a link's; or there is none, or no memory: it is aborted,
 * and the dial has failed. Returns ERR_OK or ERR_ABRT, for lwIP. */
err_t nrpc_lwip_link_begin(struct nrpc_dial *dial, struct tcp_pcb *pcb);

/* Closes this connection's link with RST, if it has one. */
void nrpc_lwip_link_end(const struct nrpc_conn *conn);

#endif
