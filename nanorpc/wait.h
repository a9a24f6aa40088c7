/* nanorpc/wait.h - blocking calls over those of client.h, for systems with threads or a loop that
 * may be nested.
 * Layer: core, public; NAME.client.h includes it. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_WAIT_H
#define NANORPC_WAIT_H

#include "nanorpc/client.h"

NRPC_BEGIN_C

/* These functions wait by calling channel->poll, which the application sets once:
 *
 *     static void poll(uint32_t timeout_ms) { nrpc_posix_poll((int)timeout_ms); }
 *     channel.poll = poll;
 *     status = Greeter_SayHello_wait(&channel, NULL, &request, &reply);
 *
 * It moves the port's bytes, and returns when something has happened, after timeout_ms at the
 * latest. Other calls and handlers run inside; so do not wait inside a handler or an event. One
 * thread may be in here, the one that polls the port; any, with channel->threads. A call of a
 * channel that no port dials ends with NRPC_UNAVAILABLE after the second poll. Streams:
 *
 *     struct nrpc_wait wait;
 *     if (NAME_open(&wait, &channel, NULL, &request) == 0)     or without a request, then NAME_put
 *         while (NAME_get(&wait, &reply)) { ... }
 *     status = nrpc_wait_end(&wait, NULL);                     of client streaming: NAME_end
 * Metadata: nrpc_call_add_header(wait.call, ...) right after NAME_open. A unary call with them is
 * NAME_open and NAME_end. */

/* For channel->threads: what lets several threads use the functions below at the same time; a port
 * gives it, and the function for channel->poll that belongs to it (nrpc_lwip_sockets_tasks.h). A
 * call that may not wait, in a handler, an event or an interrupt, is then refused:
 * NRPC_FAILED_PRECONDITION, "handlers and interrupts cannot wait for calls"; NAME_open returns
 * NRPC_E_STATE. Whatever else works on a call, wait.call too, needs its own enter and leave. */
struct nrpc_threads {
    /* Waits until nobody else touches a call; nests. Returns 0, or an error: the caller must not
     * wait. */
    int (*enter)(void);
    void (*leave)(void);
};

/* A stream that is waited for; the application's, from NAME_open until nrpc_wait_end. */
struct nrpc_wait {
    struct nrpc_channel *channel;
    struct nrpc_call *call; /* NULL: over */
    void *reply;            /* where the next reply goes */
    /* Called when the call ends, whatever ends it, for what the server has sent:
     * nrpc_call_metadata, nrpc_call_detail. To be set right after NAME_open; NULL: not told. */
    void (*at_end)(struct nrpc_call *call);
    char *message;
    enum nrpc_status status;
    uint8_t has_reply;
    uint8_t unasked; /* polls in a row in which nobody has asked the channel's dial */
};

/* Begins a call. Returns 0; NRPC_E_LIMIT, NRPC_E_TOO_BIG, NRPC_E_PATH: see nrpc_client_start, and
 * nrpc_wait_end then gives NRPC_RESOURCE_EXHAUSTED; NRPC_E_STATE: see struct nrpc_threads. */
int nrpc_wait_open(struct nrpc_wait *wait, struct nrpc_channel *channel,
                   const struct nrpc_client_method *method, const struct nrpc_call_options *options,
                   const void *request, const struct nrpc_events *events);

/* Sends the next request; waits until there is room for it. The server may want its replies to be
 * got first: then only a deadline ends this. Returns 0; NRPC_E_STATE: the server has ended the
 * call, replies that have come can still be got, nrpc_wait_end says why; NRPC_E_TOO_BIG. To end the
 * requests before the replies: nrpc_call_close_writes(wait.call), while that is not NULL. */
int nrpc_wait_put(struct nrpc_wait *wait, const void *request);

/* Waits for the next reply. Returns 1: *reply is filled; 0: there are no more. */
int nrpc_wait_get(struct nrpc_wait *wait, void *reply);

/* Ends the requests, drops the replies that were not got (reply: NULL) or waits for the only one
 * (client streaming), and waits for the end. Returns the status; for less patience:
 * nrpc_call_finish(wait.call, NRPC_CANCELLED, NULL) first. */
enum nrpc_status nrpc_wait_end(struct nrpc_wait *wait, void *reply);

/* A unary call. Returns its status; NRPC_RESOURCE_EXHAUSTED also where NAME_open would return
 * an error; channel->error says which. */
enum nrpc_status nrpc_wait_unary(struct nrpc_channel *channel,
                                 const struct nrpc_client_method *method,
                                 const struct nrpc_call_options *options, const void *request,
                                 void *reply, const struct nrpc_events *events);

/* For the generated events. n: sizeof the reply. */
enum nrpc_status nrpc_wait_reply(struct nrpc_call *call, const void *reply, size_t n);
void nrpc_wait_done(struct nrpc_call *call, enum nrpc_status status, const char *message);

NRPC_END_C

#endif
