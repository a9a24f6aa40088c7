/* nanorpc/nanorpc.h - the one header that an application includes.
 * Layer: core, public. Source: gRPC "Status codes and their use", "gRPC over HTTP2".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_H
#define NANORPC_H

#include "nanorpc/call.h"           /* what handlers do: statuses, calls, metadata */
#include "nanorpc/codec.h"          /* how messages become bytes; generated code uses it */
#include "nanorpc/hpack/nrpc_key.h" /* NRPC_KEY */
#include "nanorpc/ref.h"            /* a call that is kept: nrpc_call_ref */
#include "nanorpc/server.h"         /* NRPC_SERVER_DEFINE */
#include "nanorpc/version.h"

/* The memory that NRPC_SERVER_DEFINE and NRPC_CHANNEL_DEFINE define; its members are the core's. */
#include "nanorpc/http2/nrpc_conn.h"

#endif
