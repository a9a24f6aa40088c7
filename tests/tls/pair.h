/* tests/tls/pair.h - Mbed TLS as a client, a server behind the filter; all in memory.
 * Layer: test. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef PAIR_H
#define PAIR_H

#include <mbedtls/ssl.h>

#include "ports/nrpc_link.h"
#include "ports/mbedtls/nrpc_tls.h"
#include "tests/unit/test.h"
#include "tests/unit/wire.h"

/* Those that the profile has. */
static const uint16_t versions[] = {
#if NRPC_TLS_12
    MBEDTLS_SSL_VERSION_TLS1_2,
#endif
#if NRPC_TLS_13
    MBEDTLS_SSL_VERSION_TLS1_3,
#endif
};
#define EACH_VERSION(v) for (unsigned v = 0; v < sizeof versions / sizeof versions[0]; v++)

enum pair_way { PAIR_WHOLE, PAIR_BYTES, PAIR_CUT }; /* how the server gets what the client sends */
enum { PAIR_BYTES_MAX = 1 << 17 };

struct pair;

/* What a client does; all zero but for host is a good one without a certificate. */
struct pair_options {
    struct nrpc_tls_bytes certificate, key, authority; /* authority: certs_ca_crt unless given */
    const char **protocols;                            /* {"h2", NULL} unless given */
    const char *host;                                  /* "device.test" unless given */
    uint16_t version;                                  /* the only one; 0: any */
    const mbedtls_ssl_session *session;
    uint32_t now_ms;                  /* when it comes; 0: 1000 */
    void (*spoil)(struct pair *pair); /* what stands in `up` behind n_fed may be altered now */
};

struct pair {
    const struct nrpc_server *server;
    struct nrpc_conn *conn;
    struct pair_options options;
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config config;
    mbedtls_x509_crt authority, certificate;
    mbedtls_pk_context key;
    enum pair_way way;
    size_t at, room; /* of PAIR_CUT; the server's room to transmit */
    uint32_t now_ms;
    int is_open, result; /* the client's end: handshake done; 0, or its error */
    int saw_end;         /* close_notify has come */
    int silent;          /* the client does nothing for now */
    int failed;          /* how often the server has said so */
    struct nrpc_tls_failure failure;
    size_t n_written; /* of wire.in */
    uint8_t up[PAIR_BYTES_MAX], down[PAIR_BYTES_MAX];
    size_t n_up, n_fed, n_down, n_read;
};

/* The server's own, for each kind; started at the first use. They all serve raw_server's two
 * connections. */
const struct nrpc_server *pair_server(enum nrpc_tls_clients clients);

/* A client with these options, and a connection. 0: the server had no memory for one. */
int pair_open(struct pair *pair, const struct nrpc_server *server,
              const struct pair_options *options);

/* Until nothing moves any more. The client sends wire.in when its handshake is done; what comes is
 * in wire.out. */
void pair_run(struct pair *pair);

/* As a port does: the server's end is lost; the client's is freed. */
void pair_close(struct pair *pair);

/* All of it, and the text of what came back. */
const char *pair_talk(struct pair *pair, const struct nrpc_server *server,
                      const struct pair_options *options);

/* --- Around nrpc_tls_calloc, and the server's calls ----------------------------------------- */

/* The server side has NRPC_TLS_MEMORY_BYTES, the client's has as many of its own.
 * Of blocks that the server side took: bytes now, at most, and how many were ever asked for. The
 * size is what Mbed TLS asks for, and 8 bytes a block. */
enum { PAIR_ASKED_MAX = 65536 };
struct pair_memory {
    uint32_t used, peak;
    unsigned asked;
    unsigned fail_at; /* the one that gets none, counted from 1; 0: each gets its own */
};
extern struct pair_memory pair_memory;
extern const void *pair_askers[PAIR_ASKED_MAX]; /* where in the code each was asked for */

/* Which of the n that were asked for last are worth to be let fail: is_chosen[0..n - 1], 0 or 1. */
void pair_choose(uint8_t *is_chosen, unsigned n);

/* Leaves the server side so many bytes, a multiple of 8, beside what it has taken; 0: all. */
void pair_spare(uint32_t bytes);
/* How many more bytes than are taken the text of nrpc_tls_start asks for. */
uint32_t pair_needed(const char *wrong);

/* What is taken between them is counted, and may fail. pair.c calls them around its server's
 * functions. */
void pair_enter(void);
void pair_leave(void);

/* For a struct nrpc_tls. */
int pair_entropy(void *buf, size_t n);
uint64_t pair_unix_s(void);
uint32_t pair_now_ms(void);
extern uint32_t pair_clock_step_ms; /* by which it has gone on each time; 0 */
extern int pair_clock_works; /* it goes on with the server's arithmetic, too: a second or two for a
                              * handshake */

/* Instructions that the server side has taken, where they can be counted (a Cortex-M3 in QEMU with
 * -icount); else 0. */
extern uint64_t pair_cost;

#endif
