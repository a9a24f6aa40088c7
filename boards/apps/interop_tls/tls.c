/* boards/apps/interop_tls/tls.c - the interop image over TLS, as a server and as a client.
 * Layer: application. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "board.h"
#include "certs.h" /* build/certs, by `make certs`: keys that everybody knows */
#include "boards/apps/interop/interop.h"
#include "nanorpc/client.h"
#include "ports/mbedtls/nrpc_tls.h"

extern const struct nrpc_server server;
extern struct nrpc_channel channel;

static void failed(struct nrpc_conn *conn, const struct nrpc_tls_failure *failure)
{
    (void)conn;
    board_print("tls: ");
    board_print(nrpc_tls_reason(failure));
    board_print("\n");
}

#define BYTES(array) {array, sizeof array}
NRPC_TLS_DEFINE(interop_server_tls, INTEROP_CONNECTIONS, .certificate = BYTES(certs_server_crt),
                .key = BYTES(certs_server_key), .entropy = board_entropy, .unix_s = board_unix_s,
                .now_ms = board_now_ms, .failed = failed);
NRPC_TLS_DEFINE(interop_channel_tls, 1, .authority = BYTES(certs_ca_crt), .host = "localhost",
                .entropy = board_entropy, .unix_s = board_unix_s, .failed = failed);

const char *app_start(void)
{
    const char *wrong = nrpc_tls_start(&server);
    return wrong != NULL ? wrong : nrpc_tls_start(channel.endpoint);
}
