/* nanorpc/client/nrpc_wait.c - blocking calls: the port is polled until what is waited for has
 * come.
 * Layer: core. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/config.h"
#if NRPC_CLIENT
#include "nanorpc/wait.h"

#include <string.h>

#include "nanorpc/client/nrpc_caller.h"

enum { POLL_MS = 1000, UNASKED_MAX = 1 };

static int enter(const struct nrpc_channel *channel)
{
    return channel->threads ? channel->threads->enter() : 0;
}

static void leave(const struct nrpc_channel *channel)
{
    if (channel->threads) {
        channel->threads->leave();
    }
}

static void end(struct nrpc_wait *wait, enum nrpc_status status, const char *message)
{
    wait->call = NULL;
    wait->status = status;
    if (wait->message) {
        size_t n = strlen(message);
        n = n < NRPC_STATUS_MESSAGE_MAX ? n : NRPC_STATUS_MESSAGE_MAX - 1;
        memcpy(wait->message, message, n);
        wait->message[n] = '\0';
    }
}

/* Whoever drives the channel's port asks its dial, too. If nobody does, there is no clock by which
 * a deadline could pass: the call ends now. */
static void poll_port(struct nrpc_wait *wait)
{
    const struct nrpc_dial *dial = &wait->channel->dial;
    uint16_t asked = dial->asked;
    wait->channel->poll(POLL_MS);
    wait->unasked = (uint8_t)(dial->asked == asked ? wait->unasked + 1 : 0);
    if (wait->unasked > UNASKED_MAX && wait->call) {
        nrpc_client_abandon(wait->call);
    }
}

/* held: replies come when they are asked for. */
static int start(struct nrpc_wait *wait, struct nrpc_channel *channel,
                 const struct nrpc_client_method *method, const struct nrpc_call_options *options,
                 const void *request, const struct nrpc_events *events, int held)
{
    int error = 0;
    memset(wait, 0, sizeof *wait);
    wait->channel = channel;
    wait->message = options ? options->message : NULL;
    if (enter(channel) != 0) {
        end(wait, NRPC_FAILED_PRECONDITION, "handlers and interrupts cannot wait for calls");
        return NRPC_E_STATE;
    }
    end(wait, NRPC_RESOURCE_EXHAUSTED, "");
    wait->call = nrpc_client_start(channel, method, options, request, events);
    if (wait->call) {
        struct nrpc_call *call = wait->call;
        NRPC_CALL_IN(call);
        nrpc_call_user(call)->ptr = wait;
        call->flags |= held ? NRPC_CALL_HELD : 0;
    } else {
        error = channel->error;
    }
    leave(channel);
    return error;
}

int nrpc_wait_open(struct nrpc_wait *wait, struct nrpc_channel *channel,
                   const struct nrpc_client_method *method, const struct nrpc_call_options *options,
                   const void *request, const struct nrpc_events *events)
{
    return start(wait, channel, method, options, request, events, 1);
}

int nrpc_wait_put(struct nrpc_wait *wait, const void *request)
{
    int error = NRPC_E_STATE;
    if (enter(wait->channel) != 0) {
        return NRPC_E_STATE;
    }
    while (wait->call && (error = nrpc_client_write(wait->call, request)) == NRPC_E_AGAIN) {
        poll_port(wait);
    }
    error = wait->call ? error : NRPC_E_STATE;
    leave(wait->channel);
    return error;
}

int nrpc_wait_get(struct nrpc_wait *wait, void *reply)
{
    if (enter(wait->channel) != 0) {
        return 0;
    }
    wait->reply = reply;
    wait->has_reply = 0;
    if (wait->call) {
        nrpc_call_wake(wait->call);
    }
    while (wait->call && !wait->has_reply) {
        poll_port(wait);
    }
    wait->reply = NULL;
    leave(wait->channel);
    return wait->has_reply;
}

enum nrpc_status nrpc_wait_end(struct nrpc_wait *wait, void *reply)
{
    if (enter(wait->channel) != 0) {
        return NRPC_FAILED_PRECONDITION;
    }
    wait->reply = reply;
    if (wait->call) {
        nrpc_call_close_writes(wait->call);
        nrpc_call_wake(wait->call);
    }
    while (wait->call) {
        poll_port(wait);
    }
    leave(wait->channel);
    return wait->status;
}

enum nrpc_status nrpc_wait_unary(struct nrpc_channel *channel,
                                 const struct nrpc_client_method *method,
                                 const struct nrpc_call_options *options, const void *request,
                                 void *reply, const struct nrpc_events *events)
{
    struct nrpc_wait wait;
    int error = enter(channel); /* one stay: no reply comes before there is a place for it */
    enum nrpc_status status;
    start(&wait, channel, method, options, request, events, 0);
    status = nrpc_wait_end(&wait, reply);
    if (!error) {
        leave(channel);
    }
    return status;
}

enum nrpc_status nrpc_wait_reply(struct nrpc_call *call, const void *reply, size_t n)
{
    struct nrpc_wait *wait = nrpc_call_user(call)->ptr;
    if (!wait->reply) {
        return NRPC_OK; /* dropped */
    }
    memcpy(wait->reply, reply, n);
    wait->reply = NULL;
    wait->has_reply = 1;
    return NRPC_PENDING;
}

void nrpc_wait_done(struct nrpc_call *call, enum nrpc_status status, const char *message)
{
    struct nrpc_wait *wait = nrpc_call_user(call)->ptr;
    if (wait->at_end) {
        wait->at_end(call);
    }
    end(wait, status, message);
}

#endif
