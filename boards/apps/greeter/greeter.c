/* boards/apps/greeter/greeter.c - what every board runs: the services of proto/, and the server.
 * Layer: application. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "helloworld.nrpc.h"
#include "helloworld/greeter.nrpc.h"
#include "simpletest.nrpc.h"
#if NRPC_TLS
#include "boards/apps/tls/greeter_tls.h"
#endif

/* Connections that the server has memory for; a board gives its own with -D. */
#ifndef GREETER_CONNECTIONS
#define GREETER_CONNECTIONS 2
#endif
#ifndef GREETER_OPTIONS
#define GREETER_OPTIONS (.n_interceptors = 0)
#endif

enum { LIST_LENGTH = 5 };

/* Writes the three texts one after another into `to`, cut to room - 1 bytes. Not snprintf: newlib's
 * brings malloc with it. */
static void join(char *to, size_t room, const char *first, const char *second, const char *third)
{
    const char *const texts[] = {first, second, third};
    char *const last = to + room - 1;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (const char *from = texts[i]; *from != '\0' && to < last; from++) {
            *to++ = *from;
        }
    }
    *to = '\0';
}

/* --- /Greeter --------------------------------------------------------------------------------- */
enum nrpc_status Greeter_SayHello(struct nrpc_call *call, const HelloRequest *request,
                                  HelloReply *reply)
{
    (void)call;
    join(reply->message, sizeof reply->message, "Hello, ", request->name, "!");
    return NRPC_OK;
}

enum nrpc_status Greeter_SayHelloAgain(struct nrpc_call *call, const HelloRequest *request,
                                       HelloReply *reply)
{
    (void)call;
    join(reply->message, sizeof reply->message, "Hello again, ", request->name, "!");
    return NRPC_OK;
}

enum nrpc_status Greeter_Test(struct nrpc_call *call, const HelloRequest *request,
                              HelloReply *reply)
{
    (void)call;
    join(reply->message, sizeof reply->message, "Test OK, ", request->name, "!");
    return NRPC_OK;
}

/* --- /helloworld.Greeter ---------------------------------------------------------------------- */
enum nrpc_status helloworld_Greeter_SayHello(struct nrpc_call *call,
                                             const helloworld_HelloRequest *request,
                                             helloworld_HelloReply *reply)
{
    (void)call;
    join(reply->message, sizeof reply->message, "Hello, ", request->name, "!");
    return NRPC_OK;
}

enum nrpc_status helloworld_Greeter_SayHelloAgain(struct nrpc_call *call,
                                                  const helloworld_HelloRequest *request,
                                                  helloworld_HelloReply *reply)
{
    (void)call;
    join(reply->message, sizeof reply->message, "Hello again, ", request->name, "!");
    return NRPC_OK;
}

enum nrpc_status helloworld_Greeter_Test(struct nrpc_call *call,
                                         const helloworld_HelloRequest *request,
                                         helloworld_HelloReply *reply)
{
    (void)call;
    join(reply->message, sizeof reply->message, "Test OK, ", request->name, "!");
    return NRPC_OK;
}

/* --- /simpletest.SimpleTest ------------------------------------------------------------------- */
enum nrpc_status simpletest_SimpleTest_GetOne(struct nrpc_call *call,
                                              const simpletest_RequestOne *request,
                                              simpletest_ResponseOne *reply)
{
    (void)call;
    join(reply->result, sizeof reply->result, "Hello !! ", request->hello, "");
    return NRPC_OK;
}

enum nrpc_status simpletest_SimpleTest_GetList(struct nrpc_call *call,
                                               const simpletest_RequestOne *request)
{
    (void)call;
    (void)request;
    return NRPC_OK;
}

enum nrpc_status simpletest_SimpleTest_GetList_next(struct nrpc_call *call,
                                                    simpletest_ResponseList *reply)
{
    union nrpc_user *const sent = nrpc_call_user(call);
    char digit[2] = "0";

    if (sent->number == LIST_LENGTH) {
        return NRPC_OK;
    }
    digit[0] = (char)('0' + sent->number++);
    join(reply->resultlist, sizeof reply->resultlist, "test", digit, "");
    return NRPC_MORE;
}

enum nrpc_status simpletest_SimpleTest_PostList(struct nrpc_call *call,
                                                const simpletest_RequestList *request,
                                                simpletest_ResponseOne *reply)
{
    (void)call;
    if (request == NULL) {
        join(reply->result, sizeof reply->result, "PostList OK", "", "");
    }
    return NRPC_OK;
}

/* Answers while it still has the request, so there is nothing to keep for a _next function. */
enum nrpc_status simpletest_SimpleTest_PostAndPost(struct nrpc_call *call,
                                                   const simpletest_RequestList *request)
{
    simpletest_ResponseList reply = simpletest_ResponseList_init_zero;

    if (request == NULL) {
        return NRPC_OK;
    }
    join(reply.resultlist, sizeof reply.resultlist, "Hello !! ", request->namelist, "");
    if (simpletest_SimpleTest_PostAndPost_send(call, &reply) != 0) {
        return nrpc_call_fail(call, NRPC_RESOURCE_EXHAUSTED, "the last reply has not left");
    }
    return NRPC_OK;
}

NRPC_SERVER_DEFINE_WITH(server, GREETER_CONNECTIONS, GREETER_OPTIONS, Greeter_service,
                        helloworld_Greeter_service, simpletest_SimpleTest_service);
