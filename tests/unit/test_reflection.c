/* tests/unit/test_reflection.c - reflection, beside health and services of the application's.
 * Layer: test. Source: gRPC "Server Reflection Protocol".
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#if NRPC_PIECES
#include <string.h>

#include "nanorpc/compression.h"
#include "helloworld.nrpc.h"
#include "helloworld/greeter.nrpc.h"
#include "nanorpc/services/health.h"
#include "nanorpc/services/reflection.h"
#include "wire.h"

#define END NRPC_END_STREAM
#define CHECK_METHOD "/grpc.health.v1.Health/Check"
#define INFO_METHOD "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
#define INFO_ALPHA "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"

NRPC_SERVER_DEFINE(server, 2, Greeter_service, helloworld_Greeter_service, nrpc_health_service,
                   nrpc_reflection_service, nrpc_reflection_v1alpha_service);
NRPC_HEALTH_DEFINE(server);
/* A file with an import; no service of it is here. */
extern const struct nrpc_file google_rpc_error_1details_proto_file,
    google_protobuf_duration_proto_file;
#define details_FILE google_rpc_error_1details_proto_file
NRPC_REFLECTION_DEFINE(Greeter_service, details, helloworld_Greeter_service, nrpc_health_service);

/* Nothing but large requests. */
static const struct nrpc_service roomy = {.path = "/Roomy/", .method_names = "\200\n\377"};
#define roomy_REQUEST_BYTES 1000
#define roomy_REPLY_BYTES 0
union roomy_request {
    char none;
};
union roomy_reply {
    char none;
};
NRPC_SERVER_DEFINE(roomy_server, 1, roomy, nrpc_reflection_service);

/* As when the image starts. */
static void all_is_well(void)
{
    memset(server_health, 0, sizeof server_health);
}

static char *put_decimal(char *to, uint32_t value)
{
    char digits[20];
    unsigned n = 0;
    do {
        digits[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    while (n) {
        *to++ = digits[--n];
    }
    return to;
}

static uint32_t varint_bytes(uint32_t value)
{
    return value < 0x80 ? 1 : value < 0x4000 ? 2 : 3;
}

/* Whether these bytes have been sent, in DATA frames one after the other. */
static int was_sent(const void *bytes, size_t n)
{
    static uint8_t data[WIRE_OUTPUT];
    size_t have = 0;
    for (const uint8_t *frame = wire.out; frame < wire.out + wire.n_out;) {
        size_t length = (size_t)(nrpc_get32(frame) >> 8);
        if (frame[3] == NRPC_DATA) {
            memcpy(data + have, frame + NRPC_FRAME_HEADER_BYTES, length);
            have += length;
        }
        frame += NRPC_FRAME_HEADER_BYTES + length;
    }
    for (size_t i = 0; i + n <= have; i++) {
        if (memcmp(data + i, bytes, n) == 0) {
            return 1;
        }
    }
    return 0;
}

/* One request, answered by this file and by what it imports. */
static void expect_file(const char *path, unsigned field, const char *text,
                        const struct nrpc_file *file)
{
    uint32_t request = 2 + (uint32_t)strlen(text),
             inner = 1 + varint_bytes(file->bytes) + file->bytes;
    for (uint32_t i = 0; i < file->n_imports; i++) {
        inner += 1 + varint_bytes(file->imports[i]->bytes) + file->imports[i]->bytes;
    }
    uint32_t all = 2 + 2 + request + 1 + varint_bytes(inner) + inner;
    char expected[100] = "1: [200 grpc] <?";
    strcpy(put_decimal(expected + strlen(expected), all), "> [status=0] END");
    wire_begin(&server);
    wire_request(1, path, 0);
    wire_text_message(1, field, text, END);
    wire_expect(expected);
    wire_run_once();
    CHECK(was_sent(file->descriptor, (size_t)file->bytes));
    CHECK(was_sent(text, strlen(text)));
}

static void file_by_name(void)
{
    expect_file(INFO_METHOD, 3, "helloworld.proto", &helloworld_proto_file);
    expect_file(INFO_ALPHA, 3, "helloworld/greeter.proto", &helloworld_greeter_proto_file);
    expect_file(INFO_ALPHA, 3, "grpc/health/v1/health.proto", &grpc_health_v1_health_proto_file);
}

static void file_by_symbol(void)
{
    static const char *const plain[] = {"Greeter", "HelloRequest", "Greeter.SayHello",
                                        "Greeter.Test", "HelloReply.message"};
    for (unsigned i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        expect_file(INFO_METHOD, 4, plain[i], &helloworld_proto_file);
    }
    expect_file(INFO_ALPHA, 4, "helloworld.Greeter", &helloworld_greeter_proto_file);
    expect_file(INFO_METHOD, 4, "helloworld.HelloReply", &helloworld_greeter_proto_file);
    static const char *const nested[] = {
        "grpc.health.v1.Health.Watch",
        "grpc.health.v1.HealthCheckResponse.ServingStatus",
        "grpc.health.v1.HealthCheckResponse.NOT_SERVING",
    };
    for (unsigned i = 0; i < sizeof nested / sizeof nested[0]; i++) {
        expect_file(INFO_METHOD, 4, nested[i], &grpc_health_v1_health_proto_file);
    }
}

/* Larger than any block of this server; and the import is found as any other file. */
static void files_with_imports(void)
{
    expect_file(INFO_METHOD, 3, "google/rpc/error_details.proto",
                &google_rpc_error_1details_proto_file);
    CHECK(was_sent(google_protobuf_duration_proto_file.descriptor,
                   (size_t)google_protobuf_duration_proto_file.bytes));
    expect_file(INFO_METHOD, 4, "google.rpc.BadRequest.FieldViolation.field",
                &google_rpc_error_1details_proto_file);
    expect_file(INFO_METHOD, 4, "google.rpc.ErrorInfo.MetadataEntry",
                &google_rpc_error_1details_proto_file);
    expect_file(INFO_METHOD, 3, "google/protobuf/duration.proto",
                &google_protobuf_duration_proto_file);
    expect_file(INFO_METHOD, 4, "google.protobuf.Duration", &google_protobuf_duration_proto_file);
}

/* Answered by this error; text: at most 20 characters. */
static void expect_error(unsigned field, const char *text, unsigned error)
{
    char expected[100] = "1: [200 grpc] <?";
    const char answer[] = {0x3a, 2, 8, (char)error};
    strcpy(put_decimal(expected + strlen(expected), (uint32_t)(2 + 2 + 2 + strlen(text) + 4)),
           "> [status=0] END");
    if (strlen(text) + 10 <= 32) { /* short ones are shown: any will do, was_sent looks at it */
        strcpy(expected, "1: [200 grpc] '*' [status=0] END");
    }
    wire_begin(&server);
    wire_request(1, INFO_METHOD, 0);
    wire_text_message(1, field, text, END);
    wire_expect(expected);
    wire_run_once();
    CHECK(was_sent(answer, sizeof answer));
    CHECK(was_sent(text, strlen(text)));
}

static void what_is_not_there(void)
{
    static const char *const symbols[] = {
        "Greete",
        "Greeterr",
        "Greeter.",
        "Greeter.SayHell",
        "Greeter.SayHello.x",
        ".Greeter",
        "",
        ".",
        "helloworld",
        "helloworld.",
        "helloworld.Greet",
        "hello.Greeter",
        "string",
        "grpc.health.v1.NOT_SERVING",
        "grpc.health.v1.HealthCheckResponse.ServingStatus.SERVING"};
    for (unsigned i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        expect_error(4, symbols[i], NRPC_NOT_FOUND);
    }
    expect_error(3, "helloworld", NRPC_NOT_FOUND);
    expect_error(3, "helloworld.protoo", NRPC_NOT_FOUND);
    expect_error(3, "", NRPC_NOT_FOUND);
    expect_error(3, "simpletest.proto", NRPC_NOT_FOUND); /* is linked, but not given out */
    expect_error(6, "HelloRequest", NRPC_UNIMPLEMENTED);
    expect_error(5, "\x0a\x01M\x10\x01", NRPC_UNIMPLEMENTED);
    expect_error(1, "only a host", NRPC_INVALID_ARGUMENT);
    expect_error(9, "something new", NRPC_INVALID_ARGUMENT);
}

static void list_services(void)
{
    static const char list[] = "\x12\x02:\0\n\0"
                               "2\x8d\1"
                               "\n\t\n\aGreeter"
                               "\n\x14\n\x12helloworld.Greeter"
                               "\n\x17\n\x15grpc.health.v1.Health"
                               "\n%\n#grpc.reflection.v1.ServerReflection"
                               "\n*\n(grpc.reflection.v1alpha.ServerReflection";
    wire_begin(&server);
    wire_request(1, INFO_METHOD, 0);
    wire_text_message(1, 7, "", END);
    wire_expect("1: [200 grpc] <?150> [status=0] END");
    wire_run_once();
    CHECK(was_sent(list, sizeof list - 1));
}

static void several_requests_in_one_call(void)
{
    wire_begin(&server);
    wire_request(1, INFO_METHOD, 0);
    wire_text_message(1, 4, "No", 0);
    wire_text_message(1, 3, "x", 0);
    wire_message(1, "", 0); /* asks for nothing */
    wire_text_message(1, 4, "No", 0);
    wire_expect("1: [200 grpc] '\\12\\04\"\\02No\\0a\\00:\\02\\08\\05' "
                "'\\12\\03\\1a\\01x\\0a\\00:\\02\\08\\05' "
                "'\\12\\00\\0a\\00:\\02\\08\\03' '\\12\\04\"\\02No\\0a\\00:\\02\\08\\05'");
    wire_data(1, "", 0, END);
    wire_expect(
        "1: [200 grpc] '\\12\\04\"\\02No\\0a\\00:\\02\\08\\05' "
        "'\\12\\03\\1a\\01x\\0a\\00:\\02\\08\\05' "
        "'\\12\\00\\0a\\00:\\02\\08\\03' '\\12\\04\"\\02No\\0a\\00:\\02\\08\\05' [status=0] END");
}

/* The host comes back; the last field of the oneof counts. */
static void host_and_twice_the_oneof(void)
{
    wire_begin(&server);
    wire_request(1, INFO_METHOD, 0);
    wire_message(1, "\x1a\x01x\n\x02me:\x01y\"\x01z", END);
    wire_expect("1: [200 grpc] '\\12\\0d\\1a\\01x\\0a\\02me:\\01y\"\\01z\\0a\\02me:\\02\\08\\05' "
                "[status=0] END");
}

static void requests_that_are_too_long(void)
{
    char text[126];
    memset(text, 'x', sizeof text);
    text[125] = 0;
    wire_begin(&server);
    wire_request(1, INFO_METHOD, 0);
    wire_text_message(1, 4, text + 1, 0); /* all of NRPC_REFLECTION_REQUEST_BYTES but one */
    wire_request(3, INFO_METHOD, 0);
    wire_long_message(3, NRPC_REFLECTION_REQUEST_BYTES + 1, 0);
    wire_expect("1: [200 grpc] <?134> 3: [200 grpc status=8 message=message too large] END");
}

/* Another service's block may be larger than the answer has room for. */
static void requests_that_are_too_long_for_reflection_only(void)
{
    wire_begin(&roomy_server);
    wire_request(1, INFO_METHOD, 0);
    wire_long_message(1, NRPC_REFLECTION_REQUEST_BYTES + 1, 0);
    wire_expect("1: [200 grpc status=8 message=message too large] END");
}

static void requests_that_are_none(void)
{
    static const char *const bad[] = {"\x1a", "\x1a\x02x", "\xff", "\x1b"};
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        wire_begin(&server);
        wire_request(1, INFO_METHOD, 0);
        wire_message(1, bad[i], 0);
        wire_expect("1: [200 grpc status=13 message=request malformed] END");
    }
}

/* Requests with each byte changed, and each end: whatever they mean, they are answered, and nothing
 * is read beyond them. */
static void mutated_requests(void)
{
    static const char seed[] =
        "\0\0\0\0\x1d\x0a\x02me\x22\x12helloworld.Greeter\x28\x96\x01\x1a\x00";
    static const uint8_t values[] = {0,    1,    2,    3,   5,    8,    0x0a,
                                     0x1a, 0x22, 0x3a, '.', 0x7f, 0x80, 0xff};
    enum { PREFIX = 5, SEED = sizeof seed - 1 };
    uint8_t request[SEED];
    for (unsigned i = PREFIX; i < SEED; i++) {
        for (unsigned v = 0; v <= sizeof values; v++) {
            size_t n = v < sizeof values ? (size_t)SEED : i; /* at last: cut here */
            memcpy(request, seed, SEED);
            request[i] = v < sizeof values ? values[v] : request[i];
            request[PREFIX - 1] = (uint8_t)(n - PREFIX);
            wire_begin(&server);
            wire_do(all_is_well);
            wire_request(1, INFO_METHOD, 0);
            wire_data(1, request, n, END);
            wire_request(3, CHECK_METHOD, 0);
            wire_data(3, request, n, END);
            const char *text = wire_run_once();
            CHECK(strncmp(text, "1: [200 grpc", 12) == 0 &&
                  strstr(text, " END 3: [200 grpc") != NULL);
        }
    }
}

static void through_a_small_window(void)
{
    wire_begin(&server);
    wire_setting(NRPC_INITIAL_WINDOW_SIZE, 30);
    wire_request(1, INFO_METHOD, 0);
    wire_text_message(1, 7, "", END);
    for (unsigned i = 0; i < 15; i++) {
        wire_do(NULL);
        wire_number(NRPC_WINDOW_UPDATE, 1, 10);
    }
    wire_expect("acks=2 1: [200 grpc] <?150> [status=0] END");
}

#if NRPC_COMPRESSION
static enum nrpc_status compress(struct nrpc_call *call)
{
    CHECK_EQ(nrpc_call_compress(call, 1), 0);
    return NRPC_OK;
}

static const struct nrpc_interceptor compressing[] = {{.begin = compress}};
NRPC_SERVER_DEFINE_WITH(compressing_server, 1, (.interceptors = compressing, .n_interceptors = 1),
                        nrpc_reflection_service);

/* What is made in pieces cannot be compressed; it is sent as it is. */
static void interceptor_that_compresses(void)
{
    wire_begin(&compressing_server);
    wire_request_fields(INFO_METHOD);
    wire_field("grpc-accept-encoding", "gzip");
    wire_headers(1, 0);
    wire_text_message(
        1, 4,
        "No.No.No.No.No.No.No.No.No.No.No.No.No.No.No.No.No.No.No.No.No.No.No.No.No.No.No.No.No."
        "No.No.",
        0);
    wire_expect("1: [200 grpc grpc-encoding=gzip] <?103>");
    CHECK(was_sent("No.No.No.No.No.No.No.No.No.No.", 30));
}
#endif

int main(void)
{
#if NRPC_COMPRESSION
    RUN(interceptor_that_compresses);
#endif
    RUN(file_by_name);
    RUN(file_by_symbol);
    RUN(files_with_imports);
    RUN(what_is_not_there);
    RUN(list_services);
    RUN(several_requests_in_one_call);
    RUN(host_and_twice_the_oneof);
    RUN(requests_that_are_too_long);
    RUN(requests_that_are_too_long_for_reflection_only);
    RUN(requests_that_are_none);
    RUN(mutated_requests);
    RUN(through_a_small_window);
    return test_end();
}
#else
int main(void)
{
    return test_end();
}
#endif
