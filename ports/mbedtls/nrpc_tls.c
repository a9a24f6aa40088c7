/* ports/mbedtls/nrpc_tls.c - the filter: one connection's bytes through Mbed TLS, without I/O.
 * Layer: port. Source: RFC 8446, RFC 5246, RFC 9113 9.2; Mbed TLS 3.6 ssl.h.
 * SPDX-License-Identifier: Apache-2.0 */
#define MBEDTLS_ALLOW_PRIVATE_ACCESS

#include "nanorpc/http2/nrpc_conn.h"
#include "ports/mbedtls/nrpc_tls.h"
#include "ports/mbedtls/nrpc_tls_link.h"

#include <string.h>

/* What a record has around its content: header, nonce and tag of AES-GCM in TLS 1.2; TLS 1.3 has
 * less. */
enum { RECORD_OVERHEAD = 5 + 8 + 16 };
enum { CERTIFICATE_REQUIRED = 116 }; /* an alert that Mbed TLS does not name */

NRPC_STATIC_ASSERT(NRPC_LINK_MIN - NRPC_TRANSMIT_MIN >= RECORD_OVERHEAD,
                   "NRPC_LINK_MIN: room for a record's overhead");
NRPC_STATIC_ASSERT(MBEDTLS_SSL_OUT_CONTENT_LEN > NRPC_TRANSMIT_MIN,
                   "MBEDTLS_SSL_OUT_CONTENT_LEN: more than NRPC_TRANSMIT_MIN");

enum state {
    HANDSHAKE,
    OPEN,
    OVER
}; /* OVER: nothing but what lies in Mbed TLS's output buffer leaves */
/* PEER_DONE: its close_notify has come. WAITS: for the turn of its handshake. */
enum flag { PEER_DONE = 1, RESUMED = 2, LATE = 4, WAITS = 8 };
enum { UNMEASURED_MS = 100 }; /* that a handshake is taken for where there is no clock */

static struct nrpc_tls_link *link_of(const struct nrpc_conn *conn)
{
    return &conn->server->tls->links[conn - conn->server->conns];
}

/* --- Mbed TLS's own I/O: out of and into what the port holds right now ------------------------ */

static int take(void *context, unsigned char *buf, size_t n)
{
    struct nrpc_tls_link *link = context;
    if (n > link->rx_bytes) {
        n = link->rx_bytes;
    }
    if (!n) {
        return MBEDTLS_ERR_SSL_WANT_READ;
    }
    memcpy(buf, link->rx, n);
    link->rx += n;
    link->rx_bytes -= n;
    return (int)n;
}

static int give(void *context, const unsigned char *buf, size_t n)
{
    struct nrpc_tls_link *link = context;
    if (n > link->tx_room) {
        n = link->tx_room;
    }
    if (!n) {
        return MBEDTLS_ERR_SSL_WANT_WRITE;
    }
    memmove(link->tx, buf, n);
    link->tx += n;
    link->tx_room -= n;
    return (int)n;
}

/* --- The ends of a link ----------------------------------------------------------------------- */

static int may_go_on(const struct nrpc_tls_link *link, int result)
{
    return !link->ssl.send_alert &&
           (result == MBEDTLS_ERR_SSL_WANT_READ || result == MBEDTLS_ERR_SSL_WANT_WRITE ||
            result == MBEDTLS_ERR_SSL_CRYPTO_IN_PROGRESS);
}

/* An alert for errors of which Mbed TLS has told the peer nothing. 0: it has. */
static unsigned char alert_for(const struct nrpc_tls_failure *failure,
                               mbedtls_ssl_protocol_version version)
{
    switch (failure->error) {
    case NRPC_TLS_NO_H2: return MBEDTLS_SSL_ALERT_MSG_NO_APPLICATION_PROTOCOL;
    case NRPC_TLS_LONG_RECORD: return MBEDTLS_SSL_ALERT_MSG_RECORD_OVERFLOW;
    case MBEDTLS_ERR_X509_CERT_VERIFY_FAILED:
        return failure->flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED ? MBEDTLS_SSL_ALERT_MSG_UNKNOWN_CA
               : failure->flags & MBEDTLS_X509_BADCERT_EXPIRED ? MBEDTLS_SSL_ALERT_MSG_CERT_EXPIRED
                                                               : MBEDTLS_SSL_ALERT_MSG_BAD_CERT;
    case MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE: /* RFC 8446 6.2, RFC 5246 7.4.6 */
        return version == MBEDTLS_SSL_VERSION_TLS1_2 ? MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE
                                                     : CERTIFICATE_REQUIRED;
    case MBEDTLS_ERR_SSL_ALLOC_FAILED: return MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR;
    default: return 0;
    }
}

/* The record that came last is longer than our buffer: Mbed TLS has no error of its own for it. */
static int is_long(const mbedtls_ssl_context *ssl, int error)
{
    unsigned length = (unsigned)ssl->in_len[0] << 8 | ssl->in_len[1];
    return (error == MBEDTLS_ERR_SSL_BAD_INPUT_DATA || error == MBEDTLS_ERR_SSL_INVALID_RECORD) &&
           ssl->in_left >= 5 && ssl->in_hdr[0] >= MBEDTLS_SSL_MSG_CHANGE_CIPHER_SPEC &&
           ssl->in_hdr[0] <= MBEDTLS_SSL_MSG_APPLICATION_DATA &&
           length > MBEDTLS_SSL_IN_CONTENT_LEN;
}

/* The alert that the peer has sent, or 0. Of a client that refuses our certificate in TLS 1.3 it
 * may come in plain text (from OpenSSL and BoringSSL it does), where Mbed TLS wants a record that
 * is encrypted: it ends the link in either case. */
static unsigned char alert_from(const mbedtls_ssl_context *ssl, int error)
{
    const unsigned char *record = ssl->in_hdr;
    if (error == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) {
        return ssl->in_msg[1];
    }
    return error == MBEDTLS_ERR_SSL_INVALID_MAC && record[0] == MBEDTLS_SSL_MSG_ALERT &&
                   !record[3] && record[4] == 2
               ? record[6]
               : 0;
}

static void fail(struct nrpc_conn *conn, int error)
{
    const struct nrpc_tls *tls = conn->server->tls;
    struct nrpc_tls_link *link = link_of(conn);
    mbedtls_ssl_context *ssl = &link->ssl;
    struct nrpc_tls_failure failure = {.error = error};
    unsigned char alert;
    if (link->state == OVER) {
        return;
    }
    if (ssl->send_alert) { /* which lies in the output buffer already */
        failure.error = ssl->alert_reason;
        ssl->send_alert = 0;
    } else if (is_long(ssl, error)) {
        failure.error = NRPC_TLS_LONG_RECORD;
    }
    failure.alert = alert_from(ssl, error);
    if (failure.alert) {
        failure.error = MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE;
    }
    if ((failure.error == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED ||
         failure.error == MBEDTLS_ERR_SSL_BAD_CERTIFICATE) &&
        (ssl->session_negotiate || ssl->session)) {
        failure.flags = mbedtls_ssl_get_verify_result(ssl);
        failure.flags = failure.flags == UINT32_MAX ? 0 : failure.flags;
    }
    link->state = OVER;
    link->flags &= (uint8_t)~WAITS;
    alert = alert_for(&failure, ssl->tls_version);
    if (alert && !ssl->out_left) {
        (void)mbedtls_ssl_send_alert_message(ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL, alert);
    }
    if (link->flags & RESUMED) { /* the next one begins anew */
        mbedtls_ssl_session_free(&tls->state->session);
        tls->state->has_session = 0;
    }
    if (tls->failed) {
        tls->failed(conn, &failure);
    }
}

/* A fatal end that the peer is not told of, since it takes nothing any more. */
static void give_up(struct nrpc_tls_link *link)
{
    link->state = OVER;
    link->ssl.out_left = 0;
}

/* --- In --------------------------------------------------------------------------------------- */

/* A client keeps what its next connection resumes; the server's certificate, which was verified, is
 * not needed then. */
static void keep_session(struct nrpc_tls_state *state, mbedtls_ssl_context *ssl)
{
    mbedtls_ssl_session *session = &state->session;
    mbedtls_ssl_session_free(session);
    mbedtls_ssl_session_init(session);
    state->has_session = mbedtls_ssl_get_session(ssl, session) == 0;
    mbedtls_x509_crt_free(session->peer_cert);
    nrpc_tls_free(session->peer_cert);
    session->peer_cert = NULL;
}

/* Mbed TLS leaves the client's certificate to us (VERIFY_OPTIONAL): in TLS 1.3 its alert would be
 * encrypted with a key that the client does not use any more. */
static int refuses_client(struct nrpc_conn *conn)
{
    const mbedtls_ssl_context *ssl = &link_of(conn)->ssl;
    if (!mbedtls_ssl_get_peer_cert(ssl)) {
        if (conn->server->tls->clients != NRPC_TLS_CLIENTS_VERIFIED) {
            return 0;
        }
        fail(conn, MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE);
        return 1;
    }
    if (mbedtls_ssl_get_verify_result(ssl)) {
        fail(conn, MBEDTLS_ERR_X509_CERT_VERIFY_FAILED);
        return 1;
    }
    return 0;
}

/* The client's hello is read, and its answer is what costs: now, or when others have had their
 * turns? Nothing but ticks and transmitting goes on with it then. */
static int has_to_wait(struct nrpc_conn *conn)
{
    const struct nrpc_tls *tls = conn->server->tls;
    struct nrpc_tls_link *link = link_of(conn);
    int waits = nrpc_tls_wait_ms() != 0;
    if (!(link->flags & WAITS)) {
        link->turn = tls->state->turns++;
        link->flags |= WAITS;
        conn->flags |= NRPC_CONN_TIMER; /* the port asks how long */
    }
    for (unsigned i = 0; i < tls->n_links; i++) {
        waits |= (tls->links[i].flags & WAITS) &&
                 (int16_t)(uint16_t)(tls->links[i].turn - link->turn) < 0;
    }
    if (!waits) {
        link->flags &= (uint8_t)~WAITS;
        nrpc_tls_spend(tls->now_ms ? 0 : UNMEASURED_MS);
    }
    return waits;
}

/* As mbedtls_ssl_handshake. */
static int go_on(struct nrpc_conn *conn)
{
    const struct nrpc_tls *tls = conn->server->tls;
    mbedtls_ssl_context *ssl = &link_of(conn)->ssl;
    uint32_t since_ms = tls->now_ms ? tls->now_ms() : 0;
    int result = 0;
    while (!result && ssl->state != MBEDTLS_SSL_HANDSHAKE_OVER) {
        result = !tls->host && ssl->state == MBEDTLS_SSL_SERVER_HELLO && has_to_wait(conn)
                     ? MBEDTLS_ERR_SSL_WANT_READ
                     : mbedtls_ssl_handshake_step(ssl);
    }
    if (!tls->host && tls->now_ms) {
        nrpc_tls_spend(tls->now_ms() - since_ms);
    }
    return result;
}

static void handshake(struct nrpc_conn *conn)
{
    const struct nrpc_tls *tls = conn->server->tls;
    struct nrpc_tls_link *link = link_of(conn);
    mbedtls_ssl_context *ssl = &link->ssl;
    int result = go_on(conn);
    if (result) {
        if (!may_go_on(link, result)) {
            fail(conn, result);
        }
        return;
    }
    if (!mbedtls_ssl_get_alpn_protocol(ssl)) {
        fail(conn, NRPC_TLS_NO_H2);
        return;
    }
    if (refuses_client(conn)) {
        return;
    }
    link->state = OPEN;
    if (tls->host && ssl->tls_version == MBEDTLS_SSL_VERSION_TLS1_2) {
        keep_session(tls->state, ssl);
    }
}

/* Gives the core what is decrypted, until there is no more, or it must send first. The core reads
 * it where Mbed TLS has it. Nothing can be given out meanwhile. */
static void feed(struct nrpc_conn *conn)
{
    struct nrpc_tls_link *link = link_of(conn);
    mbedtls_ssl_context *ssl = &link->ssl;
    while (link->state == OPEN && !(link->flags & PEER_DONE)) {
        int result = mbedtls_ssl_read(ssl, NULL, 0);
        size_t n = mbedtls_ssl_get_bytes_avail(ssl), used;
        if (n) {
            used = nrpc_conn_receive(conn, ssl->in_offt, n, conn->now_ms);
            if (used) {
                /* To where it is already; Mbed TLS then wipes it. */
                (void)mbedtls_ssl_read(ssl, ssl->in_offt, used);
            }
            if (used < n) {
                return;
            }
        } else if (result == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
            link->flags |= PEER_DONE;
        } else if (NRPC_TLS_13 && result == MBEDTLS_ERR_SSL_WANT_READ &&
                   ssl->state == MBEDTLS_SSL_TLS1_3_NEW_SESSION_TICKET) {
            continue; /* it is all there, and, left for now, the next write would come upon it */
        } else if (result == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) {
            keep_session(conn->server->tls->state, ssl);
        } else if (result == MBEDTLS_ERR_SSL_WANT_WRITE &&
                   ssl->in_msgtype == MBEDTLS_SSL_MSG_HANDSHAKE) {
            fail(conn, NRPC_TLS_RENEGOTIATION); /* Mbed TLS has answered no_renegotiation */
        } else if (result) {
            if (!may_go_on(link, result)) {
                fail(conn, result);
            }
            return;
        }
    }
}

/* --- ports/nrpc_link.h ------------------------------------------------------------------------ */

int nrpc_tls_begin(struct nrpc_conn *conn, uint32_t now_ms)
{
    const struct nrpc_tls *tls = conn->server->tls;
    struct nrpc_tls_link *link = link_of(conn);
    mbedtls_ssl_context *ssl = &link->ssl;
    int result;
    nrpc_tls_clock(now_ms);
    memset(link, 0, sizeof *link);
    mbedtls_ssl_init(ssl);
    result = mbedtls_ssl_setup(ssl, &tls->state->config);
    mbedtls_ssl_set_bio(ssl, link, give, take, NULL);
    if (!result && tls->host) {
        result = mbedtls_ssl_set_hostname(ssl, tls->host);
        if (!result && tls->state->has_session &&
            !mbedtls_ssl_set_session(ssl, &tls->state->session)) {
            link->flags = RESUMED;
        }
    }
    if (result) {
        struct nrpc_tls_failure failure = {.error = MBEDTLS_ERR_SSL_ALLOC_FAILED};
        if (tls->failed) {
            tls->failed(conn, &failure);
        }
        mbedtls_ssl_free(ssl);
        return NRPC_E_LIMIT;
    }
    return 0;
}

size_t nrpc_tls_receive(struct nrpc_conn *conn, const void *data, size_t n, uint32_t now_ms)
{
    struct nrpc_tls_link *link = link_of(conn);
    nrpc_tls_clock(now_ms);
    conn->now_ms = now_ms;
    link->rx = data;
    link->rx_bytes = n;
    if (link->state == HANDSHAKE) {
        handshake(conn);
    }
    feed(conn);
    if (link->state != OVER && !(link->flags & PEER_DONE)) {
        n -= link->rx_bytes;
    }
    link->rx_bytes = 0;
    return n;
}

/* Makes a record in place: its content is made where it will go; Mbed TLS encrypts it in its own
 * buffer, and gives it back to the same place. */
static void make_record(struct nrpc_conn *conn, struct nrpc_tls_link *link)
{
    mbedtls_ssl_context *ssl = &link->ssl;
    size_t room = link->tx_room - RECORD_OVERHEAD,
           most = (size_t)mbedtls_ssl_get_max_out_record_payload(ssl), n;
    if (room > most) {
        room = most;
    }
    if (mbedtls_ssl_get_bytes_avail(ssl)) { /* what the core did not take, it may take now */
        size_t left = link->tx_room;
        link->tx_room = 0;
        feed(conn);
        link->tx_room = left;
        if (link->state != OPEN) {
            return;
        }
    }
    n = nrpc_conn_transmit(conn, link->tx, room);
    if (n) {
        int result = mbedtls_ssl_write(ssl, link->tx, n);
        if (result != (int)n) {
            fail(conn, result);
        }
        room = link->tx_room;
        link->tx_room = 0;
        feed(conn); /* what had to wait for this */
        link->tx_room = room;
    } else if (nrpc_conn_closing(conn) || (link->flags & PEER_DONE)) {
        (void)mbedtls_ssl_close_notify(ssl);
        link->state = OVER;
    }
}

size_t nrpc_tls_transmit(struct nrpc_conn *conn, void *buf, size_t room)
{
    struct nrpc_tls_link *link = link_of(conn);
    if (room < NRPC_LINK_MIN) {
        return 0;
    }
    link->tx = buf;
    link->tx_room = room;
    if (link->state == HANDSHAKE) {
        handshake(conn);
    }
    if (link->ssl.out_left) { /* then this does nothing but give it out */
        (void)mbedtls_ssl_send_alert_message(&link->ssl, 0, 0);
    }
    if (link->state == OPEN && link->tx_room >= NRPC_LINK_MIN) {
        make_record(conn, link);
    }
    room -= link->tx_room;
    link->tx_room = 0;
    return room;
}

int nrpc_tls_closing(const struct nrpc_conn *conn)
{
    const struct nrpc_tls_link *link = link_of(conn);
    return link->state == OVER && !link->ssl.out_left;
}

uint32_t nrpc_tls_tick(struct nrpc_conn *conn, uint32_t now_ms)
{
    struct nrpc_tls_link *link = link_of(conn);
    uint32_t next;
    nrpc_tls_clock(now_ms);
    if (link->flags & WAITS) { /* for us: the peer does not stall */
        conn->flags |= NRPC_CONN_RX_PROGRESS | NRPC_CONN_TX_PROGRESS;
    }
    next = nrpc_conn_tick(conn, now_ms);
    if (link->flags & WAITS) {
        uint32_t wait_ms = nrpc_tls_wait_ms() + 1;
        next = wait_ms < next ? wait_ms : next;
    }
    if (link->state == OVER || nrpc_conn_closing(conn)) {
        if (link->state == HANDSHAKE) {
            fail(conn, NRPC_TLS_STALLED);
        }
        if (link->flags & LATE) { /* its last record does not leave */
            give_up(link);
        }
        link->flags |= LATE;
    }
    return next;
}

static int is_truncated(const struct nrpc_conn *conn, const struct nrpc_tls_link *link)
{
    if (link->flags & PEER_DONE) {
        return 0;
    }
    for (unsigned i = 0; (i = nrpc_stream_from(conn, i)) < NRPC_MAX_STREAMS; i++) {
        if (conn->calls[i].flags & NRPC_CALL_OPEN) {
            return 1;
        }
    }
    return link->state == HANDSHAKE || link->ssl.in_left;
}

void nrpc_tls_lost(struct nrpc_conn *conn)
{
    struct nrpc_tls_link *link = link_of(conn);
    if (is_truncated(conn, link)) {
        fail(conn, NRPC_TLS_TRUNCATED);
    }
    link->flags = 0;
    nrpc_conn_lost(conn);
    mbedtls_ssl_free(&link->ssl);
}
