/* tests/unit/test_health.c - the health service, beside services of the application's.
 * Layer: test. Source: gRPC "Health Checking Protocol".
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#if NRPC_PIECES
#include <string.h>

#include "helloworld.nrpc.h"
#include "helloworld/greeter.nrpc.h"
#include "nanorpc/services/health.h"
#include "wire.h"

#define END NRPC_END_STREAM
#define CHECK_METHOD "/grpc.health.v1.Health/Check"
#define WATCH_METHOD "/grpc.health.v1.Health/Watch"

NRPC_SERVER_DEFINE(server, 2, Greeter_service, helloworld_Greeter_service, nrpc_health_service);
NRPC_HEALTH_DEFINE(server);

static void health(uint32_t id, const char *path, const char *service)
{
    wire_request(id, path, 0);
    wire_text_message(id, 1, service, END);
}

/* As when the image starts. */
static void all_is_well(void)
{
    memset(server_health, 0, sizeof server_health);
}

static void begin(void)
{
    wire_begin(&server);
    wire_do(all_is_well);
}

static void check_names(void)
{
    begin();
    health(1, CHECK_METHOD, "");
    wire_request(3, CHECK_METHOD, 0);
    wire_message(3, "", END); /* the default value */
    health(5, CHECK_METHOD, "Greeter");
    health(7, CHECK_METHOD, "helloworld.Greeter");
    wire_expect("1: [200 grpc] '\\08\\01' [status=0] END 3: [200 grpc] '\\08\\01' [status=0] END "
                "5: [200 grpc] '\\08\\01' [status=0] END 7: [200 grpc] '\\08\\01' [status=0] END");
}

static void check_unknown_names(void)
{
    static const char *const names[] = {"Greete",  "Greeter/",   "Greeterr", "/Greeter/",
                                        "greeter", "helloworld", " "};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        begin();
        health(1, CHECK_METHOD, names[i]);
        wire_expect("1: [200 grpc status=5 message=unknown service] END");
    }
}

/* A name with a zero byte in it is no name; nothing reads beyond a service's own. */
static void check_name_with_a_zero(void)
{
    begin();
    wire_request(1, CHECK_METHOD, 0);
    wire_data(1, "\0\0\0\0\x0a\x0a\x08Greeter\0", 15, END);
    wire_expect("1: [200 grpc status=5 message=*] END");
}

static void check_other_fields(void)
{
    static const char request[] = "\0\0\0\0%"
                                  "\x10\x96\x01"
                                  "\x0a\x01?"
                                  "\x1d"
                                  "1234"
                                  "\x21"
                                  "12345678"
                                  "\x0a\x07Greeter"
                                  "\x12\x03xyz"
                                  "\x80\x01\x01";
    begin();
    wire_request(1, CHECK_METHOD, 0);
    wire_data(1, request, sizeof request - 1, END);
    wire_expect("1: [200 grpc] '\\08\\01' [status=0] END");
}

static void check_malformed(void)
{
    static const char *const bad[] = {
        "\x0a",
        "\x0a\x02x",
        "\x0a\xff\xff\xff\xff\x0f",
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        "\x0b",
        "\x0f",
        "\x21"
        "1234567",
        "\x1d"
        "123",
        "\x08",
        "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    };
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        begin();
        wire_request(1, CHECK_METHOD, 0);
        wire_message(1, bad[i], END);
        wire_request(3, WATCH_METHOD, 0);
        wire_message(3, bad[i], END);
        wire_expect("1: [200 grpc status=13 message=request malformed] END 3: [200 grpc status=13 "
                    "message=*] END");
    }
}

static void greeter_stops(void)
{
    CHECK_EQ(nrpc_health_set("Greeter", NRPC_HEALTH_NOT_SERVING), 0);
}

static void greeter_works(void)
{
    CHECK_EQ(nrpc_health_set("Greeter", NRPC_HEALTH_SERVING), 0);
}

static void server_stops(void)
{
    CHECK_EQ(nrpc_health_set("", NRPC_HEALTH_NOT_SERVING), 0);
}

static void greeter_unknown(void)
{
    CHECK_EQ(nrpc_health_set("Greeter", NRPC_HEALTH_UNKNOWN), 0);
    CHECK_EQ(nrpc_health_set("Greete", NRPC_HEALTH_SERVING), NRPC_E_STATE);
}

static void shut_down(void)
{
    nrpc_health_shutdown();
    CHECK_EQ(nrpc_health_set("Greeter", NRPC_HEALTH_SERVING), NRPC_E_STATE);
}

static void check_follows(void)
{
    begin();
    wire_do(greeter_stops);
    health(1, CHECK_METHOD, "Greeter");
    health(3, CHECK_METHOD, "");
    wire_do(greeter_unknown);
    health(5, CHECK_METHOD, "Greeter");
    wire_do(shut_down);
    health(7, CHECK_METHOD, "helloworld.Greeter");
    wire_expect("1: [200 grpc] '\\08\\02' [status=0] END 3: [200 grpc] '\\08\\01' [status=0] END "
                "5: [200 grpc] '\\08\\00' [status=0] END 7: [200 grpc] '\\08\\02' [status=0] END");
}

static void watch_answers_at_once_and_on_change(void)
{
    begin();
    health(1, WATCH_METHOD, "Greeter");
    health(3, WATCH_METHOD, "");
    health(5, WATCH_METHOD, "Nobody");
    wire_expect("1: [200 grpc] '\\08\\01' 3: [200 grpc] '\\08\\01' 5: [200 grpc] '\\08\\03'");
    wire_do(greeter_works); /* which is no change */
    wire_do(greeter_stops);
    wire_do(server_stops);
    wire_do(greeter_works);
    wire_expect("1: [200 grpc] '\\08\\01' '\\08\\02' '\\08\\01' 3: [200 grpc] '\\08\\01' "
                "'\\08\\02' 5: [200 grpc] '\\08\\03'");
}

static void watchers_of_one_service(void)
{
    begin();
    for (uint32_t id = 1; id < 9; id += 2) {
        health(id, WATCH_METHOD, "Greeter");
    }
    wire_do(greeter_stops);
    wire_expect("1: [200 grpc] '\\08\\01' '\\08\\02' 3: [200 grpc] '\\08\\01' '\\08\\02' "
                "5: [200 grpc] '\\08\\01' '\\08\\02' 7: [200 grpc] '\\08\\01' '\\08\\02'");
}

/* What changes while the window is closed: only the last of it is told. */
static void watcher_with_a_closed_window(void)
{
    begin();
    wire_setting(NRPC_INITIAL_WINDOW_SIZE, 7);
    health(1, WATCH_METHOD, "Greeter");
    wire_do(greeter_stops); /* fills the block: there is no window */
    wire_do(greeter_works);
    wire_do(greeter_unknown);
    wire_do(NULL);
    wire_number(NRPC_WINDOW_UPDATE, 1, 3);
    wire_do(NULL);
    wire_number(NRPC_WINDOW_UPDATE, 1, 100);
    wire_expect("acks=2 1: [200 grpc] '\\08\\01' '\\08\\02' '\\08\\00'");
}

/* Back to where it was before anything could be said: nothing is. */
static void watcher_misses_what_did_not_last(void)
{
    begin();
    wire_setting(NRPC_INITIAL_WINDOW_SIZE, 0);
    health(1, WATCH_METHOD, "Greeter");
    wire_do(greeter_stops);
    wire_do(greeter_works);
    wire_do(NULL);
    wire_number(NRPC_WINDOW_UPDATE, 1, 100);
    wire_expect("acks=2 1: [200 grpc] '\\08\\01'");
}

static void watchers_that_have_gone(void)
{
    begin();
    health(1, WATCH_METHOD, "Greeter");
    health(3, WATCH_METHOD, "Greeter");
    wire_do(NULL);
    wire_number(NRPC_RST_STREAM, 1, NRPC_H2_CANCEL);
    wire_do(greeter_stops);
    wire_expect("1: [200 grpc] '\\08\\01' 3: [200 grpc] '\\08\\01' '\\08\\02'");
}

static void watchers_and_a_shutdown(void)
{
    begin();
    health(1, WATCH_METHOD, "Greeter");
    health(3, WATCH_METHOD, "Nobody");
    wire_do(shut_down);
    health(5, WATCH_METHOD, "");
    wire_expect("1: [200 grpc] '\\08\\01' '\\08\\02' [status=14] END 3: [200 grpc] '\\08\\03' "
                "[status=14] END "
                "5: [200 grpc] '\\08\\02' [status=14] END");
}

int main(void)
{
    RUN(check_names);
    RUN(check_unknown_names);
    RUN(check_name_with_a_zero);
    RUN(check_other_fields);
    RUN(check_malformed);
    RUN(check_follows);
    RUN(watch_answers_at_once_and_on_change);
    RUN(watchers_of_one_service);
    RUN(watcher_with_a_closed_window);
    RUN(watcher_misses_what_did_not_last);
    RUN(watchers_that_have_gone);
    RUN(watchers_and_a_shutdown);
    return test_end();
}
#else
int main(void)
{
    return test_end();
}
#endif
