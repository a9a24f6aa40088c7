/* boards/apps/interop/client.c - gRPC's interop cases, made by our client for the Driver.
 * Layer: application. Source: gRPC "Interoperability Test Case Descriptions", "HTTP/2 Interop Test
 * Case Descriptions".
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "board.h"
#include "nanorpc/compression.h"
#include "grpc/testing/test.client.h"
#include "interop.h"
#include "interop/driver.nrpc.h"

/* --- The cases, as data ----------------------------------------------------------------------- */

enum method { EMPTY, UNARY, INPUT, OUTPUT, DUPLEX, NO_METHOD, NO_SERVICE };
enum {
    ECHO = 1,               /* both metadata keys are sent, and must come back */
    CANCEL_AT_ONCE = 2,     /* the call is given up as soon as its headers have left */
    CANCEL_AFTER_FIRST = 4, /* when the first reply is there */
    ANY_FAILURE = 8,        /* every status but OK will do */
    STAYS_OPEN = 16         /* the stream of requests is not ended */
};
/* A message's compression: the request is compressed; it says that it is not, or is; it asks for a
 * reply that is not, or is. */
enum { IS = 1, SAYS = 2, SAYS_IT_IS = 6, ASKS = 8, ASKS_FOR_IT = 24 };
enum { STEPS_MAX = 3, SIZES_MAX = 4 };

/* A call, or several alike at once. */
struct step {
    enum method method;
    int32_t requests[SIZES_MAX], replies[SIZES_MAX]; /* bytes of their bodies */
    unsigned n;                                      /* messages of a stream, or 1 */
    unsigned times;                                  /* calls; 0 is 1 */
    unsigned flags;
    enum nrpc_status status; /* that it must end with */
    const char *message;     /* comes with it, and is asked of the server; NULL: any */
    uint32_t timeout_ms;     /* 0: none */
    uint8_t how[SIZES_MAX];  /* of each message of the side that streams */
};

#define LARGE .requests = {271828}, .replies = {314159}, .n = 1
#define MANY_REQUESTS .requests = {27182, 8, 1828, 45904}
#define MANY_REPLIES .replies = {31415, 9, 2653, 58979}

static const struct test_case {
    const char *name;
    struct step steps[STEPS_MAX];
    unsigned n_steps;
} cases[] = {
    {"empty_unary", {{.method = EMPTY}}, 1},
    {"large_unary", {{.method = UNARY, LARGE}}, 1},
    {"client_streaming", {{.method = INPUT, MANY_REQUESTS, .n = 4}}, 1},
    {"server_streaming", {{.method = OUTPUT, MANY_REPLIES, .n = 4}}, 1},
    {"client_compressed_unary",
     {{.method = UNARY, LARGE, .how = {SAYS_IT_IS}, .status = NRPC_INVALID_ARGUMENT},
      {.method = UNARY, LARGE, .how = {SAYS_IT_IS | IS}},
      {.method = UNARY, LARGE, .how = {SAYS}}},
     3},
    {"server_compressed_unary",
     {{.method = UNARY, LARGE, .how = {ASKS_FOR_IT}}, {.method = UNARY, LARGE, .how = {ASKS}}},
     2},
    {"client_compressed_streaming",
     {{.method = INPUT,
       .requests = {27182},
       .n = 1,
       .how = {SAYS_IT_IS},
       .status = NRPC_INVALID_ARGUMENT},
      {.method = INPUT, .requests = {27182, 45904}, .n = 2, .how = {SAYS_IT_IS | IS, SAYS}}},
     2},
    {"server_compressed_streaming",
     {{.method = OUTPUT, .replies = {31415, 92653}, .n = 2, .how = {ASKS_FOR_IT, ASKS}}},
     1},
    {"ping_pong", {{.method = DUPLEX, MANY_REQUESTS, MANY_REPLIES, .n = 4}}, 1},
    {"empty_stream", {{.method = DUPLEX}}, 1},
    {"custom_metadata",
     {{.method = UNARY, LARGE, .flags = ECHO}, {.method = DUPLEX, LARGE, .flags = ECHO}},
     2},
    {"status_code_and_message",
     {{.method = UNARY, .status = NRPC_UNKNOWN, .message = "test status message"},
      {.method = DUPLEX, .n = 1, .status = NRPC_UNKNOWN, .message = "test status message"}},
     2},
    {"special_status_message",
     {{.method = UNARY,
       .status = NRPC_UNKNOWN,
       .message = "\t\ntest with whitespace\r\nand Unicode BMP \xe2\x98\xba and non-BMP "
                  "\xf0\x9f\x98\x88\t\n"}},
     1},
    {"unimplemented_method", {{.method = NO_METHOD, .status = NRPC_UNIMPLEMENTED}}, 1},
    {"unimplemented_service", {{.method = NO_SERVICE, .status = NRPC_UNIMPLEMENTED}}, 1},
    {"cancel_after_begin",
     {{.method = EMPTY}, {.method = INPUT, .status = NRPC_CANCELLED, .flags = CANCEL_AT_ONCE}},
     2},
    {"cancel_after_first_response",
     {{.method = DUPLEX,
       MANY_REQUESTS,
       MANY_REPLIES,
       .n = 1,
       .status = NRPC_CANCELLED,
       .flags = CANCEL_AFTER_FIRST}},
     1},
    {"timeout_on_sleeping_server",
     {{.method = DUPLEX,
       .requests = {27182},
       .n = 1,
       .status = NRPC_DEADLINE_EXCEEDED,
       .flags = STAYS_OPEN,
       .timeout_ms = 1}},
     1},
    {"goaway", {{.method = UNARY, LARGE}, {.method = UNARY, LARGE}}, 2},
    {"rst_after_header", {{.method = UNARY, LARGE, .flags = ANY_FAILURE}}, 1},
    {"rst_during_data", {{.method = UNARY, LARGE, .flags = ANY_FAILURE}}, 1},
    {"rst_after_data", {{.method = UNARY, LARGE, .flags = ANY_FAILURE}}, 1},
    {"ping", {{.method = UNARY, LARGE}}, 1},
    {"max_streams", {{.method = UNARY, LARGE}, {.method = UNARY, LARGE, .times = 10}}, 2},
};

/* --- The case that is being done -------------------------------------------------------------- */

static const struct nrpc_key *const keys[] = {&interop_initial, &interop_trailing};
static const char echo_text[] = "test_initial_metadata_value";
static const uint8_t echo_bytes[] = {0x0a, 0x0b, 0x0a, 0x0b, 0x0a, 0x0b};

/* The generator's maxima leave the bodies out, since they pass through. */
NRPC_STATIC_ASSERT(INTEROP_BYTES >= grpc_testing_TestService_client_REQUEST_BYTES &&
                       INTEROP_BYTES >= grpc_testing_TestService_client_REPLY_BYTES,
                   "INTEROP_BYTES is too small");
#undef grpc_testing_TestService_client_REQUEST_BYTES
#undef grpc_testing_TestService_client_REPLY_BYTES
#define grpc_testing_TestService_client_REQUEST_BYTES INTEROP_BYTES
#define grpc_testing_TestService_client_REPLY_BYTES INTEROP_BYTES
NRPC_CHANNEL_DEFINE_WITH(channel, "interop.example",
                         (.keys = keys, .n_keys = 2 INTEROP_TLS(interop_channel_tls)),
                         grpc_testing_TestService_client, grpc_testing_UnimplementedService_client);

static struct run {
    struct nrpc_call_ref asked;    /* Driver.Run, which is answered at the end */
    const struct test_case *which; /* NULL: none */
    char host[sizeof((interop_RunRequest *)0)->host];
    uint16_t port;
    uint8_t dialled;
    unsigned step, begun, open; /* calls of the step */
    unsigned calls;             /* that are over, of all steps */
    interop_RunReply reply;
} run;

/* A call that is open. */
static struct active {
    struct nrpc_call_ref call;
    const struct step *step; /* NULL: free */
    unsigned sent, received, polls;
    unsigned headers; /* how often initial metadata have come */
    uint32_t body;    /* bytes of the reply that is coming in */
} actives[NRPC_MAX_STREAMS];

static struct active *active_of(struct nrpc_call *call)
{
    return nrpc_call_user(call)->ptr;
}

/* The first problem is the one that is told. */
static void expect(int fine, const char *problem)
{
    if (!fine && run.reply.problem[0] == '\0') {
        strncpy(run.reply.problem, problem, sizeof run.reply.problem - 1);
        run.reply.call = run.calls + 1;
    }
}

/* --- Requests --------------------------------------------------------------------------------- */

static void set_status(const struct step *step, bool *has, grpc_testing_EchoStatus *status)
{
    if (step->message != NULL) {
        *has = true;
        status->code = (int32_t)step->status;
        strncpy(status->message, step->message, sizeof status->message - 1);
    }
}

static void set_bool(bool *has, grpc_testing_BoolValue *to, unsigned how, unsigned present,
                     unsigned yes)
{
    *has = (how & present) != 0;
    to->value = (how & yes) == yes;
}

/* For the requests that are sent from now on. */
static void compress(struct nrpc_call *call, unsigned how)
{
#if NRPC_COMPRESSION
    (void)nrpc_call_compress(call, (how & IS) != 0);
#endif
    (void)call;
    (void)how;
}

/* A body's length. */
static uint32_t length(int32_t size)
{
    return size != 0 ? (uint32_t)size : NRPC_NOT_STREAMED;
}

static grpc_testing_SimpleRequest unary_request(const struct step *step)
{
    grpc_testing_SimpleRequest request = grpc_testing_SimpleRequest_init_zero;
    request.response_size = step->replies[0];
    set_bool(&request.has_expect_compressed, &request.expect_compressed, step->how[0], SAYS,
             SAYS_IT_IS);
    set_bool(&request.has_response_compressed, &request.response_compressed, step->how[0], ASKS,
             ASKS_FOR_IT);
    set_status(step, &request.has_response_status, &request.response_status);
    return request;
}

static grpc_testing_StreamingOutputCallRequest output_request(const struct step *step)
{
    grpc_testing_StreamingOutputCallRequest request =
        grpc_testing_StreamingOutputCallRequest_init_zero;
    request.response_parameters_count = (pb_size_t)step->n;
    for (unsigned i = 0; i < step->n; i++) {
        grpc_testing_ResponseParameters *parameters = &request.response_parameters[i];
        parameters->size = step->replies[i];
        set_bool(&parameters->has_compressed, &parameters->compressed, step->how[i], ASKS,
                 ASKS_FOR_IT);
    }
    return request;
}

/* The next request of a stream, then the end. */
static void write_input(struct nrpc_call *call)
{
    struct active *active = active_of(call);
    const struct step *step = active->step;
    grpc_testing_StreamingInputCallRequest request =
        grpc_testing_StreamingInputCallRequest_init_zero;
    if (active->sent < step->n) {
        unsigned how = step->how[active->sent];
        set_bool(&request.has_expect_compressed, &request.expect_compressed, how, SAYS, SAYS_IT_IS);
        compress(call, how);
        uint32_t size = length(step->requests[active->sent++]);
        expect(grpc_testing_TestService_StreamingInputCall_write(call, &request, size) == 0,
               "a request is not taken");
    }
    if (active->sent == step->n && !(step->flags & CANCEL_AT_ONCE)) {
        (void)nrpc_call_close_writes(call); /* at the second time it is closed already */
    }
}

/* The request of a ping, or the end. */
static void write_duplex(struct nrpc_call *call)
{
    struct active *active = active_of(call);
    const struct step *step = active->step;
    grpc_testing_StreamingOutputCallRequest request =
        grpc_testing_StreamingOutputCallRequest_init_zero;
    if (active->sent == step->n) {
        (void)nrpc_call_close_writes(call);
        return;
    }
    set_status(step, &request.has_response_status, &request.response_status);
    if (step->replies[active->sent] != 0) {
        request.response_parameters_count = 1;
        request.response_parameters[0].size = step->replies[active->sent];
    }
    uint32_t size = length(step->requests[active->sent++]);
    expect(grpc_testing_TestService_FullDuplexCall_write(call, &request, size) == 0,
           "a request is not taken");
}

static size_t zeros(struct nrpc_call *call, uint8_t *buf, size_t room, uint32_t offset)
{
    (void)call;
    (void)offset;
    memset(buf, 0, room);
    return room;
}

/* --- Replies ---------------------------------------------------------------------------------- */

static enum nrpc_status body(struct nrpc_call *call, const struct nrpc_chunk *chunk)
{
    active_of(call)->body += (uint32_t)chunk->n;
    for (size_t i = 0; i < chunk->n; i++) {
        expect(chunk->data[i] == 0, "a body of other than zeros");
    }
    return NRPC_OK;
}

static void check_compression(const struct nrpc_call *call, unsigned how)
{
#if NRPC_COMPRESSION
    int asked = (how & ASKS_FOR_IT) == ASKS_FOR_IT;
    expect(!(how & ASKS) || nrpc_call_message_compressed(call) == asked,
           "compressed otherwise than asked for");
#endif
    (void)call;
    (void)how;
}

/* A whole reply with a body. Returns how many have come. */
static unsigned replied(struct nrpc_call *call, const grpc_testing_Payload *payload)
{
    struct active *active = active_of(call);
    expect(active->received < active->step->n, "more replies than asked for");
    if (active->received < active->step->n) {
        expect(active->body == (uint32_t)active->step->replies[active->received],
               "a body of another size");
        check_compression(call, active->step->how[active->received]);
    }
    expect(payload->type == grpc_testing_PayloadType_COMPRESSABLE, "a payload of another type");
    active->body = 0;
    return ++active->received;
}

static enum nrpc_status got_empty(struct nrpc_call *call, const grpc_testing_Empty *reply)
{
    (void)reply;
    active_of(call)->received++;
    return NRPC_OK;
}

static enum nrpc_status got_unary(struct nrpc_call *call, const grpc_testing_SimpleResponse *reply)
{
    (void)replied(call, &reply->payload);
    return NRPC_OK;
}

static enum nrpc_status got_input(struct nrpc_call *call,
                                  const grpc_testing_StreamingInputCallResponse *reply)
{
    const struct step *step = active_of(call)->step;
    int32_t sum = 0;
    for (unsigned i = 0; i < step->n; i++) {
        sum += step->requests[i];
    }
    active_of(call)->received++;
    expect(reply->aggregated_payload_size == sum, "another sum");
    return NRPC_OK;
}

static enum nrpc_status got_output(struct nrpc_call *call,
                                   const grpc_testing_StreamingOutputCallResponse *reply)
{
    (void)replied(call, &reply->payload);
    return NRPC_OK;
}

static enum nrpc_status got_duplex(struct nrpc_call *call,
                                   const grpc_testing_StreamingOutputCallResponse *reply)
{
    unsigned n = replied(call, &reply->payload);
    if (active_of(call)->step->flags & CANCEL_AFTER_FIRST) {
        (void)nrpc_call_finish(call, NRPC_CANCELLED, NULL);
    } else if (n == active_of(call)->sent) {
        write_duplex(call);
    }
    return NRPC_OK;
}

static void got_headers(struct nrpc_call *call)
{
    size_t n = 0;
    const void *value = nrpc_call_metadata(call, &interop_initial, 0, &n);
    if (active_of(call)->step->flags & ECHO) {
        expect(value != NULL && n == sizeof echo_text - 1 && memcmp(value, echo_text, n) == 0,
               "initial metadata");
    }
    active_of(call)->headers++;
}

/* Replies that a call which ends well must have had. */
static unsigned due(const struct step *step)
{
    return step->method == OUTPUT || step->method == DUPLEX ? step->n : 1;
}

static void done(struct nrpc_call *call, enum nrpc_status status, const char *message)
{
    struct active *active = active_of(call);
    const struct step *step = active->step;
    size_t n = 0;
    const void *value = nrpc_call_metadata(call, &interop_trailing, 0, &n);

    if (step->flags & ECHO) {
        expect(value != NULL && n == sizeof echo_bytes && memcmp(value, echo_bytes, n) == 0,
               "trailing metadata");
    }
    expect(step->flags & ANY_FAILURE ? status != NRPC_OK : status == step->status,
           "another status");
    expect(status != NRPC_OK || active->received == due(step), "too few replies");
    expect(active->headers == 1 || (active->headers == 0 && active->received == 0),
           "initial metadata not told once");
    expect(step->message == NULL || strcmp(message, step->message) == 0, "another status message");
    if (run.reply.problem[0] != '\0' && run.reply.call == run.calls + 1) {
        run.reply.status = (uint32_t)status;
        strncpy(run.reply.message, message, sizeof run.reply.message - 1);
    }
    active->step = NULL;
    run.open--;
    run.calls++;
}

#define ON .on = {.headers = got_headers, .done = done}
#define PIECES .chunk = body, .produce = zeros
static const struct grpc_testing_TestService_EmptyCall_events on_empty = {ON, .reply = got_empty};
static const struct grpc_testing_TestService_UnimplementedCall_events on_no_method = {
    ON, .reply = got_empty};
static const struct grpc_testing_UnimplementedService_UnimplementedCall_events on_no_service = {
    ON, .reply = got_empty};
static const struct grpc_testing_TestService_UnaryCall_events on_unary = {ON, .reply = got_unary,
                                                                          PIECES};
static const struct grpc_testing_TestService_StreamingInputCall_events on_input = {
    .on = {.headers = got_headers, .writable = write_input, .done = done},
    .reply = got_input,
    .produce = zeros};
static const struct grpc_testing_TestService_StreamingOutputCall_events on_output = {
    ON, .reply = got_output, PIECES};
static const struct grpc_testing_TestService_FullDuplexCall_events on_duplex = {
    ON, .reply = got_duplex, PIECES};

/* --- Steps ------------------------------------------------------------------------------------ */

static struct nrpc_call *start(const struct step *step)
{
    static const grpc_testing_Empty empty = grpc_testing_Empty_init_zero;
    const struct nrpc_call_options options = {
#if NRPC_COMPRESSION
        .compress = step->how[0] & IS ? NRPC_ENCODING_GZIP : 0,
#endif
        .timeout_ms = step->timeout_ms,
        .wait_for_ready = 1};
    grpc_testing_SimpleRequest unary = unary_request(step);
    grpc_testing_StreamingOutputCallRequest output = output_request(step);
    switch (step->method) {
    case EMPTY:
        return grpc_testing_TestService_EmptyCall_start(&channel, &options, &empty, &on_empty);
    case UNARY:
        return grpc_testing_TestService_UnaryCall_start(&channel, &options, &unary,
                                                        length(step->requests[0]), &on_unary);
    case INPUT:
        return grpc_testing_TestService_StreamingInputCall_start(&channel, &options, &on_input);
    case OUTPUT:
        return grpc_testing_TestService_StreamingOutputCall_start(&channel, &options, &output,
                                                                  NRPC_NOT_STREAMED, &on_output);
    case DUPLEX:
        return grpc_testing_TestService_FullDuplexCall_start(&channel, &options, &on_duplex);
    case NO_METHOD:
        return grpc_testing_TestService_UnimplementedCall_start(&channel, &options, &empty,
                                                                &on_no_method);
    case NO_SERVICE:
        return grpc_testing_UnimplementedService_UnimplementedCall_start(&channel, &options, &empty,
                                                                         &on_no_service);
    }
    return NULL;
}

/* Begins a call of the step. Returns 0 when there is no place for it now. */
static int begin(const struct step *step)
{
    struct active *active = actives;
    struct nrpc_call *call = start(step);
    if (call == NULL) {
        return 0;
    }
    while (active->step != NULL) { /* there are as many as calls */
        active++;
    }
    *active = (struct active){.call = nrpc_call_ref(call), .step = step};
    nrpc_call_user(call)->ptr = active;
    run.begun++;
    run.open++;
    if (step->flags & ECHO) {
        (void)nrpc_call_add_header(call, interop_initial.name, echo_text, sizeof echo_text - 1);
        (void)nrpc_call_add_header(call, interop_trailing.name, echo_bytes, sizeof echo_bytes);
    }
    if (step->method == INPUT && !(step->flags & CANCEL_AT_ONCE)) {
        write_input(call);
    } else if (step->method == DUPLEX) {
        write_duplex(call);
    }
    return 1;
}

/* Gives up what shall be given up: all of it when nobody wants to know any more. */
static void cancel(void)
{
    for (unsigned i = 0; i < NRPC_MAX_STREAMS; i++) {
        struct active *active = &actives[i];
        struct nrpc_call *call = nrpc_call_of(active->call);
        if (call != NULL && (nrpc_call_of(run.asked) == NULL ||
                             ((active->step->flags & CANCEL_AT_ONCE) && ++active->polls > 2))) {
            (void)nrpc_call_finish(call, NRPC_CANCELLED, NULL);
        }
    }
}

/* Goes on with the case. Returns 1 when it is over. */
static int go_on(void)
{
    int given_up = nrpc_call_of(run.asked) == NULL || run.reply.problem[0] != '\0';
    cancel();
    while (!given_up && run.step < run.which->n_steps) {
        const struct step *step = &run.which->steps[run.step];
        unsigned times = step->times == 0 ? 1 : step->times;
        if (run.begun < times) {
            if (!begin(step)) {
                return 0;
            }
        } else if (run.open == 0) {
            run.step++;
            run.begun = 0;
        } else {
            return 0;
        }
    }
    return run.open == 0;
}

uint32_t app_poll(uint32_t now_ms)
{
    uint32_t next_ms = server_poll(now_ms);
    if (run.which == NULL) {
        return next_ms;
    }
    if (!run.dialled) {
        expect(board_dial(&channel.dial, run.host, run.port) == 0, "this board cannot dial now");
        run.dialled = 1;
    }
    if (go_on()) {
        struct nrpc_call *asked = nrpc_call_of(run.asked);
        board_undial(&channel.dial);
        if (asked != NULL) {
            (void)interop_Driver_Run_reply(asked, &run.reply);
        }
        memset(&run, 0, sizeof run);
    }
    return next_ms < 5 ? next_ms : 5;
}

/* --- /interop.Driver -------------------------------------------------------------------------- */

enum nrpc_status interop_Driver_Run(struct nrpc_call *call, const interop_RunRequest *request,
                                    interop_RunReply *reply)
{
    (void)reply;
    if (run.which != NULL) {
        return nrpc_call_fail(call, NRPC_UNAVAILABLE, "one case at a time");
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (strcmp(cases[i].name, request->name) == 0) {
            run.which = &cases[i];
        }
    }
    if (run.which == NULL) {
        return nrpc_call_fail(call, NRPC_NOT_FOUND, "no such case");
    }
    run.asked = nrpc_call_ref(call);
    run.port = (uint16_t)request->port;
    memcpy(run.host, request->host, sizeof run.host);
    return NRPC_PENDING;
}
