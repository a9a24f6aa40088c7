/* ports/posix/nrpc_posix_sockets.h - from an address and a port to listening sockets.
 * Layer: port, internal to ports/posix. Source: getaddrinfo(3), ipv6(7).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NRPC_POSIX_SOCKETS_H
#define NRPC_POSIX_SOCKETS_H

#include <stddef.h>
#include <stdint.h>

/* What went wrong, as a line of text. */
struct nrpc_posix_error {
    char text[160];
};

/* Opens a non-blocking listening socket for each address that `address` stands for (NULL: any),
 * all with one port number. One that this machine does not have (::1 where IPv6 is off) may be
 * missing as long as another one is there. *port: 0 for a free one; the number taken on return.
 * fds: room for that many. Returns how many were opened, 1..room; NRPC_E_LIMIT or NRPC_E_LINK:
 * none was, and error says why. */
int nrpc_posix_sockets(const char *address, uint16_t *port, int *fds, int room,
                       struct nrpc_posix_error *error);

#endif
