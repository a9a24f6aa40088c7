/* boards/apps/caller/caller.c - caller.Caller/Run: calls to order, to test the client's role.
 * Layer: test; an application, see app.mk. Source: proto/caller.proto.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "board.h"
#include "caller.nrpc.h"
#include "nanorpc/details.h"
#include "simpletest.client.h"

#ifndef CALLER_CONNECTIONS
#define CALLER_CONNECTIONS 2
#endif

enum { EVENTS = 16 };

static const struct nrpc_key token = NRPC_KEY("x-token");
static const struct nrpc_key *const keys[] = {&token, &nrpc_details_key};
#if NRPC_TLS /* boards/apps/caller_public/app.mk */
extern const struct nrpc_tls caller_tls;
#define CALLER_TLS , .tls = &caller_tls
#else
#define CALLER_TLS
#endif
NRPC_CHANNEL_DEFINE_WITH(channel, "", (.keys = keys, .n_keys = 2 CALLER_TLS),
                         simpletest_SimpleTest_client);

static struct {
    struct nrpc_call_ref order; /* the call that wants to be told */
    struct nrpc_call_ref call;  /* the one that was ordered */
    caller_Order wanted;
    uint16_t port; /* that is being dialled; 0: none */
    char host[sizeof((caller_Order *)0)->host];
    uint8_t is_new, n_written, n_replies;
    uint8_t is_open;  /* of the one that was ordered, the end has not been told */
    uint8_t blocks;   /* a blocking call is waited for */
    caller_Event end; /* of that: what came with it */
    unsigned first, n_events;
    caller_Event events[EVENTS];
} state;

/* --- What comes of a call ----------------------------------------------------------------- */

static caller_Event *new_event(caller_Event_What what)
{
    static caller_Event spare;
    caller_Event *event = &spare;
    if (state.n_events < EVENTS) {
        event = &state.events[(state.first + state.n_events++) % EVENTS];
    }
    memset(event, 0, sizeof *event);
    event->what = what;
    struct nrpc_call *order = nrpc_call_of(state.order);
    if (order) {
        nrpc_call_wake(order);
    }
    return event;
}

/* As much of it as there is room for. */
static void put_text(char *to, const char *text, size_t room)
{
    size_t n = strlen(text);
    n = n < room ? n : room - 1;
    memcpy(to, text, n);
    to[n] = '\0';
}

static void put_token(caller_Event *event, struct nrpc_call *call)
{
    size_t n;
    for (unsigned i = 0;; i++) {
        const char *text = nrpc_call_metadata(call, &token, i, &n);
        if (!text || strlen(event->text) + n + 2 > sizeof event->text) {
            return;
        }
        strncat(event->text, text, n);
        strcat(event->text, " ");
    }
}

static void headers(struct nrpc_call *call)
{
    put_token(new_event(caller_Event_What_HEADERS), call);
}

static enum nrpc_status reply(struct nrpc_call *call, const char *text)
{
    put_text(new_event(caller_Event_What_REPLY)->text, text, sizeof state.events[0].text);
    if (++state.n_replies == state.wanted.cancel_after) {
        nrpc_call_finish(call, NRPC_CANCELLED, "enough");
    }
    return NRPC_OK;
}

static enum nrpc_status got_one(struct nrpc_call *call, const simpletest_ResponseOne *message)
{
    return reply(call, message->result);
}

static enum nrpc_status got_list(struct nrpc_call *call, const simpletest_ResponseList *message)
{
    return reply(call, message->resultlist);
}

static caller_Event *is_done(enum nrpc_status status, const char *message)
{
    caller_Event *event = new_event(caller_Event_What_DONE);
    event->status = status;
    put_text(event->message, message, sizeof event->message);
    return event;
}

/* What the server has sent beside the status and its message. */
static void put_end(caller_Event *event, struct nrpc_call *call)
{
    simpletest_ResponseOne detail;
    put_token(event, call);
    if (nrpc_call_detail(call, "simpletest.ResponseOne", &simpletest_ResponseOne_msg, &detail)) {
        put_text(event->detail, detail.result, sizeof event->detail);
    }
}

static void done(struct nrpc_call *call, enum nrpc_status status, const char *message)
{
    put_end(is_done(status, message), call);
    state.is_open = 0;
}

/* The next of the requests; then their end. */
static void write_next(struct nrpc_call *call)
{
    while (state.n_written < state.wanted.requests_count) {
        simpletest_RequestList request = simpletest_RequestList_init_zero;
        strncpy(request.namelist, state.wanted.requests[state.n_written],
                sizeof request.namelist - 1);
        if (nrpc_client_write(call, &request) != 0) {
            return; /* `writable` comes */
        }
        state.n_written++;
    }
    (void)nrpc_call_close_writes(call);
}

static const struct simpletest_SimpleTest_GetOne_events one_events = {
    .on = {.headers = headers, .done = done}, .reply = got_one};
static const struct simpletest_SimpleTest_GetList_events list_events = {
    .on = {.headers = headers, .done = done}, .reply = got_list};
static const struct simpletest_SimpleTest_PostList_events post_events = {
    .on = {.headers = headers, .writable = write_next, .done = done}, .reply = got_one};
static const struct simpletest_SimpleTest_PostAndPost_events both_events = {
    .on = {.headers = headers, .writable = write_next, .done = done}, .reply = got_list};

static simpletest_RequestOne one_request(void)
{
    simpletest_RequestOne request = simpletest_RequestOne_init_zero;
    strncpy(request.hello, state.wanted.requests[0], sizeof request.hello - 1);
    return request;
}

static struct nrpc_call *start(void)
{
    const struct nrpc_call_options options = {.timeout_ms = state.wanted.timeout_ms,
                                              .wait_for_ready = state.wanted.wait_for_ready};
    const simpletest_RequestOne request = one_request();
    switch (state.wanted.method) {
    case caller_Order_Method_GET_LIST:
        return simpletest_SimpleTest_GetList_start(&channel, &options, &request, &list_events);
    case caller_Order_Method_POST_LIST:
        return simpletest_SimpleTest_PostList_start(&channel, &options, &post_events);
    case caller_Order_Method_POST_AND_POST:
        return simpletest_SimpleTest_PostAndPost_start(&channel, &options, &both_events);
    default: return simpletest_SimpleTest_GetOne_start(&channel, &options, &request, &one_events);
    }
}

/* --- The same, blocking ------------------------------------------------------------------- */

static void blocking_reply(struct nrpc_wait *wait, const char *text)
{
    put_text(new_event(caller_Event_What_REPLY)->text, text, sizeof state.events[0].text);
    if (++state.n_replies == state.wanted.cancel_after && wait && wait->call) {
        (void)nrpc_call_finish(wait->call, NRPC_CANCELLED, "enough");
    }
}

static void blocking_end(struct nrpc_call *call)
{
    put_end(&state.end, call);
}

static void add_token(struct nrpc_call *call)
{
    if (state.wanted.token[0]) {
        (void)nrpc_call_add_header(call, token.name, state.wanted.token,
                                   strlen(state.wanted.token));
    }
}

static enum nrpc_status blocking_metadata(const struct nrpc_call_options *options,
                                          simpletest_ResponseOne *reply)
{
    struct nrpc_wait wait;
    const simpletest_RequestOne request = one_request();
    if (simpletest_SimpleTest_GetOne_open(&wait, &channel, options, &request) == 0) {
        add_token(wait.call);
        wait.at_end = blocking_end;
    }
    return simpletest_SimpleTest_GetOne_end(&wait, reply);
}

static enum nrpc_status blocking_one(const struct nrpc_call_options *options)
{
    simpletest_ResponseOne reply;
    const simpletest_RequestOne request = one_request();
    enum nrpc_status status = state.wanted.token[0] ? blocking_metadata(options, &reply)
                                                    : simpletest_SimpleTest_GetOne_wait(
                                                          &channel, options, &request, &reply);
    if (status == NRPC_OK) {
        blocking_reply(NULL, reply.result);
    }
    return status;
}

static enum nrpc_status blocking_list(const struct nrpc_call_options *options)
{
    struct nrpc_wait wait;
    simpletest_ResponseList reply;
    const simpletest_RequestOne request = one_request();
    if (simpletest_SimpleTest_GetList_open(&wait, &channel, options, &request) == 0) {
        add_token(wait.call);
        wait.at_end = blocking_end;
        while (simpletest_SimpleTest_GetList_get(&wait, &reply)) {
            blocking_reply(&wait, reply.resultlist);
        }
    }
    return nrpc_wait_end(&wait, NULL);
}

static simpletest_RequestList next_request(void)
{
    simpletest_RequestList request = simpletest_RequestList_init_zero;
    strncpy(request.namelist, state.wanted.requests[state.n_written++],
            sizeof request.namelist - 1);
    return request;
}

static enum nrpc_status blocking_post(const struct nrpc_call_options *options)
{
    struct nrpc_wait wait;
    simpletest_ResponseOne reply;
    int error = simpletest_SimpleTest_PostList_open(&wait, &channel, options);
    while (error == 0 && state.n_written < state.wanted.requests_count) {
        const simpletest_RequestList request = next_request();
        error = simpletest_SimpleTest_PostList_put(&wait, &request);
    }
    enum nrpc_status status = simpletest_SimpleTest_PostList_end(&wait, &reply);
    if (status == NRPC_OK) {
        blocking_reply(NULL, reply.result);
    }
    return status;
}

static enum nrpc_status blocking_both(const struct nrpc_call_options *options)
{
    struct nrpc_wait wait;
    simpletest_ResponseList reply;
    int error = simpletest_SimpleTest_PostAndPost_open(&wait, &channel, options);
    while (error == 0 && state.n_written < state.wanted.requests_count) {
        const simpletest_RequestList request = next_request();
        error = simpletest_SimpleTest_PostAndPost_put(&wait, &request);
        if (error == 0 && simpletest_SimpleTest_PostAndPost_get(&wait, &reply)) {
            blocking_reply(&wait, reply.resultlist);
        }
    }
    return nrpc_wait_end(&wait, NULL);
}

static void run_blocking(void)
{
    char message[NRPC_STATUS_MESSAGE_MAX];
    const struct nrpc_call_options options = {
        .timeout_ms = state.wanted.timeout_ms,
        .wait_for_ready = state.wanted.wait_for_ready,
        .message = message,
    };
    static enum nrpc_status (*const kinds[])(const struct nrpc_call_options *) = {
        blocking_one, blocking_list, blocking_post, blocking_both};
    state.blocks = 1;
    memset(&state.end, 0, sizeof state.end);
    enum nrpc_status status = kinds[state.wanted.method](&options);
    caller_Event *event = is_done(status, message);
    put_text(event->text, state.end.text, sizeof event->text);
    put_text(event->detail, state.end.detail, sizeof event->detail);
    state.blocks = 0;
}

static void run(void)
{
    if (state.port != state.wanted.port || strcmp(state.host, state.wanted.host) != 0) {
        if (state.port) {
            board_undial(&channel.dial);
        }
        channel.dial.state = NRPC_DIAL_WAITING;
        channel.dial.failures = channel.dial.held = 0;
        state.port = (uint16_t)state.wanted.port;
        strcpy(state.host, state.wanted.host);
        channel.authority = state.host;
        (void)board_dial(&channel.dial, state.host, state.port);
    }
    state.n_written = state.n_replies = 0;
    if (state.wanted.blocking) {
        run_blocking();
        return;
    }
    struct nrpc_call *call = start();
    if (!call) {
        (void)is_done(NRPC_RESOURCE_EXHAUSTED, "");
        return;
    }
    state.call = nrpc_call_ref(call);
    state.is_open = 1;
    add_token(call);
    if (state.wanted.method >= caller_Order_Method_POST_LIST) {
        write_next(call);
    }
    if (state.wanted.cancel_at_once) {
        nrpc_call_finish(call, NRPC_CANCELLED, "at once");
    }
}

uint32_t app_poll(uint32_t now_ms)
{
    (void)now_ms;
    channel.poll = board_wait;
    if (state.is_new) {
        state.is_new = 0;
        run();
    }
    return 1000;
}

/* --- Orders ------------------------------------------------------------------------------- */

enum nrpc_status caller_Caller_Run(struct nrpc_call *call, const caller_Order *order)
{
    if (nrpc_call_of(state.order) || state.is_open || state.blocks) {
        return nrpc_call_fail(call, NRPC_ALREADY_EXISTS, "one at a time");
    }
    state.order = nrpc_call_ref(call);
    nrpc_call_user(call)->number = 1; /* it is the one; see its end */
    state.wanted = *order;
    state.n_events = 0;
    state.is_new = 1;
    return NRPC_OK;
}

enum nrpc_status caller_Caller_Run_next(struct nrpc_call *call, caller_Event *event)
{
    (void)call;
    if (state.n_events) {
        *event = state.events[state.first++ % EVENTS];
        state.first %= EVENTS;
        state.n_events--;
        return NRPC_MORE;
    }
    return state.is_new || state.is_open || state.blocks ? NRPC_PENDING : NRPC_OK;
}

void caller_Caller_Run_cancelled(struct nrpc_call *call, enum nrpc_status why)
{
    struct nrpc_call *ordered = nrpc_call_of(state.call);
    (void)why;
    if (ordered && nrpc_call_user(call)->number) {
        nrpc_call_finish(ordered, NRPC_CANCELLED, NULL);
    }
}

NRPC_SERVER_DEFINE(server, CALLER_CONNECTIONS, caller_Caller_service);
