/* ports/lwip/nrpc_lwip_dial.h - links opened on lwIP's raw API: to servers, to relays.
 * Layer: port. Source: lwIP 2.2 "raw API", "DNS"; nanorpc/dial.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NRPC_LWIP_DIAL_H
#define NRPC_LWIP_DIAL_H

#include "nanorpc/dial.h"
#include "ports/lwip/nrpc_lwip.h"

NRPC_BEGIN_C

/* What lwipopts.h must say, beside what nrpc_lwip.h asks for:
 *   LWIP_DNS 1, LWIP_UDP 1  if a host may be a name, and somebody must have called dns_setserver
 *                           (DHCP does)
 *   MEMP_NUM_TCP_PCB        NRPC_LWIP_CONNECTIONS + NRPC_LWIP_DIALS or more
 * lwIP takes its local ports from LWIP_RAND: see that two boots do not begin with the same one.
 *
 * What happens when:
 *   no such name, no DNS server, no route, refused    the dial waits (dial.h), then all begins
 *                                                     anew, for ever
 *   no answer within NRPC_DIAL_TIMEOUT_MS, for name   the same
 *   and connection together
 *   no pcb, no memory, all links in use               the same
 *   the link is lost                                  as for accepted ones, see nrpc_lwip.h; the
 *                                                     dial goes on
 * A name is looked up for every attempt; lwIP keeps the answer for as long as the name's server
 * allows. */

/* Dials at once. Count, 1..255. RAM: 24 bytes each, in images that dial. */
#ifndef NRPC_LWIP_DIALS
#define NRPC_LWIP_DIALS 2
#endif

/* From now on nrpc_lwip_poll keeps a link to host:port whenever the dial wants one. dial, host:
 * kept until nrpc_lwip_undial. host: an address, or a name if LWIP_DNS is 1. port: 1..65535. After
 * lwip_init. Returns 0; NRPC_E_LIMIT: NRPC_LWIP_DIALS are in use; NRPC_E_STATE: this dial is one of
 * them. */
int nrpc_lwip_dial(struct nrpc_dial *dial, const char *host, uint16_t port);

/* No more of it: its link, if there is one, is closed at once, with RST. From where nrpc_lwip_poll
 * is called. */
void nrpc_lwip_undial(struct nrpc_dial *dial);

NRPC_END_C

#endif
