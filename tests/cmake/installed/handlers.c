/* tests/cmake/installed/handlers.c - the service's handlers, in C.
 * Layer: test. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "thermometer.nrpc.h"

enum nrpc_status Thermometer_Read(struct nrpc_call *call, const ReadRequest *request,
                                  Reading *reply)
{
    if (strcmp(request->sensor, "case") != 0) {
        return nrpc_call_fail(call, NRPC_NOT_FOUND, "no such sensor");
    }
    reply->millidegrees = 21500;
    return NRPC_OK;
}

NRPC_SERVER_DEFINE(server, 2, Thermometer_service);
