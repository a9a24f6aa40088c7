/* tests/interop/compressed.c - as much of grpc.testing.TestService as the compression cases call, with payloads of any size.
 * Layer: application. Source: gRPC "Interoperability Test Case Descriptions"; protobuf "Encoding".
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "board.h"
#include "compressed.h"
#include "nanorpc/compression.h"

/* The messages are coded here and not by nanopb: a body is checked, or made, where it lies in the message's block. */

enum { NOT_SAID = -1, ANSWERS = 8 };

/* What is asked of one answer. */
struct answer {
    uint32_t size;
    int compressed; /* 0, 1, NOT_SAID */
};

struct request {
    struct answer answers[ANSWERS];
    unsigned n;    /* of them */
    int expected;  /* how the request itself should have come: 0, 1, NOT_SAID */
    uint32_t body; /* bytes */
};

/* What a server-streaming call has still to do. */
static struct task {
    struct nrpc_call *call; /* NULL: free */
    struct request request;
    unsigned done;
} tasks[COMPRESSED_CONNECTIONS * NRPC_MAX_STREAMS];

/* --- Reading ----------------------------------------------------------------------------------- */

static uint32_t varint(struct reader *r)
{
    uint32_t value = 0;
    for (unsigned shift = 0; r->at < r->end && shift < 64; shift += 7) {
        value |= shift < 32 ? (uint32_t)(*r->at & 0x7f) << shift : 0;
        if (!(*r->at++ & 0x80)) {
            return value;
        }
    }
    r->is_bad = 1;
    return 0;
}

unsigned read_field(struct reader *r, uint32_t *value, struct reader *inner)
{
    if (r->is_bad || r->at == r->end) {
        return 0;
    }
    uint32_t key = varint(r);
    *value = varint(r);
    *inner = (struct reader){r->at, r->at, 0};
    if ((key & 7) == 2 && *value <= (uint32_t)(r->end - r->at)) {
        inner->end = r->at += *value;
    } else if ((key & 7) != 0) {
        r->is_bad = 1;
    }
    return r->is_bad ? 0 : (unsigned)key >> 3;
}

/* A message of which only field 1, a number, matters: BoolValue. */
static int number_in(struct reader r)
{
    uint32_t value, found = 0;
    struct reader inner;
    for (unsigned id; (id = read_field(&r, &value, &inner)) != 0;) {
        found = id == 1 ? value : found;
    }
    return (int)found;
}

uint32_t read_body(struct reader payload)
{
    uint32_t value, found = 0;
    struct reader inner;
    for (unsigned id; (id = read_field(&payload, &value, &inner)) != 0;) {
        found = id == 2 ? value : found;
    }
    return found;
}

/* Returns 1 when all is well. A field's number in the message that it is: 0, when it does not have such a field. */
static int read_request(struct request *request, struct reader r, unsigned payload, unsigned size, unsigned compressed,
                        unsigned expected)
{
    uint32_t value;
    struct reader inner;
    memset(request, 0, sizeof *request);
    request->n = 1;
    request->expected = request->answers[0].compressed = NOT_SAID;
    for (unsigned id; (id = read_field(&r, &value, &inner)) != 0;) {
        if (id == payload) {
            request->body = read_body(inner);
        } else if (id == size) {
            request->answers[0].size = value;
        } else if (id == compressed) {
            request->answers[0].compressed = number_in(inner);
        } else if (id == expected) {
            request->expected = number_in(inner);
        }
    }
    return !r.is_bad;
}

/* StreamingOutputCallRequest: its ResponseParameters. */
static int read_output(struct request *request, struct reader r)
{
    uint32_t value;
    struct reader inner;
    memset(request, 0, sizeof *request);
    for (unsigned id; (id = read_field(&r, &value, &inner)) != 0;) {
        struct request one;
        if (id == 2) {
            if (request->n == ANSWERS || !read_request(&one, inner, 0, 1, 3, 0)) {
                return 0;
            }
            request->answers[request->n++] = one.answers[0];
        }
    }
    return !r.is_bad;
}

/* --- Answers ----------------------------------------------------------------------------------- */

uint8_t *put_varint(uint8_t *p, uint32_t value)
{
    for (; value >= 0x80; value >>= 7) {
        *p++ = (uint8_t)(value | 0x80);
    }
    *p++ = (uint8_t)value;
    return p;
}

uint8_t *put_number(uint8_t *p, unsigned id, uint32_t value)
{
    *p = (uint8_t)(id << 3);
    return put_varint(p + 1, value);
}

uint8_t *put_length(uint8_t *p, unsigned id, uint32_t n)
{
    *p = (uint8_t)(id << 3 | 2);
    return put_varint(p + 1, n);
}

uint8_t *put_payload(uint8_t *p, unsigned id, uint32_t zeros)
{
    uint8_t head[6];
    uint32_t n = (uint32_t)(put_length(head, 2, zeros) - head);
    p = put_length(p, id, n + zeros);
    memcpy(p, head, n);
    memset(p + n, 0, zeros);
    return p + n + zeros;
}

uint8_t *put_bool(uint8_t *p, unsigned id, int value)
{
    p = put_length(p, id, value ? 2 : 0);
    return value ? put_number(p, 1, 1) : p;
}

/* A message with a payload of so many zeros, compressed or not. Returns NRPC_MORE or the status to end with. */
static enum nrpc_status give(struct nrpc_call *call, const struct answer *answer)
{
    size_t room;
    uint8_t *begin = nrpc_call_reserve(call, &room);
    if (!begin) {
        return NRPC_INTERNAL;
    }
    if (answer->size > COMPRESSED_BYTES - 12) {
        return nrpc_call_fail(call, NRPC_RESOURCE_EXHAUSTED, "so large an answer does not fit");
    }
    (void)nrpc_call_compress(call, answer->compressed == 1);
    nrpc_call_commit(call, answer->size ? (size_t)(put_payload(begin, 1, answer->size) - begin) : 0);
    return NRPC_MORE;
}

/* Whether the message came as it says that it did. */
static int came_as_said(const struct nrpc_call *call, const struct request *request)
{
    return request->expected == NOT_SAID || request->expected == nrpc_call_message_compressed(call);
}

/* --- Methods ----------------------------------------------------------------------------------- */

static enum nrpc_status empty(struct nrpc_call *call, const uint8_t *data, size_t n)
{
    (void)data;
    (void)n;
    nrpc_call_commit(call, 0);
    return NRPC_OK;
}

static enum nrpc_status unary(struct nrpc_call *call, const uint8_t *data, size_t n)
{
    struct request request;
    if (!read_request(&request, (struct reader){data, data + n, 0}, 3, 2, 6, 8)) {
        return NRPC_INTERNAL;
    }
    if (!came_as_said(call, &request)) {
        return nrpc_call_fail(call, NRPC_INVALID_ARGUMENT, "expect_compressed says otherwise");
    }
    enum nrpc_status status = give(call, &request.answers[0]);
    return status == NRPC_MORE ? NRPC_OK : status;
}

static enum nrpc_status input(struct nrpc_call *call, const uint8_t *data, size_t n)
{
    union nrpc_user *const sum = nrpc_call_user(call);
    struct request request;
    if (!data) {
        size_t room;
        uint8_t *begin = nrpc_call_reserve(call, &room);
        nrpc_call_commit(call, (size_t)(put_number(begin, 1, (uint32_t)sum->number) - begin));
        return NRPC_OK;
    }
    if (!read_request(&request, (struct reader){data, data + n, 0}, 1, 0, 0, 2)) {
        return NRPC_INTERNAL;
    }
    if (!came_as_said(call, &request)) {
        return nrpc_call_fail(call, NRPC_INVALID_ARGUMENT, "expect_compressed says otherwise");
    }
    sum->number += request.body;
    return NRPC_OK;
}

static void end_task(struct nrpc_call *call, enum nrpc_status why)
{
    struct task *task = nrpc_call_user(call)->ptr;
    (void)why;
    if (task) {
        task->call = NULL;
    }
}

static enum nrpc_status output(struct nrpc_call *call, const uint8_t *data, size_t n)
{
    struct task *task = tasks;
    while (task->call) { /* there are as many as calls */
        task++;
    }
    if (!read_output(&task->request, (struct reader){data, data + n, 0})) {
        return NRPC_INTERNAL;
    }
    for (unsigned i = 0; i < task->request.n; i++) { /* the headers say so, whichever answer it is for */
        if (task->request.answers[i].compressed == 1) {
            (void)nrpc_call_compress(call, 1);
        }
    }
    task->call = call;
    task->done = 0;
    nrpc_call_user(call)->ptr = task;
    return NRPC_OK;
}

static enum nrpc_status output_next(struct nrpc_call *call)
{
    struct task *task = nrpc_call_user(call)->ptr;
    enum nrpc_status status =
        task->done < task->request.n ? give(call, &task->request.answers[task->done++]) : NRPC_OK;
    if (status != NRPC_MORE) {
        end_task(call, status);
    }
    return status;
}

static void nothing(struct nrpc_call *call, enum nrpc_status why)
{
    (void)call;
    (void)why;
}

static const struct nrpc_codec codecs[] = {
    {.message = empty}, {.message = input}, {.message = output, .next = output_next}, {.message = unary}};
static const struct nrpc_method methods[] = {
    {.codec = &codecs[0], .cancelled = nothing, .kind = NRPC_UNARY},
    {.codec = &codecs[1], .cancelled = nothing, .kind = NRPC_CLIENT_STREAM},
    {.codec = &codecs[2], .cancelled = end_task, .kind = NRPC_SERVER_STREAM},
    {.codec = &codecs[3], .cancelled = nothing, .kind = NRPC_UNARY}};
static const struct nrpc_service TestService = {
    .path = "/grpc.testing.TestService/",
    .method_names = "\200EmptyCall\200StreamingInputCall\211OutputCall\200UnaryCall\377",
    .methods = methods};

/* What the generator would write. */
#define TestService_REQUEST_BYTES COMPRESSED_BYTES
#define TestService_REPLY_BYTES COMPRESSED_BYTES
union TestService_request { uint8_t none; };
union TestService_reply { uint8_t none; };
NRPC_SERVER_DEFINE(server, COMPRESSED_CONNECTIONS, TestService, Driver);
