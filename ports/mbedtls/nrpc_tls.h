/* ports/mbedtls/nrpc_tls.h - TLS over any port: the link <-> Mbed TLS <-> the core; either side.
 * Layer: port. Source: RFC 5246, RFC 8446, RFC 9113 9.2; Mbed TLS 3.6.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NRPC_TLS_H
#define NRPC_TLS_H

#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>

#include "nanorpc/nanorpc.h"

NRPC_BEGIN_C

/* A server, or a channel, with its certificate and key (DER, P-256) in flash:
 *     NRPC_TLS_DEFINE(tls, 2, .certificate = {server_crt, sizeof server_crt},
 *                     .key = {server_key, sizeof server_key}, .entropy = board_entropy);
 *     NRPC_SERVER_DEFINE_WITH(server, 2, (.tls = &tls), Greeter_service);
 *     const char *wrong = nrpc_tls_start(&server);
 * The last before the port listens or dials, which it must not when something is wrong.
 * Compiled with -DNRPC_TLS=1 and MBEDTLS_CONFIG_FILE, one of profile_*.h beside this file,
 * everywhere.
 *
 * What happens when:
 *   the peer does not choose ALPN "h2"    refused: no_application_protocol
 *   a certificate is not as it must be    refused, with the alert that says why
 *   the peer renegotiates (TLS 1.2)       the connection ends: no_renegotiation (RFC 9113 9.2.1)
 *   a record is longer than MBEDTLS_SSL_IN_CONTENT_LEN
 *                                         the connection ends: record_overflow
 *   there is no memory for a handshake    this connection ends, the others go on
 *   too many handshakes begin             they wait, see NRPC_TLS_HANDSHAKE_MS
 *   a peer stalls in its handshake        after NRPC_STALL_TIMEOUT_MS the connection ends. Nobody
 *                                         waits for it
 *   the peer ends without close_notify while a call is open
 *                                         the call is cancelled, and `failed` says so
 * In each case `failed` is told. A P-256 operation holds up the loop. A server's full handshake has
 * three, with the small profile 30 million instructions together, most of a second on a 50 MHz
 * Cortex-M3; a resumed one (TLS 1.2) has none. */

/* All of Mbed TLS's memory. Bytes, a multiple of 8. RAM: as many. Of the small profile: 3000 once,
 * and 9000 a connection; of the others see `make size`. */
#ifndef NRPC_TLS_MEMORY_BYTES
#define NRPC_TLS_MEMORY_BYTES 24576
#endif

/* 1: keys may follow from a board_entropy that is not fit for them: NOT SECURE, for emulated boards
 * alone. */
#ifndef NRPC_TLS_TEST_SEED
#define NRPC_TLS_TEST_SEED 0
#endif

/* How long a server's tickets are good for, and a client keeps one. Seconds, 1..604800. */
#ifndef NRPC_TLS_TICKET_S
#define NRPC_TLS_TICKET_S 86400
#endif

/* How much of each second a server's handshakes may take, milliseconds, 1..1000; 1000: all of it.
 * Who comes when that is used up waits its turn, the first first, before the arithmetic begins;
 * what was begun is finished. So on a slow chip one handshake may use up several seconds. */
#ifndef NRPC_TLS_HANDSHAKE_MS
#define NRPC_TLS_HANDSHAKE_MS 350
#endif

struct nrpc_tls_bytes { /* in flash; kept */
    const uint8_t *data;
    size_t n;
};

/* Does a server ask for the client's certificate? */
enum nrpc_tls_clients {
    NRPC_TLS_CLIENTS_ANY,      /* no */
    NRPC_TLS_CLIENTS_OPTIONAL, /* yes, but one may have none; a bad one is refused */
    NRPC_TLS_CLIENTS_VERIFIED, /* who has none is refused */
};

/* Why a connection was refused, or ended before its time: ours; negative ones are Mbed TLS's. */
enum nrpc_tls_error {
    NRPC_TLS_NO_H2 = 1,
    NRPC_TLS_RENEGOTIATION,
    NRPC_TLS_TRUNCATED, /* ended without close_notify: in a handshake, a record or a call */
    NRPC_TLS_STALLED,
    NRPC_TLS_LONG_RECORD,
};
struct nrpc_tls_failure {
    int error;
    uint32_t flags; /* MBEDTLS_X509_BADCERT_..., what is wrong with the peer's certificate */
    uint8_t alert;  /* that the peer has sent; 0: none */
};

/* The same as a line of text without its end. Linked in by who calls it. */
const char *nrpc_tls_reason(const struct nrpc_tls_failure *failure);

/* In flash; NRPC_TLS_DEFINE fills it in. */
struct nrpc_tls {
    struct nrpc_tls_state *state;
    struct nrpc_tls_link *links;
    uint16_t n_links;
    /* Options. certificate: ours, then what leads from it to the CA, one behind the other.
     * authority: the CAs that the peer's may come from, too; a client needs it. host: a client's
     * only, the name that the server's certificate must be for. */
    struct nrpc_tls_bytes certificate, key, authority;
    const char *host;
    /* Fills n bytes; 1: fit for keys, 0: not. board_entropy. */
    int (*entropy)(void *buf, size_t n);
    /* Seconds since 1970, 0: not known now, certificates are then refused. NULL: there is no clock,
     * see undated. */
    uint64_t (*unix_s)(void);
    /* Milliseconds from any begin, in midst of a turn, too: what handshakes take is measured. NULL:
     * each is taken for 100 ms. board_now_ms. */
    uint32_t (*now_ms)(void);
    /* A connection was refused or has failed. conn is still there. NULL: nobody is told. */
    void (*failed)(struct nrpc_conn *conn, const struct nrpc_tls_failure *failure);
    uint8_t clients; /* enum nrpc_tls_clients */
    uint8_t undated; /* 1, for boards without a clock: certificates' dates are not looked at */
};

/* connections: as many as the server has; 1 for a channel. Then options. RAM: about 300 bytes each,
 * 600 together, beside NRPC_TLS_MEMORY_BYTES. */
#define NRPC_TLS_DEFINE(name, connections, ...)            \
    static struct nrpc_tls_link name##_links[connections]; \
    static struct nrpc_tls_state name##_state;             \
    const struct nrpc_tls name = {                         \
        .state = &name##_state, .links = name##_links, .n_links = (connections), __VA_ARGS__}

/* Makes server->tls ready; server: as NRPC_SERVER_DEFINE has made it, or channel.endpoint. Once,
 * before the port listens or dials. Returns NULL, or why TLS must not begin: no entropy, no clock,
 * a certificate or key that is none, too little memory, or, where records are short, messages that
 * may be longer. */
const char *nrpc_tls_start(const struct nrpc_server *server);

/* 1: NOT SECURE, keys follow from a test seed (NRPC_TLS_TEST_SEED). */
int nrpc_tls_insecure(void);

/* Bytes of NRPC_TLS_MEMORY_BYTES, of all connections and certificates. */
struct nrpc_tls_memory {
    uint32_t used, peak;
    uint32_t refused; /* how often there was too little */
};
const struct nrpc_tls_memory *nrpc_tls_memory(void);

/* --- In a handler or interceptor -------------------------------------------------------------- */

/* 1: the peer has shown a certificate, and it comes from the CA. */
int nrpc_tls_peer_verified(const struct nrpc_call *call);

/* Names in the peer's certificate: its subject's common name, and the alternative names of a kind
 * (RFC 5280 4.2.1.6). */
enum nrpc_tls_name {
    NRPC_TLS_COMMON_NAME = 0,
    NRPC_TLS_EMAIL = 1,
    NRPC_TLS_DNS = 2,
    NRPC_TLS_URI = 6,
    NRPC_TLS_IP = 7
};

/* The i-th (from 0) of them, of a peer that is verified. Returns where it is, *n bytes, no NUL
 * follows; valid while the connection lives. NULL: there is none. */
const void *nrpc_tls_peer_name(const struct nrpc_call *call, enum nrpc_tls_name kind, unsigned i,
                               size_t *n);

/* --- The filter's own ------------------------------------------------------------------------- */

struct nrpc_tls_link {
    mbedtls_ssl_context ssl;
    const uint8_t *rx; /* while something is received: what is left of it */
    uint8_t *tx;       /* while something is transmitted: where it goes */
    size_t rx_bytes, tx_room;
    uint16_t turn; /* of those that wait to begin the arithmetic, the lowest is next */
    uint8_t state, flags;
};

struct nrpc_tls_state {
    mbedtls_ssl_config config;
    mbedtls_x509_crt certificate, authority;
    mbedtls_pk_context key;
#ifdef MBEDTLS_SSL_SRV_C
    mbedtls_ssl_ticket_context tickets; /* a server's */
#endif
    mbedtls_ssl_session session; /* a client's, to be resumed */
    uint16_t turns;              /* taken by links that came to wait */
    uint8_t has_session;
};

/* platform.c: random numbers for Mbed TLS; what its clocks say; NRPC_TLS_HANDSHAKE_MS: what a
 * handshake has taken, and how long the next has to wait. */
int nrpc_tls_random(void *unused, unsigned char *buf, size_t n);
const char *nrpc_tls_seed(const struct nrpc_tls *tls);
void nrpc_tls_clock(uint32_t now_ms);
void nrpc_tls_spend(uint32_t ms);
uint32_t nrpc_tls_wait_ms(void);

NRPC_END_C

#endif
