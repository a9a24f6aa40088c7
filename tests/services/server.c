/* tests/services/server.c - an application with health and reflection; its health is what a client says.
 * Layer: application, for tests. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "helloworld.nrpc.h"
#include "helloworld/greeter.nrpc.h"
#include "services/health.h"
#include "services/reflection.h"

/* Connections that the server has memory for. */
#ifndef SERVICES_CONNECTIONS
#define SERVICES_CONNECTIONS 2
#endif

NRPC_SERVER_DEFINE(server, SERVICES_CONNECTIONS, Greeter_service, helloworld_Greeter_service, nrpc_health_service,
                   nrpc_reflection_service, nrpc_reflection_v1alpha_service);
NRPC_HEALTH_DEFINE(server);
NRPC_REFLECTION_DEFINE(Greeter_service, helloworld_Greeter_service, nrpc_health_service, nrpc_reflection_service,
                       nrpc_reflection_v1alpha_service);

enum nrpc_status helloworld_Greeter_SayHello(struct nrpc_call *call, const helloworld_HelloRequest *request,
                                             helloworld_HelloReply *reply)
{
    (void)call;
    strcpy(reply->message, "Hello, ");
    strcat(reply->message, request->name); /* the .options see to its length */
    return NRPC_OK;
}

/* "2 package.Service" sets that service's status to 2; "!" begins a shutdown. */
enum nrpc_status Greeter_Test(struct nrpc_call *call, const HelloRequest *request, HelloReply *reply)
{
    strcpy(reply->message, "done");
    if (request->name[0] == '!') {
        nrpc_health_shutdown();
    } else if (strlen(request->name) < 2 ||
               nrpc_health_set(request->name + 2, (enum nrpc_health_status)(request->name[0] - '0')) != 0) {
        return nrpc_call_fail(call, NRPC_NOT_FOUND, "no such service");
    }
    return NRPC_OK;
}

enum nrpc_status Greeter_SayHello(struct nrpc_call *call, const HelloRequest *request, HelloReply *reply)
{
    (void)call;
    strcpy(reply->message, "Hello, ");
    strcat(reply->message, request->name);
    return NRPC_OK;
}
