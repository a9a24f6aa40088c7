/* boards/apps/interop_public/public.c - the channel's end of TLS: roots as on the public internet.
 * Layer: test; an application, see app.mk. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "board.h"
#include "certs.h" /* build/certs, by `make certs` */
#include "nanorpc/client.h"
#include "ports/mbedtls/nrpc_tls.h"

extern struct nrpc_channel channel;

static void failed(struct nrpc_conn *conn, const struct nrpc_tls_failure *failure)
{
    (void)conn;
    board_print("tls: ");
    board_print(nrpc_tls_reason(failure));
    board_print("\n");
}

NRPC_TLS_DEFINE(interop_channel_tls, 1, .authority = {certs_public_crt, sizeof certs_public_crt},
                .host = "localhost", .entropy = board_entropy, .unix_s = board_unix_s,
                .failed = failed);

const char *app_start(void)
{
    return nrpc_tls_start(channel.endpoint);
}
