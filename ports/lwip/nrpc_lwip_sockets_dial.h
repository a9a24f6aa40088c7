/* ports/lwip/nrpc_lwip_sockets_dial.h - links opened on lwIP's sockets: to servers, relays.
 * Layer: port. Source: lwIP 2.2 "sockets API", "DNS"; nanorpc/dial.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NRPC_LWIP_SOCKETS_DIAL_H
#define NRPC_LWIP_SOCKETS_DIAL_H

#include "nanorpc/dial.h"
#include "ports/lwip/nrpc_lwip_sockets.h"

NRPC_BEGIN_C

/* What lwipopts.h must say, beside what nrpc_lwip_sockets.h asks for:
 *   LWIP_DNS 1, LWIP_UDP 1  if a host may be a name, and somebody must have called dns_setserver
 *                           (DHCP does)
 *   MEMP_NUM_NETCONN        one more for each dial, for while it tries
 *
 * What happens when:
 *   no such name, no DNS server, no route, refused    the dial waits (dial.h), then all begins
 *                                                     anew, for ever
 *   no answer within NRPC_DIAL_TIMEOUT_MS, for name   the same
 *   and connection together
 *   no socket, no memory, all links in use            the same; but links that only close give way
 *   the link is lost                                  as for accepted ones; the dial goes on
 * Nothing blocks the thread: names are looked up in lwIP's own, whose answers, as well as
 * connections, are looked for every NRPC_LWIP_SOCKETS_LOOK_MS while an attempt runs. */

/* Dials at once. Count, 1..255. RAM: 40 bytes each, in images that dial. */
#ifndef NRPC_LWIP_SOCKETS_DIALS
#define NRPC_LWIP_SOCKETS_DIALS 2
#endif

/* Milliseconds, 1..1000. */
#ifndef NRPC_LWIP_SOCKETS_LOOK_MS
#define NRPC_LWIP_SOCKETS_LOOK_MS 20
#endif

/* From now on nrpc_lwip_sockets_poll, or serve, keeps a link to host:port whenever the dial wants
 * one; polling needs no listener then. dial: kept until undial. host: an address, or a name if
 * LWIP_DNS is 1; kept for ever, since lwIP's thread may be reading it. port: 1..65535. From the
 * thread that polls, or before it does. Returns 0; NRPC_E_LIMIT: NRPC_LWIP_SOCKETS_DIALS are in
 * use; NRPC_E_STATE: this dial is one of them. */
int nrpc_lwip_sockets_dial(struct nrpc_dial *dial, const char *host, uint16_t port);

/* No more of it: its link, if there is one, is closed at once, with RST. From the thread that
 * polls, between two polls. */
void nrpc_lwip_sockets_undial(struct nrpc_dial *dial);

NRPC_END_C

#endif
