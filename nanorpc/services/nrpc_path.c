/* nanorpc/services/nrpc_path.c - a method's path, put together again from the tables in flash.
 * Layer: core, services. Source: nrpc_match.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/services/path.h"

static size_t put(char *to, size_t room, size_t at, char c)
{
    if (at < room) {
        to[at] = c;
    }
    return at + 1;
}

size_t nrpc_method_path(const struct nrpc_server *server, const struct nrpc_method *method,
                        char *to, size_t room)
{
    for (unsigned i = 0; i < server->n_services; i++) {
        const struct nrpc_service *service = server->services[i];
        const struct nrpc_method *next = service->methods; /* that follows the one whose name is
                                                              being read */
        size_t path = 0, at = 0;
        for (const char *p = service->path; *p; p++) {
            path = put(to, room, path, *p);
        }
        for (const char *p = service->method_names;; p++) {
            uint8_t byte = (uint8_t)*p;
            if (byte < 0x80) {
                at = put(to, room, at, *p);
                continue;
            }
            if (next == method + 1) {
                return at < room ? at : room;
            }
            if (byte == 0xff) {
                break;
            }
            at = path + (byte & 0x7f);
            next++;
        }
    }
    return 0;
}
