/* nanorpc/hpack/nrpc_match.c - streaming recognition of names in front-coded lists, and of paths.
 * Layer: core. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/hpack/nrpc_match.h"

#include <string.h>

#include "nanorpc/call.h"

enum { LIST_END = 0xff };

void nrpc_match_begin(struct nrpc_match *match, const char *list)
{
    match->at = list;
    match->position = 1;
    match->ordinal = NRPC_NO_MATCH; /* the first name's, less 1 */
}

/* Nothing fits from here on. Leaves `position`: 0 tells of a path that has no '/'. */
static void give_up(struct nrpc_match *match)
{
    match->at = "\377";
    match->ordinal = NRPC_NO_MATCH;
}

void nrpc_match_byte(struct nrpc_match *match, uint8_t byte)
{
    const char *at = match->at;
    unsigned position = match->position, shared = position;
    if ((uint8_t)*at == LIST_END && match->ordinal == NRPC_NO_MATCH) {
        return; /* given up */
    }
    while (shared != position || (uint8_t)*at != byte || byte >= 0x80) {
        while ((uint8_t)*at < 0x80) {
            at++;
        }
        shared = (uint8_t)*at++ - 0x7fu;
        match->ordinal++;
        if (shared < position || shared == LIST_END - 0x7fu) {
            give_up(match);
            return;
        }
    }
    match->at = at + 1;
    match->position = (uint16_t)(position + 1);
}

uint8_t nrpc_match_end(const struct nrpc_match *match)
{
    return match->at && (uint8_t)*match->at >= 0x80 ? match->ordinal : NRPC_NO_MATCH;
}

unsigned nrpc_narrow(const char *const *const *names, unsigned n, unsigned k, unsigned position,
                     char byte)
{
    if (k == n) {
        return n;
    }
    const char *begun = *names[k], *name = begun;
    while (name[position] != byte) {
        do {
            if (++k == n) {
                return n;
            }
            name = *names[k];
        } while (strncmp(name, begun, position) != 0);
    }
    return k;
}

/* While at == NULL, `position` bytes of the service's path fit. */
static void service_byte(struct nrpc_match *match, char byte,
                         const struct nrpc_service *const *services, unsigned n_services)
{
    unsigned position = match->position;
    unsigned k = nrpc_narrow((const char *const *const *)services, n_services, match->service,
                             position, byte ? byte : '\1');
    if (k == n_services) {
        give_up(match);
        return;
    }
    match->service = (uint8_t)k;
    match->position = (uint16_t)(position + 1);
    if (byte == '/' && position) {
        nrpc_match_begin(match, services[k]->method_names);
    }
}

void nrpc_path_byte(struct nrpc_match *match, uint8_t byte,
                    const struct nrpc_service *const *services, uint8_t n_services)
{
    if (match->at) {
        nrpc_match_byte(match, byte);
    } else {
        service_byte(match, (char)byte, services, n_services);
    }
}
