/* nanorpc/services/nrpc_health.c - Check and Watch. A watcher's state is four bytes in its call.
 * Layer: core, services. Source: gRPC "Health Checking Protocol".
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/services/health.h"

#include <string.h>

#include "nanorpc/services/nrpc_field.h"

enum { CHECK, WATCH }; /* places in methods[] */
enum { SERVER, NOBODY = 0xff };

/* The place of a name among the statuses, or NOBODY. Services stand as "/name/". */
static unsigned find(struct nrpc_text name)
{
    const struct nrpc_server *server = nrpc_health.server;
    if (!name.n) {
        return SERVER;
    }
    for (unsigned i = 0; i < server->n_services; i++) {
        const char *path = server->services[i]->path;
        if (nrpc_text_is(name, path + 1, strlen(path) - 2)) {
            return 1 + i;
        }
    }
    return NOBODY;
}

static unsigned status_of(unsigned place)
{
    if (place == NOBODY) {
        return NRPC_HEALTH_SERVICE_UNKNOWN;
    }
    return nrpc_health.state[0] ? NRPC_HEALTH_NOT_SERVING
                                : nrpc_health.state[1 + place] ^ NRPC_HEALTH_SERVING;
}

static void send(struct nrpc_call *call, unsigned status)
{
    size_t room;
    uint8_t *reply = nrpc_call_reserve(call, &room);
    if (reply) { /* always: the codec is called when there is room */
        reply[0] = 1 << 3;
        reply[1] = (uint8_t)status;
        nrpc_call_commit(call, 2);
    }
}

static enum nrpc_status message(struct nrpc_call *call, const uint8_t *data, size_t n)
{
    struct nrpc_text rest = {data, n}, name = {data, 0};
    struct nrpc_field field;
    int more;
    while ((more = nrpc_field_read(&rest, &field)) > 0) {
        if (field.number == 1 && field.text.at) {
            name = field.text;
        }
    }
    if (more < 0) {
        return nrpc_call_fail(call, NRPC_INTERNAL, "request malformed");
    }
    unsigned place = find(name);
    if (nrpc_call_method(call)->kind == NRPC_SERVER_STREAM) {
        nrpc_call_user(call)->number = place; /* nothing has been sent: see next */
        return NRPC_OK;
    }
    if (place == NOBODY) {
        return nrpc_call_fail(call, NRPC_NOT_FOUND, "unknown service");
    }
    send(call, status_of(place));
    return NRPC_OK;
}

/* Of a watcher. Its user number: the place, and above it 1 + the status that it was sent last. */
static enum nrpc_status next(struct nrpc_call *call)
{
    union nrpc_user *user = nrpc_call_user(call);
    unsigned place = user->number & 0xff, status = status_of(place);
    nrpc_user_number told = (nrpc_user_number)status + 1;
    if (user->number >> 8 != told) {
        user->number = place | told << 8;
        send(call, status);
        return NRPC_MORE;
    }
    return nrpc_health.state[0] ? NRPC_UNAVAILABLE : NRPC_PENDING;
}

static void cancelled(struct nrpc_call *call, enum nrpc_status why)
{
    (void)call;
    (void)why;
}

static const struct nrpc_codec codec = {.message = message, .next = next};
static const struct nrpc_method methods[] = {
    {.codec = &codec, .cancelled = cancelled, .kind = NRPC_UNARY},
    {.codec = &codec, .cancelled = cancelled, .kind = NRPC_SERVER_STREAM}};
const struct nrpc_service nrpc_health_service = {.path = "/grpc.health.v1.Health/",
                                                 .method_names = "\200Check\200Watch\377",
                                                 .methods = methods};

/* There is no list of watchers: changes are rare, and calls are few. */
static void wake_watchers(void)
{
    const struct nrpc_server *server = nrpc_health.server;
    for (unsigned i = 0; i < server->n_conns; i++) {
        struct nrpc_conn *conn = &server->conns[i];
        for (unsigned j = 0; (conn->flags & NRPC_CONN_OPEN) && j < NRPC_MAX_STREAMS; j++) {
            if (conn->calls[j].method == &methods[WATCH]) {
                (void)nrpc_call_wake(&conn->calls[j]); /* refuses those that have ended */
            }
        }
    }
}

int nrpc_health_set(const char *service, enum nrpc_health_status status)
{
    unsigned place = find((struct nrpc_text){(const uint8_t *)service, strlen(service)});
    if (place == NOBODY || nrpc_health.state[0]) {
        return NRPC_E_STATE;
    }
    nrpc_health.state[1 + place] = (uint8_t)(status ^ NRPC_HEALTH_SERVING);
    wake_watchers();
    return 0;
}

void nrpc_health_shutdown(void)
{
    nrpc_health.state[0] = 1;
    wake_watchers();
}
