/* tests/unit/test_interceptors.c - the interceptors that come along: tokens, a log, counters.
 * Layer: test. Source: RFC 6750; nanorpc/services/.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "raw_service.c" /* compiled here once more, for servers of its service with options */
#include "nanorpc/services/auth.h"
#include "nanorpc/services/counters.h"
#include "nanorpc/services/log.h"
#include "nanorpc/services/path.h"
#include "wire.h"

#define END NRPC_END_STREAM

static char lines[1024];

static void keep(const char *line, size_t n)
{
    CHECK_EQ(strlen(line), n);
    if (strlen(lines) + n + 2 < sizeof lines) {
        strcat(strcat(lines, line), ";");
    }
}

NRPC_LOG_DEFINE(logger, keep);
NRPC_COUNTERS_DEFINE(counters, 2);

static const struct nrpc_interceptor watched[] = {NRPC_LOG(logger), NRPC_COUNTERS(counters)};
NRPC_SERVER_DEFINE_WITH(watched_server, 2, (.interceptors = watched, .n_interceptors = 2),
                        Large_service, Raw_service);

static void say(uint32_t id, const char *path, const char *text)
{
    wire_request(id, path, 0);
    wire_message(id, text, END);
}

static void paths(void)
{
    char to[40];
    size_t n = nrpc_method_path(&watched_server, &methods[ECHO], to, sizeof to);
    CHECK_EQ(n, 16);
    CHECK(memcmp(to, "/test.Large/Echo", 16) == 0);
    n = nrpc_method_path(&raw_server, &methods[FIRST], to, sizeof to);
    CHECK(n == 15 && memcmp(to, "/test.Raw/First", 15) == 0);
    n = nrpc_method_path(&raw_server, &methods[BIDI], to, sizeof to);
    CHECK(n == 14 && memcmp(to, "/test.Raw/Bidi", 14) == 0);
    n = nrpc_method_path(&raw_server, &methods[METHODS - 1], to, sizeof to);
    CHECK(n == 14 && memcmp(to, "/test.Raw/Push", 14) == 0);
    CHECK_EQ(nrpc_method_path(&raw_server, &methods[METHODS], to, sizeof to), 0);
    memset(to, 'x', sizeof to);
    CHECK_EQ(nrpc_method_path(&raw_server, &methods[FIRST], to, 12), 12);
    CHECK(memcmp(to, "/test.Raw/Fix", 12) == 0 && to[12] == 'x');
    CHECK_EQ(nrpc_method_path(&raw_server, &methods[FIRST], to, 0), 0);
}

static void later(void)
{
    wire.now_ms += 1234;
    (void)nrpc_conn_tick(wire.conn, wire.now_ms);
    CHECK_EQ(raw_finish(5, NRPC_OK, NULL), 0);
}

/* Two places for methods: Echo's, Fail's; the others have one together. */
static void a_line_and_a_count_for_each_call(void)
{
    lines[0] = 0;
    memset(counters, 0, sizeof counters);
    wire_begin(&watched_server);
    say(1, "/test.Large/Echo", "x");
    say(3, "/test.Large/Fail", "I no");
    say(5, "/test.Large/Later", "x");
    wire_do(later);
    wire_do(NULL);
    say(7, "/test.Large/Nope", "x"); /* not a method: not seen */
    say(9, "/test.Large/Echo", "x");
    wire_request(11, "/test.Large/Bidi", 0);
    wire_number(NRPC_RST_STREAM, 11, NRPC_H2_CANCEL);
    (void)wire_run_once();
    CHECK_TEXT(lines, "/test.Large/Echo 0 0 ms;/test.Large/Fail 8 0 ms;/test.Large/Later 0 1234 ms;"
                      "/test.Large/Bidi 1 0 ms;/test.Large/Echo 0 0 ms;");
    CHECK(counters[0].method == &methods[ECHO] && counters[1].method == &methods[FAIL] &&
          !counters[2].method);
    CHECK_EQ(counters[0].begun, 2);
    CHECK_EQ(counters[0].ended, 2);
    CHECK_EQ(counters[0].failed, 0);
    CHECK_EQ(counters[1].ended, 1);
    CHECK_EQ(counters[1].failed, 1);
    CHECK_EQ(counters[2].begun, 2);
    CHECK_EQ(counters[2].ended, 2);
    CHECK_EQ(counters[2].failed, 1);
    CHECK_EQ(counters[2].total_ms, 1234);
    CHECK_EQ(counters[2].longest_ms, 1234);
}

#if NRPC_METADATA_BYTES

NRPC_AUTH_DEFINE(auth, "open sesame", "mF_9.B5f-4.1JqM");
static const struct nrpc_interceptor guarded[] = {NRPC_LOG(logger), NRPC_AUTH(auth)};
static const struct nrpc_key *const auth_keys[] = {&nrpc_auth_key};
NRPC_SERVER_DEFINE_WITH(guarded_server, 2,
                        (.keys = auth_keys, .n_keys = 1, .interceptors = guarded,
                         .n_interceptors = 2),
                        Raw_service);

static void ask(uint32_t id, const char *credentials)
{
    wire_request_fields("/test.Raw/Echo");
    wire_field("authorization", credentials);
    wire_headers(id, 0);
    wire_message(id, "x", END);
}

static void tokens_that_open(void)
{
    static const char *const good[] = {"Bearer open sesame", "bearer mF_9.B5f-4.1JqM",
                                       "BEARER   open sesame"};
    for (unsigned i = 0; i < sizeof good / sizeof good[0]; i++) {
        wire_begin(&guarded_server);
        ask(1, good[i]);
        wire_expect("1: [200 grpc] 'x' [status=0] END");
    }
}

static void tokens_that_do_not(void)
{
    static const char *const bad[] = {
        "",
        "Bearer",
        "Bearer ",
        "Bearer  ",
        "open sesame",
        "Bearer open sesam",
        "Bearer open sesame ",
        "Bearer open sesamex",
        "Bearer Open sesame",
        "Basic open sesame",
        "Bearer\topen sesame",
        "Bearer open sesame,mF_9.B5f-4.1JqM",
        "Bearerxopen sesame",
    };
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        wire_begin(&guarded_server);
        ask(1, bad[i]);
        wire_expect("1: [200 grpc status=16 message=a valid bearer token is needed] END");
    }
    wire_begin(&guarded_server);
    say(1, "/test.Raw/Echo", "x");
    wire_request_fields("/test.Raw/Echo"); /* two of them */
    wire_field("authorization", "Bearer open sesame");
    wire_field("authorization", "Bearer open sesame");
    wire_headers(3, 0);
    wire_message(3, "x", END);
    wire_expect("1: [200 grpc status=16 message=*] END 3: [200 grpc status=16 message=*] END");
}

/* No handler hears of it; the log does. */
static void who_hears_of_a_refusal(void)
{
    lines[0] = 0;
    wire_begin(&guarded_server);
    ask(1, "Bearer wrong");
    (void)wire_run_once();
    CHECK_EQ(raw.n_events, 0);
    CHECK_TEXT(lines, "/test.Raw/Echo 16 0 ms;");
}

#endif

int main(void)
{
    RUN(paths);
    RUN(a_line_and_a_count_for_each_call);
#if NRPC_METADATA_BYTES
    RUN(tokens_that_open);
    RUN(tokens_that_do_not);
    RUN(who_hears_of_a_refusal);
#endif
    return test_end();
}
