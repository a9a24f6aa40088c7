/* nanorpc/services/path.h - a method's path, put together again from the tables in flash.
 * Layer: core, services, public; include nanorpc.h. Source: nrpc_match.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_PATH_H
#define NANORPC_PATH_H

#include "nanorpc/nanorpc.h"

NRPC_BEGIN_C

/* Writes "/package.Service/Method", without a NUL, cut after room bytes. method: one of the
 * server's. Returns the bytes written, 0..room; 0: it is not the server's. */
size_t nrpc_method_path(const struct nrpc_server *server, const struct nrpc_method *method,
                        char *to, size_t room);

NRPC_END_C

#endif
