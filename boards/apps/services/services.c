/* boards/apps/services/services.c - health and reflection, as a client says; it fails in detail.
 * Layer: application, for tests. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "nanorpc/details.h"
#include "google/rpc/error_details.nrpc.h"
#include "helloworld.nrpc.h"
#include "helloworld/greeter.nrpc.h"
#include "nanorpc/services/health.h"
#include "nanorpc/services/reflection.h"

/* Connections that the server has memory for. */
#ifndef SERVICES_CONNECTIONS
#define SERVICES_CONNECTIONS 2
#endif

NRPC_SERVER_DEFINE(server, SERVICES_CONNECTIONS, Greeter_service, helloworld_Greeter_service,
                   nrpc_health_service, nrpc_reflection_service, nrpc_reflection_v1alpha_service);
NRPC_HEALTH_DEFINE(server);
/* A file that imports another, and that has no service. */
#define details_FILE google_rpc_error_1details_proto_file
NRPC_REFLECTION_DEFINE(Greeter_service, helloworld_Greeter_service, nrpc_health_service,
                       nrpc_reflection_service, nrpc_reflection_v1alpha_service, details);

enum nrpc_status helloworld_Greeter_SayHello(struct nrpc_call *call,
                                             const helloworld_HelloRequest *request,
                                             helloworld_HelloReply *reply)
{
    (void)call;
    strcpy(reply->message, "Hello, ");
    strcat(reply->message, request->name); /* the .options see to its length */
    return NRPC_OK;
}

/* A good name is lower case. "!...": fails with what is wrong with the field; "?": with more than
 * there is room for; any other: with two details, and a message that is longer than it may be. */
enum nrpc_status helloworld_Greeter_SayHelloAgain(struct nrpc_call *call,
                                                  const helloworld_HelloRequest *request,
                                                  helloworld_HelloReply *reply)
{
    static const google_rpc_ErrorInfo info = {.reason = "BAD_NAME"};
    static const google_rpc_RetryInfo retry = {.has_retry_delay = true,
                                               .retry_delay = {1, 500000000}};
    static const struct nrpc_detail details[] = {
        {"google.rpc.ErrorInfo", &google_rpc_ErrorInfo_msg, &info},
        {"google.rpc.RetryInfo", &google_rpc_RetryInfo_msg, &retry},
        {"google.rpc.ErrorInfo", &google_rpc_ErrorInfo_msg, &info},
        {"google.rpc.ErrorInfo", &google_rpc_ErrorInfo_msg, &info}};
    char first = request->name[0];
    if (first >= 'a' && first <= 'z') {
        strcpy(reply->message, "Hello again");
        return NRPC_OK;
    }
    if (first == '!') {
        google_rpc_BadRequest bad = {.field_violations_count = 1,
                                     .field_violations = {{.field = "name"}}};
        const struct nrpc_detail detail = {"google.rpc.BadRequest", &google_rpc_BadRequest_msg,
                                           &bad};
        memcpy(bad.field_violations[0].description, request->name,
               sizeof bad.field_violations[0].description - 1);
        (void)nrpc_call_fail_details(call, NRPC_INVALID_ARGUMENT, NULL, &detail, 1);
        return NRPC_INVALID_ARGUMENT;
    }
    (void)nrpc_call_fail_details(call, NRPC_INVALID_ARGUMENT,
                                 "a name is lower case \xe2\x80\x93 100% of it, to its very end",
                                 details, first == '?' ? 4 : 2);
    return NRPC_INVALID_ARGUMENT;
}

/* "2 package.Service" sets that service's status to 2; "!" begins a shutdown. */
enum nrpc_status Greeter_Test(struct nrpc_call *call, const HelloRequest *request,
                              HelloReply *reply)
{
    strcpy(reply->message, "done");
    if (request->name[0] == '!') {
        nrpc_health_shutdown();
    } else if (strlen(request->name) < 2 ||
               nrpc_health_set(request->name + 2,
                               (enum nrpc_health_status)(request->name[0] - '0')) != 0) {
        return nrpc_call_fail(call, NRPC_NOT_FOUND, "no such service");
    }
    return NRPC_OK;
}

enum nrpc_status Greeter_SayHello(struct nrpc_call *call, const HelloRequest *request,
                                  HelloReply *reply)
{
    (void)call;
    strcpy(reply->message, "Hello, ");
    strcat(reply->message, request->name);
    return NRPC_OK;
}
