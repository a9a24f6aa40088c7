/* tests/unit/raw_client.h - a channel without nanopb, in all kinds of calls, that takes notes.
 * Layer: test. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RAW_CLIENT_H
#define RAW_CLIENT_H

#include "nanorpc/client.h"

/* The log: for each call N, by the order of their starts: "Nh" headers, "N'text'" a reply (long
 * ones: "N<bytes>"), "Nw" writable, "N=5" or "N=5(message)" done. */
extern struct nrpc_channel raw_channel; /* requests of 64 bytes, replies of 100, as raw_server's */

enum { RAW_CLIENT_CALLS = 16 };
struct raw_client {
    unsigned n_started, n_done;
    struct nrpc_call *calls[RAW_CLIENT_CALLS]; /* from 1; NULL once it is over */
    unsigned hold;                             /* replies after which PENDING is answered, by bit */
    unsigned n_replies;
    int fails; /* a reply is answered with NRPC_DATA_LOSS */
    void (*on_done)(unsigned n);
    void (*on_writable)(unsigned n);
};
extern struct raw_client raw_client;

/* Begins anew: nothing has ever been called. */
void raw_client_reset(void);
const char *raw_client_log(void);

/* What a test does in the place of an application. method: a name of raw_service.h's. text: NULL: a
 * stream of requests. */
unsigned raw_start(const char *method, const char *text, const struct nrpc_call_options *options);
int raw_write(unsigned n, const char *text);

/* A turn of the channel's timer. Returns what nrpc_dial_wait_ms does. */
uint32_t raw_client_tick(uint32_t now_ms);
/* A link: raw_client_tick says that it is wanted. */
struct nrpc_conn *raw_client_link(uint32_t now_ms);

/* A script for wire.h: starts() begins calls, there is a link, the server's first bytes, and then
 * all that we have to say. Text: what we send, then the log. */
void raw_client_begin(void (*starts)(void));
void raw_client_begin_bare(void (*starts)(void)); /* nothing of the server's yet */
/* Response headers; trailers, message: NULL for none. */
void raw_answer(uint32_t id);
void raw_trailers(uint32_t id, const char *status, const char *message);

#endif
