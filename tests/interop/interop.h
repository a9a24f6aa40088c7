/* tests/interop/interop.h - what the two roles of the interop image share.
 * Layer: application. Source: gRPC "Interoperability Test Case Descriptions".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_INTEROP_INTEROP_H
#define TESTS_INTEROP_INTEROP_H

#include "nanorpc.h"

/* Bytes of a message that goes or comes compressed, which must fit into a block as a whole, as others need not;
 * boards/apps/interop.mk gives others. */
#ifndef INTEROP_BYTES
#define INTEROP_BYTES 1024
#endif

/* The metadata keys that the service sends back: at the beginning, at the end. */
extern const struct nrpc_key interop_initial, interop_trailing;

/* What app_poll (board.h) has to do for the service. */
uint32_t server_poll(uint32_t now_ms);

#endif
