/* nanorpc/hpack/nrpc_match.h - recognises a name of a known set while its bytes arrive, one at a
 * time.
 * Layer: core. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_MATCH_H
#define NANORPC_MATCH_H

#include <stdint.h>

#include "nanorpc/config.h"

NRPC_BEGIN_C

struct nrpc_service;

/* A list of names is one string: the names in ascending byte order, each preceded by a byte 0x80 |
 * (the length of the prefix that it shares with the name before it, 0..126) and without that
 * prefix; 0xFF closes the list. Names are ASCII; there is at least one. "SayHello",
 * "SayHelloAgain", "Test":
 *     "\200SayHello\210Again\200Test\377"
 * So a name that fails at byte k can only be followed by one that shares exactly k bytes with it:
 * matching walks forward through flash once, and keeps one pointer. */

enum { NRPC_NO_MATCH = 255 };

struct nrpc_match {
    const char *at;    /* the byte expected next */
    uint16_t position; /* 1 + the bytes matched so far; path: 0 until its '/' has come */
    uint8_t ordinal;   /* of the name that fits so far */
    uint8_t service;   /* of the path: the service that fits so far */
};

/* list: kept until the last nrpc_match_end. */
void nrpc_match_begin(struct nrpc_match *match, const char *list);
void nrpc_match_byte(struct nrpc_match *match, uint8_t byte);

/* The place of the name in its list, 0..254, or NRPC_NO_MATCH. */
uint8_t nrpc_match_end(const struct nrpc_match *match);

/* One step of finding a name among n whose order is free, byte by byte: names[k] points to a struct
 * whose first member is the name; the name k shares its first `position` bytes with what has come.
 * Returns the first one from k on that goes on with `byte` (NUL: that ends there, and is not to be
 * asked further), or n; for k == n as well. */
unsigned nrpc_narrow(const char *const *const *names, unsigned n, unsigned k, unsigned position,
                     char byte);

/* The same for a request's path, "/package.Service/Method", over the services of a server: exact,
 * and in whatever order the services stand. Start with memset 0. n_services: 1..254. */
void nrpc_path_byte(struct nrpc_match *match, uint8_t byte,
                    const struct nrpc_service *const *services, uint8_t n_services);

#define NRPC_PATH_UNKNOWN 0xffffu

/* service << 8 | method, or NRPC_PATH_UNKNOWN. */
static inline uint16_t nrpc_path_end(const struct nrpc_match *match)
{
    uint8_t method = nrpc_match_end(match);
    return (uint16_t)(method == NRPC_NO_MATCH ? NRPC_PATH_UNKNOWN
                                              : (unsigned)match->service << 8 | method);
}

NRPC_END_C

#endif
