/* tests/unit/test_both.c - our client, our server, in memory: nanopb, blocking calls, metadata.
 * Layer: test. Source: nanorpc/client.h, nanorpc/wait.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#if NRPC_CLIENT
#include <stdlib.h>
#include <string.h>

#include "nanorpc/details.h"
#include "simpletest.client.h"
#include "simpletest.nrpc.h"
#include "test.h"

#if NRPC_METADATA_BYTES
static const struct nrpc_key token = NRPC_KEY("x-token-bin");
static const struct nrpc_key *const keys[] = {&token, &nrpc_details_key};
NRPC_SERVER_DEFINE_WITH(server, 1, (.keys = keys, .n_keys = 1), simpletest_SimpleTest_service);
NRPC_CHANNEL_DEFINE_WITH(channel, "both", (.keys = keys, .n_keys = 2),
                         simpletest_SimpleTest_client);
#else
NRPC_SERVER_DEFINE(server, 1, simpletest_SimpleTest_service);
NRPC_CHANNEL_DEFINE(channel, "both", simpletest_SimpleTest_client);
#endif

/* --- The server --------------------------------------------------------------------------- */

static unsigned n_cancelled;
static struct nrpc_call *sleeping;

#if NRPC_METADATA_BYTES
static const struct nrpc_text {
    const char *at;
    size_t n;
} *encoded; /* what the trailers say; NULL: nrpc_call_fail_details does */
#endif

static enum nrpc_status fail_with_details(struct nrpc_call *call)
{
#if NRPC_METADATA_BYTES
    static const simpletest_RequestOne one = {.hello = "one"};
    static const simpletest_ResponseOne two = {.result = "two"};
    static const struct nrpc_detail details[] = {
        {"simpletest.RequestOne", &simpletest_RequestOne_msg, &one},
        {"simpletest.ResponseOne", &simpletest_ResponseOne_msg, &two}};
    if (encoded) {
        CHECK_EQ(nrpc_call_add_trailer(call, nrpc_details_key.name, encoded->at, encoded->n), 0);
    } else {
        CHECK_EQ(nrpc_call_fail_details(call, NRPC_ABORTED, "details", details, 2), 0);
    }
#endif
    return nrpc_call_fail(call, NRPC_ABORTED, "details");
}

enum nrpc_status simpletest_SimpleTest_GetOne(struct nrpc_call *call,
                                              const simpletest_RequestOne *request,
                                              simpletest_ResponseOne *reply)
{
#if NRPC_METADATA_BYTES
    size_t n;
    const void *value = nrpc_call_metadata(call, &token, 0, &n);
    if (value) {
        CHECK_EQ(nrpc_call_add_header(call, "x-token-bin", value, n), 0);
        CHECK_EQ(nrpc_call_add_trailer(call, "x-token-bin", "\0\1", 2), 0);
    }
#endif
    if (strcmp(request->hello, "sleep") == 0) {
        sleeping = call;
        return NRPC_PENDING;
    }
    if (strcmp(request->hello, "details") == 0) {
        return fail_with_details(call);
    }
    if (strcmp(request->hello, "fail") == 0) {
        return nrpc_call_fail(call, NRPC_ABORTED, "caf\xc3\xa9 100%");
    }
    strcpy(reply->result, request->hello);
    return NRPC_OK;
}

void simpletest_SimpleTest_GetOne_cancelled(struct nrpc_call *call, enum nrpc_status why)
{
    CHECK(call == sleeping);
    CHECK(why == NRPC_CANCELLED || why == NRPC_DEADLINE_EXCEEDED);
    sleeping = NULL;
    n_cancelled++;
}

enum nrpc_status simpletest_SimpleTest_GetList(struct nrpc_call *call,
                                               const simpletest_RequestOne *request)
{
    (void)call;
    (void)request;
    return NRPC_OK;
}

enum nrpc_status simpletest_SimpleTest_GetList_next(struct nrpc_call *call,
                                                    simpletest_ResponseList *reply)
{
    nrpc_user_number *n = &nrpc_call_user(call)->number;
    memset(reply->resultlist, 'a' + (int)(*n % 26), 60);
    return (*n)++ == 100 ? NRPC_OK : NRPC_MORE;
}

enum nrpc_status simpletest_SimpleTest_PostList(struct nrpc_call *call,
                                                const simpletest_RequestList *request,
                                                simpletest_ResponseOne *reply)
{
    nrpc_user_number *n = &nrpc_call_user(call)->number;
    if (request) {
        *n += strlen(request->namelist);
    } else {
        reply->result[0] = (char)('0' + *n);
    }
    return NRPC_OK;
}

enum nrpc_status simpletest_SimpleTest_PostAndPost(struct nrpc_call *call,
                                                   const simpletest_RequestList *request)
{
    simpletest_ResponseList reply = simpletest_ResponseList_init_zero;
    if (request) {
        strcpy(reply.resultlist, request->namelist);
        CHECK_EQ(simpletest_SimpleTest_PostAndPost_send(call, &reply), 0);
        if (strcmp(request->namelist, "last") == 0) {
            nrpc_call_finish(call, NRPC_OK, NULL);
        }
    }
    return NRPC_OK;
}

/* --- The wire between them ---------------------------------------------------------------- */

static struct {
    struct nrpc_conn *client, *server;
    uint32_t now_ms;
    unsigned piece; /* bytes that are passed on at a time */
    uint8_t to_server[4096], to_client[4096];
    size_t n_to_server, n_to_client;
} wire;

static size_t pass(struct nrpc_conn *from, struct nrpc_conn *to, uint8_t *buf, size_t *n,
                   size_t room)
{
    size_t made = *n + NRPC_TRANSMIT_MIN <= room ? nrpc_conn_transmit(from, buf + *n, room - *n)
                                                 : 0,
           used = 0, some;
    *n += made;
    do {
        some = wire.piece < *n - used ? wire.piece : *n - used;
        some = nrpc_conn_receive(to, test_guarded(buf + used, some), some, wire.now_ms);
        used += some;
    } while (some);
    memmove(buf, buf + used, *n -= used);
    return made + used;
}

static void unlink_both(void)
{
    nrpc_conn_lost(wire.client);
    nrpc_conn_lost(wire.server);
    wire.client = wire.server = NULL;
    wire.n_to_server = wire.n_to_client = 0;
}

static unsigned polls_left; /* not 0: so many before the test has failed */

/* A port that has only this link. */
static void poll(uint32_t timeout_ms)
{
    size_t moved = 0;
    if (polls_left && !--polls_left) {
        CHECK_TEXT("waits for ever", "");
        exit(test_end());
    }
    if (nrpc_dial_wait_ms(&channel.dial, wire.now_ms) == 0) {
        wire.client = nrpc_dial_linked(&channel.dial, wire.now_ms);
        wire.server = nrpc_server_accept(&server, wire.now_ms);
        CHECK(wire.client && wire.server);
    }
    if (wire.client) {
        moved = pass(wire.server, wire.client, wire.to_client, &wire.n_to_client,
                     sizeof wire.to_client);
        moved += pass(wire.client, wire.server, wire.to_server, &wire.n_to_server,
                      sizeof wire.to_server);
        if (nrpc_conn_closing(wire.client) || nrpc_conn_closing(wire.server)) {
            unlink_both();
        }
    }
    if (!moved) {
        wire.now_ms += timeout_ms < 100 ? timeout_ms : 100;
        if (wire.client) {
            nrpc_conn_tick(wire.client, wire.now_ms);
            nrpc_conn_tick(wire.server, wire.now_ms);
        }
    }
}

static void begin(unsigned piece)
{
    channel.poll = poll;
    wire.piece = piece;
    if (wire.client) {
        unlink_both();
        wire.now_ms += 2 * NRPC_BACKOFF_MAX_MS;
        poll(0);
    }
}

/* --- Tests -------------------------------------------------------------------------------- */

static const unsigned pieces[] = {1, 7, 100, 4096};

static void unary(void)
{
    for (unsigned i = 0; i < 4; i++) {
        begin(pieces[i]);
        for (unsigned k = 0; k < 20; k++) {
            simpletest_RequestOne request = {.hello = "hello"};
            simpletest_ResponseOne reply = simpletest_ResponseOne_init_zero;
            CHECK_EQ(simpletest_SimpleTest_GetOne_wait(&channel, NULL, &request, &reply), NRPC_OK);
            CHECK_TEXT(reply.result, "hello");
        }
    }
}

static void unary_that_fails(void)
{
    char message[NRPC_STATUS_MESSAGE_MAX];
    struct nrpc_call_options options = {.message = message};
    simpletest_RequestOne request = {.hello = "fail"};
    simpletest_ResponseOne reply = simpletest_ResponseOne_init_zero;
    begin(100);
    CHECK_EQ(simpletest_SimpleTest_GetOne_wait(&channel, &options, &request, &reply), NRPC_ABORTED);
    CHECK_TEXT(message, "caf\xc3\xa9 100%");
}

static void unary_that_takes_too_long(void)
{
    struct nrpc_call_options options = {.timeout_ms = 3000};
    simpletest_RequestOne request = {.hello = "sleep"};
    simpletest_ResponseOne reply = simpletest_ResponseOne_init_zero;
    begin(100);
    n_cancelled = 0;
    uint32_t begun_ms = wire.now_ms;
    CHECK_EQ(simpletest_SimpleTest_GetOne_wait(&channel, &options, &request, &reply),
             NRPC_DEADLINE_EXCEEDED);
    CHECK(wire.now_ms - begun_ms >= 3000 && wire.now_ms - begun_ms < 4200);
    for (unsigned i = 0; i < 20; i++) {
        poll(1000);
    }
    CHECK_EQ(n_cancelled, 1);
}

static void server_streaming(void)
{
    for (unsigned i = 0; i < 4; i++) {
        struct nrpc_wait wait;
        simpletest_RequestOne request = {.hello = "list"};
        simpletest_ResponseList reply;
        unsigned n = 0;
        begin(pieces[i]);
        CHECK_EQ(simpletest_SimpleTest_GetList_open(&wait, &channel, NULL, &request), 0);
        while (simpletest_SimpleTest_GetList_get(&wait, &reply)) {
            CHECK_EQ(reply.resultlist[59], 'a' + n % 26);
            n++;
        }
        CHECK_EQ(n, 100);
        CHECK_EQ(nrpc_wait_end(&wait, NULL), NRPC_OK);
    }
}

/* The rest is dropped. */
static void server_streaming_cut_short(void)
{
    struct nrpc_wait wait;
    simpletest_RequestOne request = {.hello = "list"};
    simpletest_ResponseList reply;
    begin(100);
    CHECK_EQ(simpletest_SimpleTest_GetList_open(&wait, &channel, NULL, &request), 0);
    CHECK(simpletest_SimpleTest_GetList_get(&wait, &reply));
    CHECK_EQ(nrpc_wait_end(&wait, NULL), NRPC_OK);
    CHECK_EQ(simpletest_SimpleTest_GetList_open(&wait, &channel, NULL, &request), 0);
    CHECK(simpletest_SimpleTest_GetList_get(&wait, &reply));
    CHECK_EQ(nrpc_call_finish(wait.call, NRPC_CANCELLED, NULL), 0);
    CHECK_EQ(nrpc_wait_end(&wait, NULL), NRPC_CANCELLED);
    CHECK(!simpletest_SimpleTest_GetList_get(&wait, &reply));
    CHECK_EQ(nrpc_wait_end(&wait, NULL), NRPC_CANCELLED);
}

static void client_streaming(void)
{
    for (unsigned i = 0; i < 4; i++) {
        struct nrpc_wait wait;
        simpletest_RequestList request = {.namelist = "x"};
        simpletest_ResponseOne reply = simpletest_ResponseOne_init_zero;
        begin(pieces[i]);
        CHECK_EQ(simpletest_SimpleTest_PostList_open(&wait, &channel, NULL), 0);
        for (unsigned k = 0; k < 9; k++) {
            CHECK_EQ(simpletest_SimpleTest_PostList_put(&wait, &request), 0);
        }
        CHECK_EQ(simpletest_SimpleTest_PostList_end(&wait, &reply), NRPC_OK);
        CHECK_TEXT(reply.result, "9");
    }
}

static void ping_pong(void)
{
    for (unsigned i = 0; i < 4; i++) {
        struct nrpc_wait wait;
        simpletest_RequestList request = {.namelist = "ping"};
        simpletest_ResponseList reply = simpletest_ResponseList_init_zero;
        begin(pieces[i]);
        CHECK_EQ(simpletest_SimpleTest_PostAndPost_open(&wait, &channel, NULL), 0);
        for (unsigned k = 0; k < 9; k++) {
            request.namelist[0] = (char)('a' + k);
            CHECK_EQ(simpletest_SimpleTest_PostAndPost_put(&wait, &request), 0);
            CHECK_EQ(simpletest_SimpleTest_PostAndPost_get(&wait, &reply), 1);
            CHECK_TEXT(reply.resultlist, request.namelist);
        }
        CHECK_EQ(nrpc_call_close_writes(wait.call), 0);
        CHECK_EQ(simpletest_SimpleTest_PostAndPost_get(&wait, &reply), 0);
        CHECK_EQ(nrpc_wait_end(&wait, NULL), NRPC_OK);
    }
}

/* The server ends the call, and a reply of it waits to be got: nobody takes requests any more. */
static void put_after_the_end(void)
{
    for (unsigned i = 0; i < 4; i++) {
        struct nrpc_wait wait;
        simpletest_RequestList request = {.namelist = "last"};
        simpletest_ResponseList reply = simpletest_ResponseList_init_zero;
        begin(pieces[i]);
        CHECK_EQ(simpletest_SimpleTest_PostAndPost_open(&wait, &channel, NULL), 0);
        CHECK_EQ(simpletest_SimpleTest_PostAndPost_put(&wait, &request), 0);
        polls_left = 10000;
        strcpy(request.namelist, "after");
        while (simpletest_SimpleTest_PostAndPost_put(&wait, &request) == 0) {
            poll(10);
        }
        polls_left = 0;
        CHECK_EQ(simpletest_SimpleTest_PostAndPost_put(&wait, &request), NRPC_E_STATE);
        CHECK_EQ(simpletest_SimpleTest_PostAndPost_get(&wait, &reply), 1);
        CHECK_TEXT(reply.resultlist, "last");
        CHECK_EQ(simpletest_SimpleTest_PostAndPost_get(&wait, &reply), 0);
        CHECK_EQ(simpletest_SimpleTest_PostAndPost_put(&wait, &request), NRPC_E_STATE);
        CHECK_EQ(nrpc_wait_end(&wait, NULL), NRPC_OK);
    }
}

/* --- With events -------------------------------------------------------------------------- */

static unsigned n_done, n_replies;
static enum nrpc_status last_status;

static enum nrpc_status got_one(struct nrpc_call *call, const simpletest_ResponseOne *reply)
{
    CHECK_TEXT(reply->result, "again");
    CHECK(nrpc_call_method(call) == &simpletest_SimpleTest_GetOne_method.method);
    n_replies++;
    return NRPC_OK;
}

static void done(struct nrpc_call *call, enum nrpc_status status, const char *message);
static const struct simpletest_SimpleTest_GetOne_events one_events = {.on = {.done = done},
                                                                      .reply = got_one};

/* A call that starts the next one when it is done. */
static void done(struct nrpc_call *call, enum nrpc_status status, const char *message)
{
    static const simpletest_RequestOne request = {.hello = "again"};
    (void)call;
    (void)message;
    last_status = status;
    if (++n_done < 10) {
        CHECK(simpletest_SimpleTest_GetOne_start(&channel, NULL, &request, &one_events) != NULL);
    }
}

static void calls_that_follow_one_another(void)
{
    static const simpletest_RequestOne request = {.hello = "again"};
    begin(100);
    n_done = n_replies = 0;
    for (unsigned i = 0; i < NRPC_MAX_STREAMS; i++) {
        CHECK(simpletest_SimpleTest_GetOne_start(&channel, NULL, &request, &one_events) != NULL);
    }
    CHECK(simpletest_SimpleTest_GetOne_start(&channel, NULL, &request, &one_events) == NULL);
    for (unsigned i = 0; i < 200; i++) {
        poll(10);
    }
    CHECK_EQ(n_done, 9 + NRPC_MAX_STREAMS);
    CHECK_EQ(n_replies, n_done);
    CHECK_EQ(last_status, NRPC_OK);
}

#if NRPC_METADATA_BYTES
static void check_value(struct nrpc_call *call, unsigned i, const char *expected, size_t bytes)
{
    size_t n;
    const void *value = nrpc_call_metadata(call, &token, i, &n);
    CHECK(value && n == bytes && memcmp(value, expected, n) == 0);
}

static void headers_with_token(struct nrpc_call *call)
{
    size_t n;
    check_value(call, 0, "\xff\0secret", 8);
    CHECK(nrpc_call_metadata(call, &token, 1, &n) == NULL);
    n_replies++;
}

static void done_with_token(struct nrpc_call *call, enum nrpc_status status, const char *message)
{
    (void)message;
    check_value(call, 0, "\xff\0secret", 8);
    check_value(call, 1, "\0\1", 2);
    last_status = status;
    n_done++;
}

static void metadata(void)
{
    static const simpletest_RequestOne request = {.hello = "again"};
    static const struct simpletest_SimpleTest_GetOne_events events = {
        .on = {.headers = headers_with_token, .done = done_with_token}};
    begin(7);
    n_done = n_replies = 0;
    struct nrpc_call *call = simpletest_SimpleTest_GetOne_start(&channel, NULL, &request, &events);
    CHECK_EQ(nrpc_call_add_header(call, "x-token-bin", "\xff\0secret", 8), 0);
    for (unsigned i = 0; i < 100; i++) {
        poll(10);
    }
    CHECK_EQ(n_done, 1);
    CHECK_EQ(n_replies, 1);
    CHECK_EQ(last_status, NRPC_OK);
}

/* The result of a simpletest.ResponseOne among the details, "-" if there is none. */
static char detail_text[sizeof((simpletest_ResponseOne *)0)->result];

static void done_with_details(struct nrpc_call *call, enum nrpc_status status, const char *message)
{
    simpletest_ResponseOne detail;
    CHECK_TEXT(message, "details");
    strcpy(detail_text, "-");
    if (nrpc_call_detail(call, "simpletest.ResponseOne", &simpletest_ResponseOne_msg, &detail)) {
        strcpy(detail_text, detail.result);
    }
    CHECK(!nrpc_call_detail(call, "simpletest.Response", &simpletest_ResponseOne_msg, &detail));
    CHECK(!nrpc_call_detail(call, "simpletest.ResponseOneMore", &simpletest_ResponseOne_msg,
                            &detail));
    CHECK(!nrpc_call_detail(call, "", &simpletest_ResponseOne_msg, &detail));
    last_status = status;
    n_done++;
}

static void expect_detail(const char *expected)
{
    static const simpletest_RequestOne request = {.hello = "details"};
    static const struct simpletest_SimpleTest_GetOne_events events = {
        .on = {.done = done_with_details}};
    n_done = 0;
    CHECK(simpletest_SimpleTest_GetOne_start(&channel, NULL, &request, &events) != NULL);
    for (unsigned i = 0; i < 100; i++) {
        poll(10);
    }
    CHECK_EQ(n_done, 1);
    CHECK_EQ(last_status, NRPC_ABORTED);
    CHECK_TEXT(detail_text, expected);
}

static void details(void)
{
#define TEXT(text) {text, sizeof text - 1}
#define TYPE   \
    "\x0a\x18" \
    "x/simpletest.ResponseOne"
    static const struct {
        struct nrpc_text status;
        const char *expected;
    } cases[] = {
        {TEXT(""), "-"},
        {TEXT("\x08\x0a\x12\x01m"), "-"},
        {TEXT("\x1a\x1a" TYPE), ""}, /* no value: all zero */
        {TEXT("\x1a\x1c" TYPE "\x12\x00"), ""},
        {TEXT("\x1a\x21" TYPE "\x12\x05\x0a\x03two"), "two"},
        {TEXT("\x1a\x00\x1a\x21" TYPE "\x12\x05\x0a\x03two"), "two"}, /* one without a type first */
        {TEXT("\x1a\x21\x12\x05\x0a\x03two" TYPE), "two"},            /* value, then type */
        {TEXT("\x1a\x18\x0a\x16simpletest.ResponseOne"), "-"},        /* no slash */
        {TEXT("\x1a\x20" TYPE "\x12\x05\x0a\x03two"), "-"},           /* lengths that are wrong */
        {TEXT("\x1a\x22" TYPE "\x12\x05\x0a\x03two"), "-"},
        {TEXT("\x1a\x21" TYPE "\x12\x05\x0a\x04two"), "-"},
        {TEXT("\x1a\x1b" TYPE "\x12"), "-"},
        {TEXT("\xff"), "-"},
        {TEXT("\x1a"), "-"},
    };
    begin(7);
#if NRPC_METADATA_BYTES >= 256
    encoded = NULL;
    expect_detail("two");
#endif
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        encoded = &cases[i].status;
        expect_detail(cases[i].expected);
    }
}
#endif

int main(void)
{
    RUN(unary);
    RUN(unary_that_fails);
    RUN(unary_that_takes_too_long);
    RUN(server_streaming);
    RUN(server_streaming_cut_short);
    RUN(client_streaming);
    RUN(ping_pong);
    RUN(put_after_the_end);
    RUN(calls_that_follow_one_another);
#if NRPC_METADATA_BYTES
    RUN(metadata);
    RUN(details);
#endif
    return test_end();
}
#else
int main(void)
{
    return test_end();
}
#endif
