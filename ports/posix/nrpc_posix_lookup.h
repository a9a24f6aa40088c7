/* ports/posix/nrpc_posix_lookup.h - from a host's name to addresses, without holding up the loop.
 * Layer: port, internal to ports/posix. Source: getaddrinfo(3), pthreads(7).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NRPC_POSIX_LOOKUP_H
#define NRPC_POSIX_LOOKUP_H

#include <netdb.h>
#include <stdint.h>

enum { NRPC_POSIX_LOOKING = 1, NRPC_POSIX_HOST_MAX = 255 };

/* Begins lookup `number` (below NRPC_POSIX_DIALS), in place of one of that number that may still
 * run. host: copied; NRPC_POSIX_HOST_MAX characters at most. Numbers and "localhost" are found at
 * once; a name is looked up by a thread of its own, which calls nrpc_posix_wake when it is done.
 * Returns 0, or an error of getaddrinfo. */
int nrpc_posix_lookup_begin(unsigned number, const char *host, uint16_t port);

/* What has come of it. Returns 0: *list is the caller's to free (freeaddrinfo), and the lookup is
 * over; NRPC_POSIX_LOOKING: it still runs; others, all negative: an error of getaddrinfo, it is
 * over. */
int nrpc_posix_lookup_end(unsigned number, struct addrinfo **list);

/* Forgets it; its thread ends by itself when the system gives it an answer. */
void nrpc_posix_lookup_drop(unsigned number);

#endif
