/* tests/unit/raw_service.c - a service with its own codec, which sees encoded messages.
 * Layer: test. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "raw_service.h"

#include <string.h>

#include "test.h"

struct raw_state raw;

enum { BIDI, COLLECT, ECHO, FAIL, FIRST, GONE, HOLD, LATER, LIST, NONE, PUSH, METHODS };

uint8_t raw_pattern(size_t i)
{
    return (uint8_t)('a' + i % 23);
}

void raw_reset(void)
{
    memset(&raw, 0, sizeof raw);
}

static struct raw_call *place_of(uint32_t id)
{
    return &raw.calls[id / 2 % RAW_CALLS];
}

/* Something of this call was called: it must not have ended. */
static void note_life(struct nrpc_call *call)
{
    NRPC_CALL_IN(call);
    struct raw_call *place = place_of(call->id);
    CHECK(place->id != call->id || place->live);
    place->id = call->id;
    place->live = call;
}

static void note(struct nrpc_call *call, char what, unsigned number)
{
    NRPC_CALL_IN(call);
    note_life(call);
    if (raw.n_events < RAW_EVENTS) {
        struct raw_event *event = &raw.events[raw.n_events++];
        event->id = call->id;
        event->what = what;
        event->number = number;
    }
}

static void note_end(struct nrpc_call *call)
{
    NRPC_CALL_IN(call);
    struct raw_call *place = place_of(call->id);
    /* Else another stream stands there now. */
    place->live = place->id == call->id ? NULL : place->live;
}

struct nrpc_call *raw_call(uint32_t id)
{
    return place_of(id)->live;
}

static int send_bytes(struct nrpc_call *call, const void *data, size_t n)
{
    size_t room;
    uint8_t *at = nrpc_call_reserve(call, &room);
    if (!at) {
        return NRPC_E_AGAIN;
    }
    CHECK(n <= room);
    memcpy(at, data, n < room ? n : room);
    nrpc_call_commit(call, n < room ? n : room);
    return 0;
}

int raw_send(uint32_t id, const char *text)
{
    return send_bytes(raw_call(id), text, strlen(text));
}

int raw_finish(uint32_t id, enum nrpc_status status, const char *message)
{
    struct nrpc_call *call = raw_call(id);
    int result = nrpc_call_finish(call, status, message);
    note_end(call);
    return result;
}

int raw_wake(uint32_t id)
{
    return nrpc_call_wake(raw_call(id));
}

static unsigned method_of(const struct nrpc_call *call)
{
    const struct nrpc_method *method = nrpc_call_method(call);
    return method->reply_bytes;
}

/* A handler's status that ends the call: nothing more may be called. */
static enum nrpc_status ends(struct nrpc_call *call, enum nrpc_status status)
{
    note_end(call);
    return status;
}

static unsigned parse(const uint8_t **at, const uint8_t *end)
{
    unsigned value = 0;
    while (*at < end && **at >= '0' && **at <= '9') {
        value = value * 10 + (unsigned)(*(*at)++ - '0');
    }
    return value;
}

static enum nrpc_status fail(struct nrpc_call *call, const uint8_t *data, size_t n)
{
    char text[200];
    size_t length = n > 2 ? n - 2 : 0;
    note_end(call);
    memcpy(text, data + n - length, length);
    text[length] = 0;
    return nrpc_call_fail(call, (enum nrpc_status)(n ? data[0] - 'A' : NRPC_UNKNOWN),
                          n > 2 ? text : NULL);
}

/* user: messages so far << 16 | their bytes. */
static enum nrpc_status collect(struct nrpc_call *call, const uint8_t *data, size_t n)
{
    nrpc_user_number *sum = &nrpc_call_user(call)->number;
    char text[16];
    unsigned at = sizeof text;
    unsigned parts[2];
    if (data) {
        *sum += 0x10000u + n;
        return NRPC_OK;
    }
    parts[0] = (unsigned)(*sum & 0xffff);
    parts[1] = (unsigned)(*sum >> 16);
    for (unsigned i = 0; i < 2; i++) {
        unsigned value = parts[i];
        do {
            text[--at] = (char)('0' + value % 10);
            value /= 10;
        } while (value);
        text[--at] = ':';
    }
    send_bytes(call, text + at + 1, sizeof text - at - 1);
    return ends(call, NRPC_OK);
}

/* user: messages left << 20 | index << 16 | bytes of each, 0: short texts. */
static enum nrpc_status list(struct nrpc_call *call, const uint8_t *data, size_t n)
{
    const uint8_t *end = data + n;
    nrpc_user_number count = parse(&data, end);
    data += data < end;
    nrpc_call_user(call)->number = count << 20 | parse(&data, end);
    return NRPC_OK;
}

static enum nrpc_status list_next(struct nrpc_call *call)
{
    nrpc_user_number *left = &nrpc_call_user(call)->number;
    size_t room, n = (size_t)(*left & 0xffff);
    char text[3] = {'m', (char)('0' + (*left >> 16 & 15)), 0};
    if (*left >> 20 == 0) {
        return ends(call, NRPC_OK);
    }
    *left = *left + 0x10000u - 0x100000u;
    if (!n) {
        CHECK_EQ(send_bytes(call, text, 2), 0);
        return NRPC_MORE;
    }
    uint8_t *at = nrpc_call_reserve(call, &room);
    if (CHECK(at != NULL)) {
        n = n < room ? n : room;
        for (size_t i = 0; i < n; i++) {
            at[i] = raw_pattern(i);
        }
        nrpc_call_commit(call, n);
    }
    return NRPC_MORE;
}

static enum nrpc_status raw_message(struct nrpc_call *call, const uint8_t *data, size_t n)
{
    unsigned method = method_of(call);
    note(call, data ? 'm' : 'h', (unsigned)n);
    switch (method) {
    case COLLECT: return collect(call, data, n);
    case ECHO: CHECK_EQ(send_bytes(call, data, n), 0); return ends(call, NRPC_OK);
    case FAIL: return fail(call, data, n);
    case LATER: return NRPC_PENDING;
    case LIST: return list(call, data, n);
    case NONE: return ends(call, NRPC_OK);
    case PUSH: return NRPC_OK;
    default: break;
    }
    if (data) { /* BIDI, FIRST, HOLD */
        CHECK_EQ(send_bytes(call, data, n), 0);
    }
    return data && method == HOLD ? NRPC_PENDING : NRPC_OK;
}

static enum nrpc_status raw_next(struct nrpc_call *call)
{
    unsigned method = method_of(call);
    note_life(call);
    if (method == LIST) {
        return list_next(call);
    }
    if (method == GONE) {
        return ends(call, NRPC_UNIMPLEMENTED);
    }
    if (method == FIRST && !nrpc_call_user(call)->number++) {
        CHECK_EQ(send_bytes(call, "welcome", 7), 0);
        return NRPC_MORE;
    }
    return method != PUSH && nrpc_call_half_closed(call) ? ends(call, NRPC_OK) : NRPC_PENDING;
}

static void raw_cancelled(struct nrpc_call *call, enum nrpc_status why)
{
    note(call, 'c', why);
    raw.n_cancelled++;
    note_end(call);
}

static const struct nrpc_codec codec = {.message = raw_message, .next = raw_next};

/* reply_bytes is nanopb's; here it says which method it is. */
/* What the generator writes for a client-streaming method. Here the codec answers instead. */
static enum nrpc_status asked(struct nrpc_call *call, void *reply)
{
    (void)call;
    (void)reply;
    return NRPC_INTERNAL;
}

#define METHOD(number, its_kind) \
    {.codec = &codec, .cancelled = raw_cancelled, .reply_bytes = (number), .kind = (its_kind)}
static const struct nrpc_method methods[METHODS] = {
    METHOD(BIDI, NRPC_BIDI),
    METHOD(COLLECT, NRPC_CLIENT_STREAM),
    METHOD(ECHO, NRPC_UNARY),
    METHOD(FAIL, NRPC_UNARY),
    METHOD(FIRST, NRPC_BIDI),
    {.codec = &codec,
     .next = asked,
     .cancelled = raw_cancelled,
     .reply_bytes = GONE,
     .kind = NRPC_CLIENT_STREAM},
    METHOD(HOLD, NRPC_BIDI),
    METHOD(LATER, NRPC_UNARY),
    METHOD(LIST, NRPC_SERVER_STREAM),
    METHOD(NONE, NRPC_UNARY),
    METHOD(PUSH, NRPC_SERVER_STREAM),
};
static const char names[] = "\200Bidi\200Collect\200Echo\200Fail\201irst\200Gone\200Hold\200Later"
                            "\201ist\200None\200Push\377";

const struct nrpc_service Raw_service = {
    .path = "/test.Raw/", .method_names = names, .methods = methods};
const struct nrpc_service Large_service = {
    .path = "/test.Large/", .method_names = names, .methods = methods};

/* What the generator would write. */
#define Raw_service_REQUEST_BYTES RAW_REQUEST_BYTES
#define Raw_service_REPLY_BYTES RAW_REPLY_BYTES
#define Large_service_REQUEST_BYTES LARGE_REQUEST_BYTES
#define Large_service_REPLY_BYTES LARGE_REPLY_BYTES
union Raw_service_request {
    uint8_t m0;
};
union Raw_service_reply {
    uint8_t m0;
};
union Large_service_request {
    uint8_t m0;
};
union Large_service_reply {
    uint8_t m0;
};

NRPC_SERVER_DEFINE(raw_server, 2, Raw_service);
NRPC_SERVER_DEFINE(large_server, 1, Large_service);
