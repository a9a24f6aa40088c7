/* tests/bench/device.c - the instructions of a unary call on a Cortex-M3, without a port: a
 * greeting, and 1 KB each way. Layer: test; bench.py runs it in QEMU, where an instruction takes a
 * nanosecond (-icount shift=0).
 * Source: what grpcio 1.85 was seen to send. SPDX-License-Identifier: Apache-2.0 */
#include <pb.h>
#include <string.h>

#include "nanorpc/nanorpc.h"
#include "tests/target/systick.h"
#include "tests/unit/test.h"

extern const struct nrpc_server server; /* boards/apps/greeter/greeter.c */

/* --- The service of the second call, which the generators would write of ----------------------
 *     message Block { bytes data = 1; }          (max_size:1024)
 *     service Device { rpc Exchange(Block) returns (Block); } */

enum { KILOBYTE = 1024 };
typedef PB_BYTES_ARRAY_T(KILOBYTE) block_data;
typedef struct {
    block_data data;
} block;
#define block_FIELDLIST(X, a) X(a, STATIC, SINGULAR, BYTES, data, 1)
#define block_CALLBACK NULL
#define block_DEFAULT NULL
extern const pb_msgdesc_t block_msg;
PB_BIND(block, block, 2)

#define device_REQUEST_BYTES (KILOBYTE + 3)
#define device_REPLY_BYTES (KILOBYTE + 3)
union device_request {
    block m0;
};
union device_reply {
    block m0;
};

static enum nrpc_status exchange(struct nrpc_call *call, const void *request, void *reply)
{
    (void)call;
    memcpy(reply, request, sizeof(block));
    return NRPC_OK;
}

static void cancelled(struct nrpc_call *call, enum nrpc_status why)
{
    (void)call;
    (void)why;
}

static const struct nrpc_method methods[] = {{.request = &block_msg,
                                              .reply = &block_msg,
                                              .codec = &nrpc_typed,
                                              .handler = exchange,
                                              .next = NULL,
                                              .cancelled = cancelled,
                                              .reply_bytes = sizeof(block),
                                              .request_zeros = sizeof(block),
                                              .kind = NRPC_UNARY}};
static const struct nrpc_service device = {
    .path = "/bench.Device/", .method_names = "\200Exchange\377", .methods = methods};
NRPC_SERVER_DEFINE(device_server, 1, device);

/* --- What a client sends ------------------------------------------------------------------------
 */

enum { DATA = 0, HEADERS = 1, SETTINGS = 4, WINDOW_UPDATE = 8 };
enum { ACK = 1, END_STREAM = 1, END_HEADERS = 4 };

static uint8_t in[2 * KILOBYTE], out[4 * KILOBYTE];
static size_t n_in, n_out;

static void put(const void *bytes, size_t n)
{
    memcpy(in + n_in, bytes, n);
    n_in += n;
}

static void put_frame(unsigned type, unsigned flags, uint32_t id, const void *payload, size_t n)
{
    const uint8_t head[9] = {
        0, (uint8_t)(n >> 8),   (uint8_t)n,         (uint8_t)type, (uint8_t)flags,
        0, (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id};
    put(head, sizeof head);
    put(payload, n);
}

static void put_window(uint32_t id, size_t n)
{
    const uint8_t payload[4] = {0, 0, (uint8_t)(n >> 8), (uint8_t)n};
    put_frame(WINDOW_UPDATE, 0, id, payload, sizeof payload);
}

/* The call's headers, whose frame has come before this; a message of n bytes with its prefix. */
static void put_rest(uint32_t id, const uint8_t *message, size_t n)
{
    put_window(0, 5);
    put_frame(DATA, END_STREAM, id, message, n);
    put_window(0, n + 20);
}

/* All headers are literals that are put into the table. path: fewer than 128 bytes. */
static void put_first_headers(const char *path)
{
    static const char rest[] = "@\12:authority\17"
                               "127.0.0.1:50051"
                               "\203\206"
                               "@\14content-type\20application/grpc"
                               "@\2te\10trailers"
                               "@\24grpc-accept-encoding\27identity, deflate, gzip"
                               "@\12user-agent\60grpc-python/1.85.1 grpc-c/58.0.0 (linux; chttp2)";
    uint8_t head[256] = "@\5:path";
    size_t n = strlen(path);
    head[7] = (uint8_t)n;
    memcpy(head + 8, path, n);
    memcpy(head + 8 + n, rest, sizeof rest - 1);
    put_frame(HEADERS, END_HEADERS, 1, head, 8 + n + sizeof rest - 1);
}

/* One turn of a port: everything in, everything out. */
static void turn(struct nrpc_conn *conn)
{
    size_t used = 0, made;
    n_out = 0;
    do {
        used += nrpc_conn_receive(conn, in + used, n_in - used, 1);
        do {
            made = nrpc_conn_transmit(conn, out + n_out, sizeof out - n_out);
            n_out += made;
        } while (made);
    } while (used < n_in && n_out);
    CHECK_EQ(used, n_in);
    CHECK(!nrpc_conn_closing(conn));
    n_in = 0;
}

/* Of the frames that came out: the reply of n bytes with its prefix, and an end of its stream. */
static void check_answer(const uint8_t *reply, size_t n)
{
    int replied = 0, ended = 0;
    for (size_t at = 0; at + 9 <= n_out;) {
        size_t length = (size_t)out[at + 1] << 8 | out[at + 2];
        if (out[at + 3] == DATA && length == n) {
            replied += memcmp(out + at + 9, reply, n) == 0;
        }
        if (out[at + 3] == HEADERS) {
            ended += (out[at + 4] & END_STREAM) != 0;
        }
        at += 9 + length;
    }
    CHECK_EQ(replied, 1);
    CHECK_EQ(ended, 1);
}

/* --- Counting ------------------------------------------------------------------------------- */

enum { WARM_UP = 10, CALLS = 1000 };

/* Makes calls, and prints what one takes; what makes and checks its bytes is not counted. */
static void cost(const char *what, const struct nrpc_server *of, const char *path,
                 const uint8_t *message, size_t n, const uint8_t *reply, size_t n_reply)
{
    /* SETTINGS; 4 MB for the connection */
    static const uint8_t window[] = {0, 0x3f, 0, 1},
                         indexed[] = {0xc3, 0xc2, 0x83, 0x86, 0xc1, 0xc0, 0xbf, 0xbe};
    static const uint8_t settings[] = {0, 2, 0, 0,    0, 0, 0, 3, 0, 0,    0, 0,
                                       0, 4, 0, 0x40, 0, 0, 0, 5, 0, 0x40, 0, 0};
    struct nrpc_conn *conn = nrpc_server_accept(of, 1);
    uint32_t total = 0;
    put("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    put_frame(SETTINGS, 0, 0, settings, sizeof settings);
    put_frame(WINDOW_UPDATE, 0, 0, window, sizeof window);
    put_frame(SETTINGS, ACK, 0, NULL, 0);
    turn(conn);
    put_first_headers(path);
    put_rest(1, message, n);
    turn(conn);
    check_answer(reply, n_reply);
    for (uint32_t i = 1; i <= WARM_UP + CALLS; i++) {
        put_frame(HEADERS, END_HEADERS, 2 * i + 1, indexed, sizeof indexed);
        put_rest(2 * i + 1, message, n);
        uint32_t began = systick_now();
        turn(conn);
        total += i > WARM_UP ? systick_since(began) : 0;
        check_answer(reply, n_reply);
    }
    CHECK(total > CALLS); /* else nothing has been counted */
    test_print(what);
    test_print(": ");
    test_print_number((int64_t)total * SYSTICK_NS / CALLS);
    test_print("\n");
    nrpc_conn_lost(conn);
}

static void greeting(void)
{
    static const uint8_t message[] = "\0\0\0\0\7\12\5world";
    static const uint8_t reply[] = "\0\0\0\0\17\12\15Hello, world!";
    cost("greeting", &server, "/helloworld.Greeter/SayHello", message, sizeof message - 1, reply,
         sizeof reply - 1);
}

static void kilobyte(void)
{
    static uint8_t message[5 + 3 + KILOBYTE] = {0, 0, 0, 4, 3, 0x0a, 0x80, 8};
    for (unsigned i = 0; i < KILOBYTE; i++) {
        message[8 + i] = (uint8_t)(i * 7);
    }
    cost("kilobyte", &device_server, "/bench.Device/Exchange", message, sizeof message, message,
         sizeof message);
}

int main(void)
{
    RUN(greeting);
    RUN(kilobyte);
    return test_end();
}
