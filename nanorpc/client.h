/* nanorpc/client.h - calling other servers: channels, calls, and what their owners are told.
 * Layer: core, public; NAME.client.h includes it. Source: gRPC over HTTP2; gRPC "Wait for Ready",
 * "Retry" (transparent).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_CLIENT_H
#define NANORPC_CLIENT_H

#include "nanorpc/channel.h"

NRPC_BEGIN_C

/* Needs NRPC_CLIENT=1 (config.h). A call of a unary method looks like this; NAME is
 * PACKAGE_SERVICE_METHOD, from NAME.client.h:
 *
 *     NRPC_CHANNEL_DEFINE(channel, "station.example:50051", Greeter_client);
 *     static enum nrpc_status got(struct nrpc_call *call, const HelloReply *reply)
 *     { ...; return NRPC_OK; }
 *     static void done(struct nrpc_call *call, enum nrpc_status status, const char *message)
 *     { ... }
 *     static const struct Greeter_SayHello_events events = {.reply = got, .on.done = done};
 *
 *     nrpc_posix_dial(&channel.dial, "station.example", 50051);     once; see the port's header
 *     Greeter_SayHello_start(&channel, NULL, &request, &events);    whenever; then poll the port
 *
 * NAME_start begins a call and never waits. A call may begin before the link is up: it goes out
 * with it. Everything else comes back through `events`, from the port's poll function, until `done`
 * has been told, once. A channel that no port dials yet is not asked: its calls wait for that, and
 * their deadlines begin with it; a dial that is stopped (undial) ends them all. After `done` the
 * call is dead. Streams of requests: NAME_write, then
 * nrpc_call_close_writes. Blocking calls, for systems that can wait: wait.h.
 *
 * Functions of nanorpc.h that work on these calls, from the same context:
 *     nrpc_call_user            the application's own bytes; zero at first
 *     nrpc_call_add_header      request metadata: right after NAME_start, before the port is polled
 *     nrpc_call_metadata        what the server has sent for the channel's keys: initial metadata
 *                               from `headers` on, trailing as well in `done`
 *     nrpc_call_time_left_ms    what is left of options->timeout_ms: all of it until the port
 *                               is polled next
 *     nrpc_call_wake            goes on with replies after NRPC_PENDING
 *     nrpc_call_finish          gives the call up: `done` gets that status and message when the
 *                               port is polled next, the server a reset
 *     nrpc_call_detail          details.h: what came with the status, in `done` */

/* What a call's owner is told; in flash. The generated struct NAME_events has it as member `on`,
 * beside `reply`:
 *     enum nrpc_status (*reply)(struct nrpc_call *call, const Reply *reply);
 * a reply; borrowed for the call of this function. Returns NRPC_OK: go on; NRPC_PENDING: no further
 * one until nrpc_call_wake (the server is held back by its window); any other: as nrpc_call_finish
 * with it. That of a unary or client-streaming call comes only if the status is NRPC_OK, right
 * before `done`. */
struct nrpc_events {
    /* The server's initial metadata have come. NULL: not told. */
    void (*headers)(struct nrpc_call *call);
    /* Streams of requests: NAME_write would take one now; after each one that has left. NULL: not
     * told. */
    void (*writable)(struct nrpc_call *call);
    /* The call is over, for whatever reason; told once, last. message: of the status, "" for none,
     * no longer than NRPC_STATUS_MESSAGE_MAX - 1; borrowed until the return or the start of another
     * call. `call` dies on return. */
    void (*done)(struct nrpc_call *call, enum nrpc_status status, const char *message);
};

/* How a call is made. All zero, or NULL for a pointer to it: without a deadline, and not waiting.
 */
struct nrpc_call_options {
    /* Deadline, from when the port is polled next; 0: none. The server is told, unless it is over
     * 99999999 (27 hours), and it is enforced here: NRPC_DEADLINE_EXCEEDED. Milliseconds. */
    uint32_t timeout_ms;
    /* 1: waits for a link for as long as that takes; 0: NRPC_UNAVAILABLE when an attempt to open
     * one fails, or while the channel waits after a failure. */
    uint8_t wait_for_ready;
#if NRPC_COMPRESSION
    /* enum nrpc_encoding: requests are compressed so, where that makes them smaller, or until
     * nrpc_call_compress(call, 0). A server that does not know it answers UNIMPLEMENTED. 0: they
     * are not. */
    uint8_t compress;
#endif
    /* wait.h only: where the status message goes, NRPC_STATUS_MESSAGE_MAX bytes, kept until the
     * call is over; "" at first. NULL: nowhere. */
    char *message;
};

/* One method, in flash; the generator writes it. */
struct nrpc_client_method {
    struct nrpc_method method; /* request: what comes in; reply: what goes out; kind: see
                                  NRPC_CALLER */
    const char *path;          /* "/package.Service/Method" */
    enum nrpc_status (*got)(struct nrpc_call *call, const void *reply,
                            const struct nrpc_events *events);
};

/* Begins a call; the generated NAME_start checks types. options: borrowed for the call of this
 * function. request: the same, it is encoded before the return; NULL: a stream of requests. events:
 * kept until the call is over. Returns the call, or NULL; then channel->error says why:
 * NRPC_E_LIMIT: all NRPC_MAX_STREAMS of the channel are taken (try after a `done`);
 * NRPC_E_TOO_BIG: the request does not encode within its maximum; NRPC_E_PATH: authority and path
 * are too long. Calls no function of `events`. */
struct nrpc_call *nrpc_client_start(struct nrpc_channel *channel,
                                    const struct nrpc_client_method *method,
                                    const struct nrpc_call_options *options, const void *request,
                                    const struct nrpc_events *events);

/* For NAME_write: the next request of a stream, borrowed. Returns 0; NRPC_E_AGAIN: the one before
 * has not left, nothing was taken, `writable` comes; NRPC_E_STATE: closed, or the server has ended
 * the call; NRPC_E_TOO_BIG: it does not encode within its maximum, nothing was taken. */
int nrpc_client_write(struct nrpc_call *call, const void *request);

/* The stream of requests ends after what was written. Returns 0 or NRPC_E_STATE. */
int nrpc_call_close_writes(struct nrpc_call *call);

/* The events that the call was started with. */
const struct nrpc_events *nrpc_call_events(const struct nrpc_call *call);

/* For methods: their handler and their `cancelled`. reply: what the codec has decoded; NULL: the
 * response has ended. */
enum nrpc_status nrpc_client_message(struct nrpc_call *call, const void *reply, void *unused);
void nrpc_client_cancelled(struct nrpc_call *call, enum nrpc_status why);

NRPC_END_C

#endif
