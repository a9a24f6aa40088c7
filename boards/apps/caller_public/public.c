/* boards/apps/caller_public/public.c - the channel's end of TLS: roots as on the public internet.
 * Layer: test; part of two applications: their app.mk give PUBLIC_TLS, the channel's name for it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "board.h"
#include "certs.h" /* build/certs, by `make certs` */
#include "nanorpc/client.h"
#include "ports/mbedtls/nrpc_tls.h"

#ifndef PUBLIC_UNDATED
#define PUBLIC_UNDATED 0
#endif

extern struct nrpc_channel channel;

static void failed(struct nrpc_conn *conn, const struct nrpc_tls_failure *failure)
{
    (void)conn;
    board_print("tls: ");
    board_print(nrpc_tls_reason(failure));
    board_print("\n");
}

NRPC_TLS_DEFINE(PUBLIC_TLS, 1, .authority = {certs_public_crt, sizeof certs_public_crt},
                .host = "localhost", .entropy = board_entropy, .unix_s = board_unix_s,
                .failed = failed, .undated = PUBLIC_UNDATED);

const char *app_start(void)
{
    return nrpc_tls_start(channel.endpoint);
}
