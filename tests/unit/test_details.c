/* tests/unit/test_details.c - statuses with details, against what Python's protobuf makes of them.
 * Layer: test. Source: google/rpc/status.proto; gRPC "Richer error model".
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "nanorpc/details.h"
#include "google/rpc/error_details.pb.h"
#include "helloworld.nrpc.h"
#include "wire.h"

#if NRPC_METADATA_BYTES

#define END NRPC_END_STREAM

NRPC_SERVER_DEFINE(server, 1, Greeter_service);

static const google_rpc_RetryInfo retry = {.has_retry_delay = true, .retry_delay = {.seconds = 2}};
static const struct nrpc_detail details[] = {
    {"google.rpc.RetryInfo", &google_rpc_RetryInfo_msg, &retry},
    {"google.rpc.RetryInfo", &google_rpc_RetryInfo_msg, &retry}};

/* What the handler does. */
static struct {
    enum nrpc_status status;
    const char *message;
    const struct nrpc_detail *details;
    unsigned n;
    int result;
} is;

enum nrpc_status Greeter_SayHello(struct nrpc_call *call, const HelloRequest *request,
                                  HelloReply *reply)
{
    (void)request;
    (void)reply;
    CHECK_EQ(nrpc_call_fail_details(call, is.status, is.message, is.details, is.n), is.result);
    CHECK_EQ(nrpc_call_fail_details(call, is.status, is.message, is.details, is.n), NRPC_E_STATE);
    return is.status;
}

static void fails(enum nrpc_status status, const char *message, unsigned n, int result,
                  const char *expected)
{
    is.status = status;
    is.message = message;
    is.details = details;
    is.n = n;
    is.result = result;
    wire_begin(&server);
    wire_request(1, "/Greeter/SayHello", 0);
    wire_message(1, "", END);
    wire_expect(expected);
}

static void one_detail(void)
{
    fails(NRPC_UNAVAILABLE, "busy", 1, 0,
          "1: [200 grpc status=14 message=busy grpc-status-details-bin="
          "CA4SBGJ1c3kaMAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIECgIIAg] END");
}

static void without_a_message(void)
{
    const char *expected =
        "1: [200 grpc status=14 grpc-status-details-bin="
        "CA4aMAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIECgIIAg] END";
    fails(NRPC_UNAVAILABLE, NULL, 1, 0, expected);
    fails(NRPC_UNAVAILABLE, "", 1, 0, expected);
}

static void without_details(void)
{
    fails(NRPC_INVALID_ARGUMENT, "caf\xc3\xa9 100%", 0, 0,
          "1: [200 grpc status=3 message=caf%C3%A9 100%25 "
          "grpc-status-details-bin=CAMSCmNhZsOpIDEwMCU] END");
}

/* Both messages are cut at one place: grpcio refuses a status whose two are not the same. */
static void message_that_is_cut(void)
{
    char message[NRPC_STATUS_MESSAGE_MAX + 20];
    memset(message, 'x', sizeof message);
    message[sizeof message - 1] = 0;
    fails(NRPC_INVALID_ARGUMENT, message, 0, 0,
          "1: [200 grpc status=3 message=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx "
          "grpc-status-details-bin="
          "CAMSMHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eA] END");
}

/* Two do not fit into 128 bytes: the call fails without any. */
static void too_many_details(void)
{
    static const char *const two = "1: [200 grpc status=14 grpc-status-details-bin="
                                   "CA4aMAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxI"
                                   "ECgIIAhowCih0eXBlLmdvb2dsZWFwaXMuY29tL2dvb2ds"
                                   "ZS5ycGMuUmV0cnlJbmZvEgQKAggC] END";
    if (NRPC_METADATA_BYTES >= 102 * 4 / 3 + 31) {
        fails(NRPC_UNAVAILABLE, NULL, 2, 0, two);
    } else {
        fails(NRPC_UNAVAILABLE, "busy", 2, NRPC_E_TOO_BIG,
              "1: [200 grpc status=14 message=busy] END");
    }
}

/* Larger than the block in the first place; then one that does not encode. */
static void impossible_details(void)
{
    static char name[NRPC_METADATA_BYTES + 1];
    struct nrpc_detail detail = {name, &google_rpc_RetryInfo_msg, &retry};
    memset(name, 'n', sizeof name - 1);
    is.result = NRPC_E_TOO_BIG;
    is.status = NRPC_ABORTED;
    is.message = "no";
    is.details = &detail;
    is.n = 1;
    wire_begin(&server);
    wire_request(1, "/Greeter/SayHello", 0);
    wire_message(1, "", END);
    wire_expect("1: [200 grpc status=10 message=no] END");

    static google_rpc_ErrorInfo info;
    memset(info.reason, 'r', sizeof info.reason); /* without its end */
    detail = (struct nrpc_detail){"google.rpc.ErrorInfo", &google_rpc_ErrorInfo_msg, &info};
    wire_expect("1: [200 grpc status=10 message=no] END");
}

int main(void)
{
    RUN(one_detail);
    RUN(without_a_message);
    RUN(without_details);
    RUN(message_that_is_cut);
    RUN(too_many_details);
    RUN(impossible_details);
    return test_end();
}

#else

int main(void)
{
    return test_end();
}

#endif
