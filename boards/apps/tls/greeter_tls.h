/* boards/apps/tls/greeter_tls.h - what the Greeter needs of boards/apps/tls/greeter_tls.c.
 * Layer: application. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARDS_GREETER_TLS_H
#define BOARDS_GREETER_TLS_H

#include "ports/mbedtls/nrpc_tls.h"

/* Connections that the server has memory for; a board gives its own with -D. */
#ifndef GREETER_CONNECTIONS
#define GREETER_CONNECTIONS 2
#endif

/* Whose certificates are asked for: enum nrpc_tls_clients. */
#ifndef GREETER_TLS_CLIENTS
#define GREETER_TLS_CLIENTS NRPC_TLS_CLIENTS_OPTIONAL
#endif

/* 1: on a board without a clock. Of clients' certificates the dates are then not looked at. */
#ifndef GREETER_TLS_UNDATED
#define GREETER_TLS_UNDATED 0
#endif

extern const struct nrpc_server server;
extern const struct nrpc_interceptor greeter_interceptor;
#ifdef __linux__
extern struct nrpc_tls greeter_tls;
#else
extern const struct nrpc_tls greeter_tls;
#endif

#define GREETER_OPTIONS \
    (.interceptors = &greeter_interceptor, .n_interceptors = 1, .tls = &greeter_tls)

#endif
