/* boards/apps/guarded/guarded.c - the Greeter with a token, a log and counters of calls.
 * Layer: application. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "board.h"
#include "helloworld.nrpc.h"
#include "nanorpc/services/auth.h"
#include "nanorpc/services/counters.h"
#include "nanorpc/services/log.h"

/* Connections that the server has memory for; boards/apps/guarded/app.mk gives others. */
#ifndef GUARDED_CONNECTIONS
#define GUARDED_CONNECTIONS 2
#endif

static void print(const char *line, size_t n)
{
    (void)n;
    board_print(line);
    board_print("\n");
}

NRPC_LOG_DEFINE(logger, print);
NRPC_COUNTERS_DEFINE(counters, 2);
NRPC_AUTH_DEFINE(auth, "a token of these tests");
static const struct nrpc_interceptor chain[] = {NRPC_LOG(logger), NRPC_COUNTERS(counters),
                                                NRPC_AUTH(auth)};
static const struct nrpc_key *const keys[] = {&nrpc_auth_key};

static char *put(char *to, const char *text)
{
    while (*text) {
        *to++ = *text++;
    }
    return to;
}

static char *put_number(char *to, uint32_t number)
{
    uint32_t unit = 1;
    while (number / unit >= 10) {
        unit *= 10;
    }
    for (; unit; unit /= 10) {
        *to++ = (char)('0' + number / unit % 10);
    }
    return to;
}

enum nrpc_status Greeter_SayHello(struct nrpc_call *call, const HelloRequest *request,
                                  HelloReply *reply)
{
    (void)call;
    *put(put(put(reply->message, "Hello, "), request->name), "!") = '\0';
    return NRPC_OK;
}

/* Answers with what was counted: "2 methods: BEGUN ENDED FAILED, BEGUN ENDED FAILED". */
enum nrpc_status Greeter_Test(struct nrpc_call *call, const HelloRequest *request,
                              HelloReply *reply)
{
    char *to = put(reply->message, "2 methods:");
    (void)call;
    (void)request;
    for (unsigned i = 0; i < 2; i++) {
        const struct nrpc_counter *counter = &counters[i];
        to = put_number(put(to, i ? ", " : " "), counter->begun % 10000);
        to = put_number(put(to, " "), counter->ended % 10000);
        to = put_number(put(to, " "), counter->failed % 10000);
    }
    *to = '\0';
    return NRPC_OK;
}

NRPC_SERVER_DEFINE_WITH(server, GUARDED_CONNECTIONS,
                        (.keys = keys, .n_keys = 1, .interceptors = chain, .n_interceptors = 3),
                        Greeter_service);
