/* boards/apps/interop/server.c - grpc.testing.TestService, which gRPC's interop cases call.
 * Layer: application. Source: gRPC "Interoperability Test Case Descriptions", "Server".
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "board.h"
#include "nanorpc/compression.h"
#include "grpc/testing/test.nrpc.h"
#include "interop.h"
#include "interop/driver.nrpc.h"

typedef grpc_testing_StreamingOutputCallRequest output_request;
typedef grpc_testing_StreamingOutputCallResponse output_reply;

/* Answers that a call may owe: those of the largest request. */
enum {
    OWED_MAX = sizeof((output_request *)0)->response_parameters /
               sizeof(grpc_testing_ResponseParameters)
};

/* What a streaming call has still to do. */
struct task {
    struct nrpc_call_ref call;
    grpc_testing_ResponseParameters owed[OWED_MAX];
    uint32_t due_ms; /* while `wait` is COUNTING */
    uint8_t n_owed;
    uint8_t echoed; /* a FullDuplexCall's metadata */
    uint8_t wait;   /* of owed[0] */
    uint8_t is_used;
};
enum { WAIT_NOT_BEGUN, WAIT_ASKED, WAIT_COUNTING, WAIT_OVER };

static struct task tasks[INTEROP_CONNECTIONS * NRPC_MAX_STREAMS];
static unsigned n_waiting; /* tasks whose wait is ASKED or COUNTING */

/* --- Metadata: one key's value goes back at the beginning, the other's at the end ------------- */

const struct nrpc_key interop_initial = NRPC_KEY("x-grpc-test-echo-initial");
const struct nrpc_key interop_trailing = NRPC_KEY("x-grpc-test-echo-trailing-bin");
static const struct nrpc_key *const keys[] = {&interop_initial, &interop_trailing};

/* Returns NRPC_OK, or the status that the call has been ended with. */
static enum nrpc_status echo(struct nrpc_call *call)
{
    const void *value;
    size_t n;
    int error = 0;
    for (unsigned i = 0;
         error == 0 && (value = nrpc_call_metadata(call, &interop_initial, i, &n)) != NULL; i++) {
        error = nrpc_call_add_header(call, interop_initial.name, value, n);
    }
    for (unsigned i = 0;
         error == 0 && (value = nrpc_call_metadata(call, &interop_trailing, i, &n)) != NULL; i++) {
        error = nrpc_call_add_trailer(call, interop_trailing.name, value, n);
    }
    return error == 0 ? NRPC_OK
                      : nrpc_call_fail(call, NRPC_RESOURCE_EXHAUSTED, "metadata too large to echo");
}

/* --- Compression ------------------------------------------------------------------------------ */

/* Whether the message came as it says that it did. */
static int came_as_said(const struct nrpc_call *call, int says,
                        const grpc_testing_BoolValue *compressed)
{
    int is = 0;
#if NRPC_COMPRESSION
    is = nrpc_call_message_compressed(call);
#endif
    (void)call;
    return !says || compressed->value == is;
}

/* For what is sent next. A client that takes none gets it as it is. */
static void compress(struct nrpc_call *call, int on)
{
#if NRPC_COMPRESSION
    (void)nrpc_call_compress(call, on);
#endif
    (void)call;
    (void)on;
}

/* --- Payloads --------------------------------------------------------------------------------- */

/* Their bodies pass through in pieces: no block is as large as they are. */

/* The next bytes of any body that goes out. */
static size_t zeros(uint8_t *buf, size_t room)
{
    memset(buf, 0, room);
    return room;
}

/* --- Tasks ------------------------------------------------------------------------------------ */

static struct task *task_of(struct nrpc_call *call)
{
    return nrpc_call_user(call)->ptr;
}

static struct task *task_begin(struct nrpc_call *call)
{
    struct task *task = task_of(call);
    for (size_t i = 0; task == NULL && i < sizeof tasks / sizeof tasks[0]; i++) {
        if (!tasks[i].is_used) {
            task = &tasks[i];
            task->is_used = 1;
            task->call = nrpc_call_ref(call);
            nrpc_call_user(call)->ptr = task;
        }
    }
    return task;
}

static void task_wait(struct task *task, unsigned wait)
{
    n_waiting -= task->wait == WAIT_ASKED || task->wait == WAIT_COUNTING;
    n_waiting += wait == WAIT_ASKED || wait == WAIT_COUNTING;
    task->wait = (uint8_t)wait;
}

/* Once, when the call ends in whatever way. */
static void task_end(struct nrpc_call *call)
{
    struct task *task = task_of(call);
    if (task != NULL) {
        task_wait(task, WAIT_NOT_BEGUN);
        task->n_owed = task->echoed = 0;
        task->is_used = 0;
        nrpc_call_user(call)->ptr = NULL;
    }
}

/* Ends the call with the task, for a handler to return. */
static enum nrpc_status task_fail(struct nrpc_call *call, enum nrpc_status status,
                                  const char *message)
{
    task_end(call);
    return nrpc_call_fail(call, status, message);
}

static enum nrpc_status task_owe(struct nrpc_call *call, const output_request *request)
{
    struct task *task = task_begin(call);
    if (task == NULL || task->n_owed + request->response_parameters_count > OWED_MAX) {
        return task_fail(call, NRPC_RESOURCE_EXHAUSTED, "too many answers at once");
    }
    memcpy(task->owed + task->n_owed, request->response_parameters,
           request->response_parameters_count * sizeof task->owed[0]);
    task->n_owed = (uint8_t)(task->n_owed + request->response_parameters_count);
    /* The headers say so, whichever answer it is for. */
    for (unsigned i = 0; i < task->n_owed; i++) {
        if (task->owed[i].compressed.value) {
            compress(call, 1);
        }
    }
    if (request->has_response_status && request->response_status.code != 0) {
        return task_fail(call, (enum nrpc_status)request->response_status.code,
                         request->response_status.message);
    }
    return NRPC_OK;
}

/* The first of the answers that a call owes. */
static enum nrpc_status task_answer(struct nrpc_call *call, output_reply *reply)
{
    struct task *task = task_of(call);
    const grpc_testing_ResponseParameters *first = task->owed;

    if (first->interval_us > 0 && task->wait != WAIT_OVER) {
        if (task->wait == WAIT_NOT_BEGUN) {
            task_wait(task, WAIT_ASKED);
        }
        return NRPC_PENDING;
    }
    if (first->size < 0) {
        return task_fail(call, NRPC_INVALID_ARGUMENT, "a negative size");
    }
    compress(call, first->compressed.value);
    grpc_testing_TestService_StreamingOutputCall_payload_body_length(call, reply,
                                                                     (uint32_t)first->size);
    task_wait(task, WAIT_NOT_BEGUN);
    task->n_owed--;
    memmove(task->owed, task->owed + 1, task->n_owed * sizeof task->owed[0]);
    return NRPC_MORE;
}

/* The handlers' clock may be as old as the last poll, so a wait begins with the next one. */
uint32_t server_poll(uint32_t now_ms)
{
    uint32_t next_ms = 1000;
    for (size_t i = 0; n_waiting != 0 && i < sizeof tasks / sizeof tasks[0]; i++) {
        struct task *task = &tasks[i];
        if (task->wait == WAIT_ASKED) {
            task->due_ms = now_ms + ((uint32_t)task->owed[0].interval_us + 999) / 1000;
            task_wait(task, WAIT_COUNTING);
        }
        if (task->wait == WAIT_COUNTING) {
            uint32_t left_ms = task->due_ms - now_ms;
            if ((int32_t)left_ms <= 0) {
                struct nrpc_call *call = nrpc_call_of(task->call);
                task_wait(task, WAIT_OVER);
                if (call != NULL) {
                    (void)nrpc_call_wake(call);
                }
            } else if (left_ms < next_ms) {
                next_ms = left_ms;
            }
        }
    }
    return next_ms;
}

/* --- /grpc.testing.TestService ---------------------------------------------------------------- */

enum nrpc_status grpc_testing_TestService_EmptyCall(struct nrpc_call *call,
                                                    const grpc_testing_Empty *request,
                                                    grpc_testing_Empty *reply)
{
    (void)call;
    (void)request;
    (void)reply;
    return NRPC_OK;
}

enum nrpc_status grpc_testing_TestService_UnaryCall(struct nrpc_call *call,
                                                    const grpc_testing_SimpleRequest *request,
                                                    grpc_testing_SimpleResponse *reply)
{
    enum nrpc_status status = echo(call);
    if (status != NRPC_OK) {
        return status;
    }
    if (!came_as_said(call, request->has_expect_compressed, &request->expect_compressed)) {
        return nrpc_call_fail(call, NRPC_INVALID_ARGUMENT, "expect_compressed says otherwise");
    }
    compress(call, request->response_compressed.value);
    if (request->has_response_status && request->response_status.code != 0) {
        return nrpc_call_fail(call, (enum nrpc_status)request->response_status.code,
                              request->response_status.message);
    }
    if (request->response_size < 0) {
        return nrpc_call_fail(call, NRPC_INVALID_ARGUMENT, "a negative size");
    }
    if (request->response_size != 0) {
        grpc_testing_TestService_UnaryCall_payload_body_length(call, reply,
                                                               (uint32_t)request->response_size);
    }
    return NRPC_OK;
}

enum nrpc_status grpc_testing_TestService_UnaryCall_payload_body_chunk(
    struct nrpc_call *call, const struct nrpc_chunk *chunk)
{
    (void)call;
    (void)chunk;
    return NRPC_OK;
}

size_t grpc_testing_TestService_UnaryCall_payload_body_produce(struct nrpc_call *call, uint8_t *buf,
                                                               size_t room, uint32_t offset)
{
    (void)call;
    (void)offset;
    return zeros(buf, room);
}

enum nrpc_status grpc_testing_TestService_StreamingInputCall(
    struct nrpc_call *call, const grpc_testing_StreamingInputCallRequest *request,
    grpc_testing_StreamingInputCallResponse *reply)
{
    if (request == NULL) {
        reply->aggregated_payload_size = (int32_t)nrpc_call_user(call)->number;
    } else if (!came_as_said(call, request->has_expect_compressed, &request->expect_compressed)) {
        return nrpc_call_fail(call, NRPC_INVALID_ARGUMENT, "expect_compressed says otherwise");
    }
    return NRPC_OK;
}

enum nrpc_status grpc_testing_TestService_StreamingInputCall_payload_body_chunk(
    struct nrpc_call *call, const struct nrpc_chunk *chunk)
{
    nrpc_call_user(call)->number += chunk->n;
    return NRPC_OK;
}

enum nrpc_status grpc_testing_TestService_StreamingOutputCall(struct nrpc_call *call,
                                                              const output_request *request)
{
    return task_owe(call, request);
}

enum nrpc_status grpc_testing_TestService_StreamingOutputCall_next(struct nrpc_call *call,
                                                                   output_reply *reply)
{
    if (task_of(call)->n_owed != 0) {
        return task_answer(call, reply);
    }
    task_end(call);
    return NRPC_OK;
}

enum nrpc_status grpc_testing_TestService_StreamingOutputCall_payload_body_chunk(
    struct nrpc_call *call, const struct nrpc_chunk *chunk)
{
    (void)call;
    (void)chunk;
    return NRPC_OK;
}

size_t grpc_testing_TestService_StreamingOutputCall_payload_body_produce(struct nrpc_call *call,
                                                                         uint8_t *buf, size_t room,
                                                                         uint32_t offset)
{
    (void)call;
    (void)offset;
    return zeros(buf, room);
}

void grpc_testing_TestService_StreamingOutputCall_cancelled(struct nrpc_call *call,
                                                            enum nrpc_status why)
{
    (void)why;
    task_end(call);
}

/* No further request before the answers to this one have left: see _next. */
enum nrpc_status grpc_testing_TestService_FullDuplexCall(struct nrpc_call *call,
                                                         const output_request *request)
{
    struct task *task = task_of(call);
    enum nrpc_status status = task == NULL || !task->echoed ? echo(call) : NRPC_OK;
    if (status != NRPC_OK) {
        task_end(call);
        return status;
    }
    if (request == NULL) {
        return NRPC_OK;
    }
    status = task_owe(call, request);
    if (status != NRPC_OK) {
        return status;
    }
    task = task_of(call);
    task->echoed = 1;
    return task->n_owed != 0 ? NRPC_PENDING : NRPC_OK;
}

enum nrpc_status grpc_testing_TestService_FullDuplexCall_next(struct nrpc_call *call,
                                                              output_reply *reply)
{
    struct task *task = task_of(call);
    if (task != NULL && task->n_owed != 0) {
        enum nrpc_status status = task_answer(call, reply);
        if (status == NRPC_MORE && task->n_owed == 0) {
            (void)nrpc_call_wake(call);
        }
        return status;
    }
    if (!nrpc_call_half_closed(call)) {
        return NRPC_PENDING;
    }
    task_end(call);
    return NRPC_OK;
}

enum nrpc_status grpc_testing_TestService_FullDuplexCall_payload_body_chunk(
    struct nrpc_call *call, const struct nrpc_chunk *chunk)
{
    (void)call;
    (void)chunk;
    return NRPC_OK;
}

size_t grpc_testing_TestService_FullDuplexCall_payload_body_produce(struct nrpc_call *call,
                                                                    uint8_t *buf, size_t room,
                                                                    uint32_t offset)
{
    (void)call;
    (void)offset;
    return zeros(buf, room);
}

void grpc_testing_TestService_FullDuplexCall_cancelled(struct nrpc_call *call, enum nrpc_status why)
{
    (void)why;
    task_end(call);
}

enum nrpc_status grpc_testing_TestService_HalfDuplexCall(struct nrpc_call *call,
                                                         const output_request *request)
{
    return request == NULL ? NRPC_OK : task_owe(call, request);
}

enum nrpc_status grpc_testing_TestService_HalfDuplexCall_next(struct nrpc_call *call,
                                                              output_reply *reply)
{
    struct task *task = task_of(call);
    if (!nrpc_call_half_closed(call)) {
        return NRPC_PENDING;
    }
    if (task != NULL && task->n_owed != 0) {
        return task_answer(call, reply);
    }
    task_end(call);
    return NRPC_OK;
}

enum nrpc_status grpc_testing_TestService_HalfDuplexCall_payload_body_chunk(
    struct nrpc_call *call, const struct nrpc_chunk *chunk)
{
    (void)call;
    (void)chunk;
    return NRPC_OK;
}

size_t grpc_testing_TestService_HalfDuplexCall_payload_body_produce(struct nrpc_call *call,
                                                                    uint8_t *buf, size_t room,
                                                                    uint32_t offset)
{
    (void)call;
    (void)offset;
    return zeros(buf, room);
}

void grpc_testing_TestService_HalfDuplexCall_cancelled(struct nrpc_call *call, enum nrpc_status why)
{
    (void)why;
    task_end(call);
}

/* The generator's maxima leave the bodies out, since they pass through. */
NRPC_STATIC_ASSERT(INTEROP_BYTES >= grpc_testing_TestService_service_REQUEST_BYTES &&
                       INTEROP_BYTES >= grpc_testing_TestService_service_REPLY_BYTES,
                   "INTEROP_BYTES is too small");
#undef grpc_testing_TestService_service_REQUEST_BYTES
#undef grpc_testing_TestService_service_REPLY_BYTES
#define grpc_testing_TestService_service_REQUEST_BYTES INTEROP_BYTES
#define grpc_testing_TestService_service_REPLY_BYTES INTEROP_BYTES
NRPC_SERVER_DEFINE_WITH(server, INTEROP_CONNECTIONS, (.keys = keys, .n_keys = 2 INTEROP_SERVER_TLS),
                        grpc_testing_TestService_service, interop_Driver_service);
