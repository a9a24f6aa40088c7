/* tests/tls/test_cost.c - what a handshake costs a server: instructions, where they can be counted.
 * Layer: test. Source: ports/mbedtls/nrpc_tls.h; pair.h's pair_cost. For `make bench`.
 * SPDX-License-Identifier: Apache-2.0 */
#include "pair.h"

static struct pair pair;

/* Of a connection that says nothing but its preface and SETTINGS. session: resumed, and, at the
 * end, to be resumed. */
static uint32_t handshake(mbedtls_ssl_session *session, int is_resumed)
{
    const struct pair_options options = {
        .version = NRPC_TLS_12 ? MBEDTLS_SSL_VERSION_TLS1_2 : MBEDTLS_SSL_VERSION_TLS1_3,
        .session = is_resumed ? session : NULL,
    };
    const struct nrpc_server *server = pair_server(NRPC_TLS_CLIENTS_ANY);
    wire_begin_acked(&raw_server);
    raw_reset();
    wire.n_out = 0;
    pair_cost = 0;
    CHECK(pair_open(&pair, server, &options));
    pair_run(&pair);
    CHECK(pair.is_open && !pair.failed);
    if (!is_resumed) {
        CHECK_EQ(mbedtls_ssl_get_session(&pair.ssl, session), 0);
    }
    pair_close(&pair);
    return (uint32_t)pair_cost;
}

static void print(const char *what, uint32_t number)
{
    test_print(what);
    test_print_number(number);
    test_print("\n");
}

static void handshakes(void)
{
    mbedtls_ssl_session session;
    uint32_t full, resumed;
    mbedtls_ssl_session_init(&session);
    (void)handshake(&session, 0); /* what is done once, in the first one, is not counted */
    mbedtls_ssl_session_free(&session);
    mbedtls_ssl_session_init(&session);
    full = handshake(&session, 0);
    resumed = handshake(&session, 1);
    mbedtls_ssl_session_free(&session);
    if (full) {
        print("memory: ", pair_memory.peak);
        print("full: ", full);
        print("resumed: ", resumed);
        CHECK(resumed <= full / 10);
    }
}

int main(void)
{
    RUN(handshakes);
    return test_end();
}
