/* tests/fuzz/fuzz_services.c - a client's bytes: nanopb, health, reflection, interceptors.
 * Layer: test. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "nanorpc/compression.h"
#include "fuzz.h"
#include "helloworld.nrpc.h"
#include "nanorpc/services/health.h"
#include "nanorpc/services/reflection.h"
#include "simpletest.nrpc.h"

/* Of the third byte. */
enum { COMPRESS = 1, NO_GREETING = 2, ACKED = 4 };

static unsigned settings;

/* --- Of each call, by slot: handlers hear nothing before its beginning or after its end ------- */

static struct life {
    uint32_t id;
    int is_live, is_over; /* is_over: its handler has said so, or was told */
} lives[NRPC_MAX_STREAMS];

static void note(struct nrpc_call *call, int is_over)
{
    NRPC_CALL_IN(call);
    struct life *life = &lives[call->slot];
    CHECK(life->is_live && life->id == call->id && !life->is_over);
    life->is_over = is_over;
}

static enum nrpc_status begun(struct nrpc_call *call)
{
    NRPC_CALL_IN(call);
    struct life *life = &lives[call->slot];
    CHECK(!life->is_live && call->id);
    *life = (struct life){.id = call->id, .is_live = 1};
    if (fuzz_next(20) == 0) {
        life->is_over = 1;
        return nrpc_call_fail(call, NRPC_UNAUTHENTICATED, "who?");
    }
#if NRPC_COMPRESSION
    if (settings & COMPRESS) {
        (void)nrpc_call_compress(call, 1);
    }
#endif
    return NRPC_OK;
}

static void ended(struct nrpc_call *call, enum nrpc_status status)
{
    NRPC_CALL_IN(call);
    struct life *life = &lives[call->slot];
    CHECK(life->is_live && life->id == call->id && (unsigned)status <= 16);
    life->is_live = 0;
}

static enum nrpc_status ends(struct nrpc_call *call, enum nrpc_status status)
{
    note(call, 1);
    return status;
}

/* --- Handlers --------------------------------------------------------------------------------- */

enum nrpc_status Greeter_SayHello(struct nrpc_call *call, const HelloRequest *request,
                                  HelloReply *reply)
{
    size_t n = strlen(request->name);
    CHECK(n < sizeof request->name && n < sizeof reply->message);
    memcpy(reply->message, request->name, n);
    if (fuzz_next(4) == 0) {
        note(call, 0);
        return NRPC_PENDING;
    }
    return ends(call, NRPC_OK);
}

void Greeter_SayHello_cancelled(struct nrpc_call *call, enum nrpc_status why)
{
    CHECK(why != NRPC_OK && (unsigned)why <= 16);
    note(call, 1);
}

enum nrpc_status simpletest_SimpleTest_GetList(struct nrpc_call *call,
                                               const simpletest_RequestOne *request)
{
    CHECK(memchr(request->hello, '\0', sizeof request->hello) != NULL);
    note(call, 0);
    return fuzz_next(4) ? NRPC_OK : NRPC_PENDING;
}

enum nrpc_status simpletest_SimpleTest_GetList_next(struct nrpc_call *call,
                                                    simpletest_ResponseList *reply)
{
    (void)reply;
    if (nrpc_call_user(call)->number++ == 5) {
        return ends(call, NRPC_OK);
    }
    note(call, 0);
    return fuzz_next(4) ? NRPC_MORE : NRPC_PENDING;
}

void simpletest_SimpleTest_GetList_cancelled(struct nrpc_call *call, enum nrpc_status why)
{
    Greeter_SayHello_cancelled(call, why);
}

enum nrpc_status simpletest_SimpleTest_PostAndPost(struct nrpc_call *call,
                                                   const simpletest_RequestList *request)
{
    simpletest_ResponseList reply = simpletest_ResponseList_init_zero;
    note(call, 0);
    if (request) {
        CHECK_EQ(simpletest_SimpleTest_PostAndPost_send(call, &reply), 0); /* there is room */
    }
    return request && fuzz_next(4) == 0 ? NRPC_PENDING : NRPC_OK;
}

static const struct nrpc_interceptor chain[] = {{.begin = begun, .end = ended}};
NRPC_SERVER_DEFINE_WITH(server, 1, (.interceptors = chain, .n_interceptors = 1), Greeter_service,
                        simpletest_SimpleTest_service, nrpc_health_service, nrpc_reflection_service,
                        nrpc_reflection_v1alpha_service);
NRPC_HEALTH_DEFINE(server);
NRPC_REFLECTION_DEFINE(Greeter_service, simpletest_SimpleTest_service, nrpc_health_service);

/* --- The target ------------------------------------------------------------------------------- */

static void act(void)
{
    struct nrpc_call *call = &wire.conn->calls[fuzz_next(NRPC_MAX_STREAMS)];
    NRPC_CALL_IN(call);
    struct life *life = &lives[call->slot];
    if (fuzz_next(8) == 0) {
        (void)nrpc_health_set(fuzz_next(2) ? "" : "Greeter",
                              fuzz_next(2) ? NRPC_HEALTH_SERVING : NRPC_HEALTH_NOT_SERVING);
    } else if (fuzz_next(200) == 0) {
        nrpc_health_shutdown();
    } else if (!life->is_live || life->is_over || call->method->codec != &nrpc_typed) {
        return; /* not ours */
    } else if (fuzz_next(4) == 0) {
        note(call, 1);
        (void)nrpc_call_finish(call, fuzz_next(2) ? NRPC_OK : NRPC_ABORTED, "act \xc3\xa4 100%");
    } else {
        (void)nrpc_call_wake(call);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 3 || n > FUZZ_INPUT) {
        return 0;
    }
    fuzz_begin(data);
    settings = data[2];
    memset(server_health, 0, sizeof server_health);
    memset(lives, 0, sizeof lives);
    wire_begin_bare(&server);
    if (!(settings & NO_GREETING)) {
        wire_preface();
        wire_frame(NRPC_SETTINGS, 0, 0, NULL, 0);
    }
    if (settings & ACKED) {
        wire_frame(NRPC_SETTINGS, NRPC_ACK, 0, NULL, 0);
    }
    wire_bytes(data + 3, n - 3);
    fuzz_run(act);
    for (unsigned i = 0; i < NRPC_MAX_STREAMS; i++) {
        CHECK(!lives[i].is_live); /* nobody has told its end */
    }
    fuzz_end();
    return 0;
}
