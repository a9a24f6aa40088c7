/* nanorpc/services/health.h - grpc.health.v1.Health: which services can be called, asked or
 * watched.
 * Layer: core, services, public; include nanorpc.h. Source: gRPC "Health Checking Protocol".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_HEALTH_H
#define NANORPC_HEALTH_H

#include "nanorpc/nanorpc.h"

NRPC_BEGIN_C

/* Two lines add it to a server; the second stands after the first, in the same file:
 *
 *     NRPC_SERVER_DEFINE(server, 2, Greeter_service, nrpc_health_service);
 *     NRPC_HEALTH_DEFINE(server);
 *
 * Clients may then ask for "" (the whole server) and for each service of it by its name; each is
 * SERVING until nrpc_health_set says otherwise. One server of an image has it. RAM: 2 bytes and one
 * a service; Watch needs none but its stream. */
enum nrpc_health_status { /* as on the wire */
                          NRPC_HEALTH_UNKNOWN = 0,
                          NRPC_HEALTH_SERVING = 1,
                          NRPC_HEALTH_NOT_SERVING = 2,
                          NRPC_HEALTH_SERVICE_UNKNOWN = 3 /* Watch of a name that is no service's */
};

/* Sets a service's status, and tells those who watch it; one who reads slowly is told the last one
 * only. service: its name ("package.Service"), or "" for the whole server; borrowed for the call.
 * Returns 0; NRPC_E_STATE: no such service, or nrpc_health_shutdown was called before.
 * Context: as nrpc_call_wake. */
int nrpc_health_set(const char *service, enum nrpc_health_status status);

/* For the beginning of a shutdown: all is NOT_SERVING from now on; those who watch are told so, and
 * their calls end with UNAVAILABLE, so that they hold up no end of a connection. */
void nrpc_health_shutdown(void);

/* --- For the macros ----------------------------------------------------------------------- */
extern const struct nrpc_service nrpc_health_service;
extern const struct nrpc_file grpc_health_v1_health_proto_file; /* proto/grpc/health/v1, for
                                                                   reflection */
#define nrpc_health_service_FILE grpc_health_v1_health_proto_file
#define nrpc_health_service_REQUEST_BYTES 80 /* longer names get RESOURCE_EXHAUSTED */
#define nrpc_health_service_REPLY_BYTES 2
union nrpc_health_service_request {
    char none;
};
union nrpc_health_service_reply {
    char none;
};

/* The application's: NRPC_HEALTH_DEFINE. */
struct nrpc_health {
    const struct nrpc_server *server;
    uint8_t *state; /* 1: shut down; then a status each, ^ SERVING: of the server, of its services
                     */
};
extern const struct nrpc_health nrpc_health;

#define NRPC_HEALTH_DEFINE(its_server)                                                           \
    static uint8_t                                                                               \
        its_server##_health[2 + sizeof its_server##_services / sizeof its_server##_services[0]]; \
    const struct nrpc_health nrpc_health = {&its_server, its_server##_health}

NRPC_END_C

#endif
