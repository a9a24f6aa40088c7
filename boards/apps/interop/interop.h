/* boards/apps/interop/interop.h - what the two roles of the interop image share.
 * Layer: application. Source: gRPC "Interoperability Test Case Descriptions".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_INTEROP_INTEROP_H
#define TESTS_INTEROP_INTEROP_H

#include "nanorpc/nanorpc.h"

/* Bytes of a message that goes or comes compressed, which must fit into a block as a whole, as
 * others need not; boards/apps/interop/app.mk gives others. */
#ifndef INTEROP_BYTES
#define INTEROP_BYTES 1024
#endif

/* Connections that the server has memory for; boards/apps/interop/app.mk gives others. */
#ifndef INTEROP_CONNECTIONS
#define INTEROP_CONNECTIONS 2
#endif

/* The metadata keys that the service sends back: at the beginning, at the end. */
extern const struct nrpc_key interop_initial, interop_trailing;

/* Over TLS (boards/apps/interop_tls/app.mk): the options of the server and of the channel;
 * INTEROP_CALLS_TLS: of the channel alone (boards/apps/interop_public/app.mk). */
#ifndef INTEROP_CALLS_TLS
#define INTEROP_CALLS_TLS 0
#endif
#if NRPC_TLS
extern const struct nrpc_tls interop_server_tls, interop_channel_tls;
#define INTEROP_TLS(which) , .tls = &which
#else
#define INTEROP_TLS(which)
#endif
#if INTEROP_CALLS_TLS
#define INTEROP_SERVER_TLS
#else
#define INTEROP_SERVER_TLS INTEROP_TLS(interop_server_tls)
#endif

/* What app_poll (board.h) has to do for the service. */
uint32_t server_poll(uint32_t now_ms);

#endif
