/* ports/posix/nrpc_posix_dial.h - links that we open on Linux: to servers, and to relays.
 * Layer: port. Source: connect(2), getaddrinfo(3); nanorpc/dial.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NRPC_POSIX_DIAL_H
#define NRPC_POSIX_DIAL_H

#include "nanorpc/dial.h"
#include "ports/posix/nrpc_posix.h"

NRPC_BEGIN_C

/* Usage, with or without a listener in the same loop:
 *     NRPC_REVERSE_DEFINE(uplink, server);
 *     nrpc_posix_dial(&uplink.dial, "relay.example.org", 50052);
 *     for (;;) nrpc_posix_poll(1000);
 *
 * What happens when:
 *   the name has several addresses  each is tried in turn, IPv6 and IPv4 in the system's order,
 *                                   with NRPC_DIAL_TIMEOUT_MS for each
 *   the name is slow to look up     a thread waits for it, one a lookup, with its signals blocked;
 *                                   the loop goes on. Numbers and "localhost" need none. It is
 *                                   looked up anew for every attempt
 *   no address, refused, timed out  the dial waits (dial.h), then all begins anew, for ever
 *   all links are in use            those that linger give way; else the attempt has failed
 *   the link is lost                as for accepted ones, nrpc_posix.h; the dial goes on
 * nrpc_posix_shutdown and nrpc_posix_close end all dials; the former leaves their links to end by
 * themselves. */

/* Dials at once. RAM: 550 bytes each. Count, 1..256. */
#ifndef NRPC_POSIX_DIALS
#define NRPC_POSIX_DIALS 16
#endif

/* From now on nrpc_posix_poll keeps a link to host:port whenever the dial wants one. dial: kept
 * until nrpc_posix_undial. host: a name or a number without brackets, 1 to 255 characters; kept as
 * long. port: 1..65535. Returns 0; NRPC_E_LIMIT: NRPC_POSIX_DIALS are in use; NRPC_E_STATE: this
 * dial is one of them; NRPC_E_LINK: nrpc_posix_error says why. */
int nrpc_posix_dial(struct nrpc_dial *dial, const char *host, uint16_t port);

/* No more of it: its link, if there is one, is closed at once. Not from a handler. */
void nrpc_posix_undial(struct nrpc_dial *dial);

/* Why the last attempt has failed, as one line of text; "" when it has not, or it is not being
 * dialled. Valid until the next nrpc_posix_poll. */
const char *nrpc_posix_dial_error(const struct nrpc_dial *dial);

NRPC_END_C

#endif
