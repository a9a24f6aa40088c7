/* ports/lwip/nrpc_lwip_sockets_links.h - how a dialled socket becomes a link of the port.
 * Layer: port, internal to ports/lwip. Source: lwIP 2.2 "sockets API".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NRPC_LWIP_SOCKETS_LINKS_H
#define NRPC_LWIP_SOCKETS_LINKS_H

#include "ports/nrpc_link.h"
#include "ports/lwip/nrpc_lwip_sockets.h"

/* nrpc_lwip_sockets_poll's call to who dials; NULL: nobody does. Returns the milliseconds after
 * which to call again. Who links no dialling pays nothing for it where the image is optimised as a
 * whole (-flto). */
extern uint32_t (*nrpc_lwip_sockets_dials)(void);

/* fd is connected, and from here on it is a link's; or there is none, or no memory: it is closed,
 * and the dial has failed. */
void nrpc_lwip_sockets_link_begin(struct nrpc_dial *dial, int fd);

/* Closes this connection's link with RST, if it has one. */
void nrpc_lwip_sockets_link_end(const struct nrpc_conn *conn);

#endif
