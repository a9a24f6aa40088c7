/* tests/interop/compressed_client.c - the compression cases, as nanorpc's own client does them when the Driver is told to.
 * Layer: application. Source: gRPC "Interoperability Test Case Descriptions"; proto/interop/driver.proto.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "board.h"
#include "compressed.h"
#include "nanorpc/client.h"
#include "nanorpc/compression.h"
#include "nanorpc/invoke.h"

enum { MESSAGES = 2, STEPS = 3, NAME_MAX = 40, HOST_MAX = 40 };
enum method { UNARY, INPUT, OUTPUT };

/* One call: how its requests go out and what they say of it, the sizes of both sides' bodies, how replies must come. */
struct step {
    enum method method;
    unsigned n; /* messages of the side that streams */
    uint32_t sizes[MESSAGES];
    int sent[MESSAGES], said[MESSAGES]; /* 1: compressed */
    int reply[MESSAGES];                /* likewise, of the server's */
    enum nrpc_status status;
};

#define REQUEST_BYTES 271828
#define REPLY_BYTES 314159

static const struct test_case {
    const char *name;
    int says; /* requests say how they come, not how the reply shall */
    unsigned n;
    struct step steps[STEPS];
} cases[] = {
    {"client_compressed_unary", 1, 3,
     {{.method = UNARY, .n = 1, .said = {1}, .status = NRPC_INVALID_ARGUMENT},
      {.method = UNARY, .n = 1, .said = {1}, .sent = {1}},
      {.method = UNARY, .n = 1}}},
    {"server_compressed_unary", 0, 2, {{.method = UNARY, .n = 1, .reply = {1}}, {.method = UNARY, .n = 1}}},
    {"client_compressed_streaming", 1, 2,
     {{.method = INPUT, .n = 1, .sizes = {27182}, .said = {1}, .status = NRPC_INVALID_ARGUMENT},
      {.method = INPUT, .n = 2, .sizes = {27182, 45904}, .said = {1}, .sent = {1}}}},
    {"server_compressed_streaming", 0, 1, {{.method = OUTPUT, .n = 2, .sizes = {31415, 92653}, .reply = {1}}}}};

static struct {
    struct nrpc_call *asked; /* the Driver's */
    const struct test_case *which;
    unsigned step, written, replies;
    int is_open, is_dialled;
    char host[HOST_MAX];
    uint16_t port;
    const char *problem;
    enum nrpc_status status; /* that came with it */
} run;

static void expect(int condition, const char *problem)
{
    if (!condition && !run.problem) {
        run.problem = problem;
    }
}

static const struct step *now(void)
{
    return &run.which->steps[run.step];
}

/* --- Messages ---------------------------------------------------------------------------------- */

/* The next request of the step. */
static int send(struct nrpc_call *call, const void *unused)
{
    const struct step *step = now();
    size_t room;
    unsigned i = run.written;
    uint8_t *begin = nrpc_call_reserve(call, &room), *p = begin;
    (void)unused;
    if (!begin) {
        return NRPC_E_AGAIN;
    }
    if (room < COMPRESSED_BYTES || COMPRESSED_BYTES < REPLY_BYTES) {
        return NRPC_E_TOO_BIG;
    }
    if (step->method == UNARY) {
        p = put_payload(put_number(p, 2, REPLY_BYTES), 3, REQUEST_BYTES);
        p = run.which->says ? put_bool(p, 8, step->said[0]) : put_bool(p, 6, step->reply[0]);
    } else if (step->method == INPUT) {
        p = put_bool(put_payload(p, 1, step->sizes[i]), 2, step->said[i]);
    } else {
        for (i = 0; i < step->n; i++) {
            uint8_t one[16];
            uint32_t n = (uint32_t)(put_bool(put_number(one, 1, step->sizes[i]), 3, step->reply[i]) - one);
            p = put_length(p, 2, n);
            memcpy(p, one, n);
            p += n;
        }
    }
    if (step->sent[0]) {
        (void)nrpc_call_compress(call, step->sent[run.written]);
    }
    run.written++;
    nrpc_call_commit(call, (size_t)(p - begin));
    return 0;
}

struct reply {
    uint32_t bytes; /* of its body, or what it counted */
    int compressed;
};

static enum nrpc_status message(struct nrpc_call *call, const uint8_t *data, size_t n)
{
    struct reply reply = {0, nrpc_call_message_compressed(call)};
    struct reader r = {data, data ? data + n : NULL, 0}, inner;
    uint32_t value;
    for (unsigned id; data && (id = read_field(&r, &value, &inner)) != 0;) {
        if (id == 1) {
            reply.bytes = now()->method == INPUT ? value : read_body(inner);
        }
    }
    expect(!r.is_bad, "a reply that is none");
    return nrpc_client_message(call, data ? &reply : NULL);
}

static enum nrpc_status got(struct nrpc_call *call, const void *message_, void *unused)
{
    const struct reply *reply = message_;
    const struct step *step = now();
    unsigned i = run.replies++;
    (void)call;
    (void)unused;
    if (i >= MESSAGES) {
        expect(0, "too many replies");
        return NRPC_OK;
    }
    uint32_t bytes = step->method == UNARY ? REPLY_BYTES : step->method == INPUT ? step->sizes[0] + step->sizes[1] : step->sizes[i];
    expect(reply->bytes == bytes, "a reply of another size");
    expect(run.which->says || reply->compressed == step->reply[i], "it came otherwise than asked for");
    return NRPC_OK;
}

/* --- Calls ------------------------------------------------------------------------------------- */

static void done(struct nrpc_call *call, enum nrpc_status status, const char *text)
{
    const struct step *step = now();
    (void)call;
    (void)text;
    expect(status == step->status, "another status");
    expect(status != NRPC_OK || run.replies == (step->method == OUTPUT ? step->n : 1u), "too few replies");
    run.status = run.problem ? status : NRPC_OK;
    run.is_open = 0;
    run.step++;
}

static void write(struct nrpc_call *call)
{
    const struct step *step = now();
    if (step->method == INPUT && run.written < step->n) {
        expect(nrpc_client_write(call, step) == 0, "a request that cannot be sent");
        if (run.written == step->n) {
            (void)nrpc_call_close_writes(call);
        }
    }
}

static const struct nrpc_codec codec = {.message = message, .send = send};
#define METHOD(name, streams)                                                                                  \
    {.method = {.codec = &codec, .handler = got, .cancelled = nrpc_client_cancelled, .kind = NRPC_CALLER | (streams)}, \
     .path = "/grpc.testing.TestService/" name}
static const struct nrpc_client_method methods[] = {
    [UNARY] = METHOD("UnaryCall", NRPC_UNARY),
    [INPUT] = METHOD("StreamingInputCall", NRPC_UNARY),
    [OUTPUT] = METHOD("StreamingOutputCall", NRPC_CLIENT_STREAM)};
static const struct nrpc_events events = {.writable = write, .done = done};

/* What the generator would write. */
#define Test_client_REQUEST_BYTES COMPRESSED_BYTES
#define Test_client_REPLY_BYTES COMPRESSED_BYTES
union Test_client_reply { uint8_t none; };
NRPC_CHANNEL_DEFINE(channel, "interop", Test_client);

static void begin(void)
{
    const struct step *step = now();
    const struct nrpc_call_options options = {.wait_for_ready = 1, .timeout_ms = 30000,
                                              .compress = step->sent[0] ? NRPC_ENCODING_GZIP : 0};
    run.written = run.replies = 0;
    run.is_open = 1;
    struct nrpc_call *call = nrpc_client_start(&channel, &methods[step->method], &options,
                                               step->method == INPUT ? NULL : step, &events);
    if (!call) {
        expect(0, "no call can be begun");
        run.is_open = 0;
    } else {
        write(call);
    }
}

/* --- /interop.Driver --------------------------------------------------------------------------- */

static void answer(void)
{
    size_t room, n = run.problem ? strlen(run.problem) : 0;
    uint8_t *at = run.asked ? nrpc_call_reserve(run.asked, &room) : NULL, *p = at;
    if (at) {
        if (n) {
            p = put_length(p, 1, (uint32_t)n);
            memcpy(p, run.problem, n);
            p = put_number(put_number(p + n, 2, run.step), 3, run.status);
        }
        nrpc_call_commit(run.asked, (size_t)(p - at));
        (void)nrpc_call_finish(run.asked, NRPC_OK, NULL);
    }
    memset(&run, 0, sizeof run);
}

uint32_t app_poll(uint32_t now_ms)
{
    (void)now_ms;
    if (!run.which) {
        return 1000;
    }
    if (!run.is_dialled) {
        expect(board_dial(&channel.dial, run.host, run.port) == 0, "this board cannot dial now");
        run.is_dialled = 1;
    }
    if (!run.is_open) {
        if (!run.problem && run.step < run.which->n) {
            begin();
        } else {
            board_undial(&channel.dial);
            answer();
        }
    }
    return 5;
}

/* Of RunRequest: a text, cut to room - 1 bytes. */
static void copy_text(char *to, size_t room, struct reader text)
{
    size_t n = (size_t)(text.end - text.at);
    n = n < room ? n : room - 1;
    memcpy(to, text.at, n);
    to[n] = '\0';
}

static enum nrpc_status told(struct nrpc_call *call, const uint8_t *data, size_t n)
{
    struct reader r = {data, data + n, 0}, inner;
    char name[NAME_MAX] = "";
    uint32_t value;
    if (run.which) {
        return nrpc_call_fail(call, NRPC_UNAVAILABLE, "one case at a time");
    }
    for (unsigned id; (id = read_field(&r, &value, &inner)) != 0;) {
        if (id == 1) {
            copy_text(name, sizeof name, inner);
        } else if (id == 2) {
            copy_text(run.host, sizeof run.host, inner);
        } else if (id == 3) {
            run.port = (uint16_t)value;
        }
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (strcmp(cases[i].name, name) == 0) {
            run.which = &cases[i];
        }
    }
    run.asked = call;
    return run.which ? NRPC_PENDING : nrpc_call_fail(call, NRPC_NOT_FOUND, "no such case");
}

static void given_up(struct nrpc_call *call, enum nrpc_status why)
{
    (void)why;
    if (run.asked == call) {
        run.asked = NULL;
        expect(0, "nobody wants to know");
    }
}

static const struct nrpc_codec driver_codec = {.message = told};
static const struct nrpc_method driver_methods[] = {{.codec = &driver_codec, .cancelled = given_up, .kind = NRPC_UNARY}};
const struct nrpc_service Driver = {.path = "/interop.Driver/", .method_names = "\200Run\377", .methods = driver_methods};
