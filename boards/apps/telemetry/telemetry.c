/* boards/apps/telemetry/telemetry.c - what the task that serves does: handlers, and calls' owners.
 * Layer: application. Source: proto/telemetry.proto.
 * SPDX-License-Identifier: Apache-2.0 */
#include "telemetry.h"

#include <string.h>

#include "board.h"
#include "helloworld/greeter.nrpc.h"
#include "ports/lwip/nrpc_lwip_sockets.h"
#include "simpletest.client.h"
#if BOARD_RTOS
#include "rtos.h"
#endif

#ifndef TELEMETRY_CONNECTIONS
#define TELEMETRY_CONNECTIONS 2
#endif

NRPC_STATIC_ASSERT(sizeof((telemetry_Result *)0)->message >= NRPC_STATUS_MESSAGE_MAX &&
                       sizeof((telemetry_MisuseReply *)0)->message >= NRPC_STATUS_MESSAGE_MAX,
                   "telemetry.options: the messages are as long as a status's");
NRPC_CHANNEL_DEFINE(channel, "telemetry", simpletest_SimpleTest_client);

/* IDLE: nobody takes a sample. ASKED: its source does. READY: it waits for room in the stream. */
enum follower_state { IDLE, ASKED, READY };

static struct follower {
    struct nrpc_call_ref call;
    uint32_t left, number;
    enum follower_state state;
} followers[SOURCES];

static struct {
    struct nrpc_call_ref call;
    telemetry_Order wanted;
    telemetry_Result result;
    unsigned n_calling;
    uint32_t port; /* that is being dialled; 0: none */
    uint8_t is_new, is_over;
} order;

static uint8_t has_started;

/* --- /telemetry.Telemetry/Follow
 * ------------------------------------------------------------------ */

static void ask(struct follower *follower)
{
    follower->state = ASKED;
    tasks_ask((telemetry_Source)(follower - followers));
}

enum nrpc_status telemetry_Telemetry_Follow(struct nrpc_call *call, const telemetry_Which *request)
{
    struct follower *follower = &followers[request->source % SOURCES];
    if (!has_started || nrpc_call_of(follower->call) != NULL) {
        return nrpc_call_fail(call, NRPC_UNAVAILABLE, "one client a source");
    }
    nrpc_call_user(call)->ptr = follower;
    follower->call = nrpc_call_ref(call);
    follower->left = request->count;
    if (follower->state != ASKED) { /* by a client that has gone */
        ask(follower);
    }
    return NRPC_OK;
}

enum nrpc_status telemetry_Telemetry_Follow_next(struct nrpc_call *call, telemetry_Sample *sample)
{
    struct follower *follower = nrpc_call_user(call)->ptr;
    if (follower->left == 0) {
        return NRPC_OK;
    }
    if (follower->state != READY) {
        return NRPC_PENDING; /* until deliver */
    }
    sample->number = follower->number;
    follower->state = IDLE;
    if (--follower->left != 0) {
        ask(follower);
    }
    return NRPC_MORE;
}

void deliver(telemetry_Source source, uint32_t number)
{
    struct follower *follower = &followers[source];
    struct nrpc_call *call = nrpc_call_of(follower->call);
    follower->number = number;
    follower->state = call != NULL ? READY : IDLE;
    if (call != NULL) {
        (void)nrpc_call_wake(call);
    }
}

/* --- /telemetry.Telemetry/Call
 * ---------------------------------------------------------------------- */

enum nrpc_status telemetry_Telemetry_Call(struct nrpc_call *call, const telemetry_Order *request,
                                          telemetry_Result *reply)
{
    (void)reply;
    if (!has_started || order.is_new || order.n_calling != 0) {
        return nrpc_call_fail(call, NRPC_UNAVAILABLE, "one order at a time");
    }
    order.call = nrpc_call_ref(call);
    order.wanted = *request;
    order.is_new = 1;
    return NRPC_PENDING;
}

static void begin_calls(void)
{
    static char host[sizeof order.wanted.host]; /* lwIP's thread may read it */
    order.is_new = 0;
    if (order.port != order.wanted.port) {
        if (order.port != 0) {
            board_undial(&channel.dial);
        }
        channel.dial.state = NRPC_DIAL_WAITING;
        channel.dial.failures = channel.dial.held = 0;
        strcpy(host, order.wanted.host);
        order.port = order.wanted.port;
        if (board_dial(&channel.dial, host, (uint16_t)order.port) != 0) {
            board_panic("cannot dial");
        }
    }
    memset(&order.result, 0, sizeof order.result);
    order.n_calling = CALLERS;
    tasks_call(order.wanted.calls, order.wanted.timeout_ms);
}

void called(uint32_t good, enum nrpc_status status, const char *message)
{
    order.result.good += good;
    if (status != NRPC_OK) {
        order.result.status = (uint32_t)status;
        strcpy(order.result.message, message);
    }
    order.is_over = --order.n_calling == 0;
}

static void end_calls(void)
{
    struct nrpc_call *call = nrpc_call_of(order.call);
    order.is_over = 0;
    if (call != NULL) {
        (void)telemetry_Telemetry_Call_reply(call, &order.result);
    }
}

/* --- The others
 * --------------------------------------------------------------------------------------- */

enum nrpc_status telemetry_Telemetry_Misuse(struct nrpc_call *call,
                                            const telemetry_MisuseRequest *request,
                                            telemetry_MisuseReply *reply)
{
    char message[NRPC_STATUS_MESSAGE_MAX];
    const struct nrpc_call_options options = {.message = message};
    const simpletest_RequestOne one = simpletest_RequestOne_init_zero;
    simpletest_ResponseOne answer;
    (void)call;
    if (request->overflow) {
        tasks_overflow();
    }
    reply->status = (uint32_t)simpletest_SimpleTest_GetOne_wait(&channel, &options, &one, &answer);
    strcpy(reply->message, message);
    reply->poll = nrpc_lwip_sockets_poll(0);
    reply->interrupt = (uint32_t)tasks_interrupted();
    return NRPC_OK;
}

enum nrpc_status telemetry_Telemetry_Tasks(struct nrpc_call *call,
                                           const telemetry_TasksRequest *request)
{
    (void)call;
    (void)request;
    return NRPC_OK;
}

enum nrpc_status telemetry_Telemetry_Tasks_next(struct nrpc_call *call, telemetry_Stack *reply)
{
#if BOARD_RTOS
    struct rtos_stack stack;
    if (!rtos_stack((unsigned)nrpc_call_user(call)->number++, &stack)) {
        return NRPC_OK;
    }
    strncpy(reply->name, stack.name, sizeof reply->name - 1);
    reply->bytes = (uint32_t)stack.bytes;
    reply->unused = (uint32_t)stack.unused;
    reply->objects = rtos_objects();
    return NRPC_MORE;
#else
    (void)call;
    (void)reply;
    return NRPC_OK; /* the simulator's threads have the host's stacks */
#endif
}

enum nrpc_status helloworld_Greeter_SayHello(struct nrpc_call *call,
                                             const helloworld_HelloRequest *request,
                                             helloworld_HelloReply *reply)
{
    (void)call;
    strcpy(reply->message, "Hello, ");
    strcat(reply->message, request->name); /* the .options see to its length */
    return NRPC_OK;
}

uint32_t app_poll(uint32_t now_ms)
{
    (void)now_ms;
    if (!has_started) {
        if (tasks_start() != 0) {
            board_panic("no memory for the tasks");
        }
        has_started = 1;
    }
    tasks_poll();
    if (order.is_new) {
        begin_calls();
    }
    if (order.is_over) {
        end_calls();
    }
    return 1000; /* whoever has something for us wakes the port */
}

NRPC_SERVER_DEFINE(server, TELEMETRY_CONNECTIONS, telemetry_Telemetry_service,
                   helloworld_Greeter_service);
