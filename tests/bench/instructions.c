/* tests/bench/instructions.c - N calls of helloworld.Greeter/SayHello through the core.
 * Layer: test; run under callgrind with two values of N, the difference is the cost of a call. A
 * second number: so many ticks after them.
 * Source: what grpcio 1.85 was seen to send. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nanorpc/nanorpc.h"

extern const struct nrpc_server server; /* boards/apps/greeter/greeter.c */

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define FRAME(length, type, flags, id, payload) "\0\0" length type flags "\0\0\0" id payload
#define DATA "\0"
#define HEADERS "\1"
#define SETTINGS "\4"
#define WINDOW_UPDATE "\10"

/* SETTINGS, 4 MiB for the connection, the acknowledgement of our SETTINGS. */
static const char opening[] = PREFACE FRAME(
    "\44", SETTINGS, "\0", "\0",
    "\0\2\0\0\0\0\0\3\0\0\0\0\0\4\0\100\0\0\0\5\0\100\0\0\0\6\0\0\100\0\376\3\0\0\0\1")
    FRAME("\4", WINDOW_UPDATE, "\0", "\0", "\0\77\0\1") FRAME("\0", SETTINGS, "\1", "\0", "");

/* The first call: every header a literal that is put into the table. */
static const char first_call[] =
    FRAME("\331", HEADERS, "\4", "\1",
          "@\5:path\34/helloworld.Greeter/SayHello"
          "@\12:authority\17"
          "127.0.0.1:50051"
          "\203\206"
          "@\14content-type\20application/grpc"
          "@\2te\10trailers"
          "@\24grpc-accept-encoding\27identity, deflate, gzip"
          "@\12user-agent\60grpc-python/1.85.1 grpc-c/58.0.0 (linux; chttp2)")
        FRAME("\4", WINDOW_UPDATE, "\0", "\1", "\0\0\0\5")
            FRAME("\14", DATA, "\1", "\1", "\0\0\0\0\7\12\5world")
                FRAME("\4", WINDOW_UPDATE, "\0", "\0", "\0\0\0\24");

/* Every other one; the two zeros become the stream's id. */
static const char next_call[] = FRAME("\10", HEADERS, "\4", "\0",
                                      "\303\302\203\206\301\300\277\276")
    FRAME("\4", WINDOW_UPDATE, "\0", "\0", "\0\0\0\5")
        FRAME("\14", DATA, "\1", "\0", "\0\0\0\0\7\12\5world")
            FRAME("\4", WINDOW_UPDATE, "\0", "\0", "\0\0\0\24");

enum { NEXT_BYTES = sizeof next_call - 1, HEADERS_ID = 6, WINDOW_ID = 23, DATA_ID = 36 };
enum {
    WARM_UP = 10,
    LARGEST_CONTROL = 17
}; /* what may come beside an answer: WINDOW_UPDATE, PING */

static void die(const char *text)
{
    fprintf(stderr, "instructions: %s\n", text);
    exit(1);
}

static void put_id(char *id, unsigned long stream)
{
    id[0] = (char)(stream >> 16 & 0xff);
    id[1] = (char)(stream >> 8 & 0xff);
    id[2] = (char)(stream & 0xff);
}

/* One turn of a port: everything in, everything out. Returns the bytes that came out. */
static size_t turn(struct nrpc_conn *conn, const char *data, size_t n, char *out, size_t room)
{
    size_t used = 0, made, filled = 0;

    do {
        used += nrpc_conn_receive(conn, data + used, n - used, 1);
        do {
            made = nrpc_conn_transmit(conn, out + filled, room - filled);
            filled += made;
        } while (made);
    } while (used < n && filled);
    if (used < n)
        die("the core left bytes over");
    if (nrpc_conn_closing(conn))
        die("the core ended the connection");
    return filled;
}

/* 1 when the answer holds the greeting and ends its stream. */
static int is_answer(const char *out, size_t n)
{
    static const char greeting[] = "\0\0\0\0\17\12\15Hello, world!";
    int greeted = 0, ended = 0;

    for (size_t at = 0; at + 9 <= n;) {
        const unsigned char *frame = (const unsigned char *)out + at;
        size_t length = (size_t)frame[1] << 8 | frame[2];

        if (frame[3] == 0 && length == sizeof greeting - 1)
            greeted += !memcmp(frame + 9, greeting, length);
        if (frame[3] == 1 && (frame[4] & 1))
            ended++;
        at += 9 + length;
    }
    return greeted == 1 && ended == 1;
}

int main(int argc, char **argv)
{
    static char out[4096];
    static char call[sizeof next_call];
    struct nrpc_conn *conn = nrpc_server_accept(&server, 1);
    unsigned long calls = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
    size_t made, usual = 0;

    if (!conn)
        die("no connection");
    turn(conn, opening, sizeof opening - 1, out, sizeof out);
    made = turn(conn, first_call, sizeof first_call - 1, out, sizeof out);
    if (!is_answer(out, made))
        die("the first call was not answered");
    memcpy(call, next_call, sizeof next_call);
    for (unsigned long i = 1; i <= calls + WARM_UP; i++) {
        put_id(call + HEADERS_ID, 2 * i + 1);
        put_id(call + WINDOW_ID, 2 * i + 1);
        put_id(call + DATA_ID, 2 * i + 1);
        made = turn(conn, call, NEXT_BYTES, out, sizeof out);
        if (i <= WARM_UP) {
            if (!is_answer(out, made))
                die("a call was not answered");
            usual = !usual || made < usual ? made : usual;
        }
        if (made < usual || made > usual + 2 * LARGEST_CONTROL)
            die("an answer has another length than the ones before");
    }
    if (!is_answer(out, made))
        die("the last call was not answered");
    for (unsigned long i = argc > 2 ? strtoul(argv[2], NULL, 10) : 0; i; i--)
        nrpc_conn_tick(conn, 2);
    printf("%lu calls, %u bytes in and %u out for each\n", calls, (unsigned)NEXT_BYTES,
           (unsigned)usual);
    return 0;
}
