/* tests/generator/evolve.c - gives encoded messages to a server and to a client of ev.proto, cut
 * anywhere; prints what they have made of them. Layer: tests; test_generator_evolve.py generates
 * its services and runs it. Source: RFC 9113.
 * SPDX-License-Identifier: Apache-2.0 */
#include <pb_encode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ev.client.h"
#include "ev.nrpc.h"
#include "nanorpc/conn.h"

/* A line in: SEED METHOD HEX..., one HEX a message, "-" for none; METHOD in capitals: it is what a
 * server answers to us. A line out: STATUS|MESSAGE|HEX..., the messages that arrived. */
enum { LINE = 1 << 21, BODY = 1 << 20 };

static char line[LINE];
static uint8_t body[BODY], out[1 << 16];
static size_t n_body, n_out;
static uint32_t seed;
static int status = -1;
static char text[128];
static int32_t window; /* of the call, as far as it may be sent to */

static uint32_t next(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

/* --- What handlers see ---------------------------------------------------------------------- */

static void seen_as(const pb_msgdesc_t *fields, const void *message)
{
    static uint8_t buf[1 << 16];
    pb_ostream_t stream = pb_ostream_from_buffer(buf, sizeof buf);
    if (!pb_encode(&stream, fields, message))
        abort();
    n_out += (size_t)sprintf((char *)out + n_out, "|");
    for (size_t i = 0; i < stream.bytes_written; i++)
        n_out += (size_t)sprintf((char *)out + n_out, "%02x", buf[i]);
}

static void seen(const ev_Msg *message)
{
    seen_as(ev_Msg_fields, message);
}

enum nrpc_status ev_Small_Set(struct nrpc_call *call, const ev_Mode_ *request, ev_Mode_ *reply)
{
    (void)call;
    seen_as(ev_Mode__fields, request);
    *reply = *request;
    return NRPC_OK;
}

/* Replies that are over a bound, one for each number. */
enum nrpc_status ev_Wrong_Fill(struct nrpc_call *call, const ev_Mode_ *request, ev_Msg *reply)
{
    (void)call;
    switch ((int)request->mode) {
    case 1: memset(reply->text, 'x', sizeof reply->text); break;
    case 2: reply->data.size = 11; break;
    case 3: reply->numbers_count = 6; break;
    case 4:
        reply->has_inner = true;
        reply->inner.leaves_count = 2;
        reply->inner.leaves[1].data.size = 5;
        break;
    case 5:
        reply->many_count = 2;
        memset(reply->many[1].text, 'x', sizeof reply->many[1].text);
        break;
    case 6:
        reply->which_pick = ev_Msg_name_tag;
        memset(reply->pick.name, 'x', sizeof reply->pick.name);
        break;
    case 7: memset(reply->inner.text, 'x', sizeof reply->inner.text); break; /* not there */
    default: break;
    }
    return NRPC_OK;
}

enum nrpc_status ev_Ev_Unary(struct nrpc_call *call, const ev_Msg *request, ev_None *reply)
{
    (void)call;
    (void)reply;
    seen(request);
    return NRPC_OK;
}

enum nrpc_status ev_Ev_Collect(struct nrpc_call *call, const ev_Msg *request, ev_None *reply)
{
    (void)call;
    (void)reply;
    if (request)
        seen(request);
    return NRPC_OK;
}

enum nrpc_status ev_Ev_List(struct nrpc_call *call, const ev_Msg *request)
{
    (void)call;
    seen(request);
    return NRPC_OK;
}

enum nrpc_status ev_Ev_List_next(struct nrpc_call *call, ev_None *reply)
{
    (void)call;
    (void)reply;
    return NRPC_OK;
}

enum nrpc_status ev_Ev_Bidi(struct nrpc_call *call, const ev_Msg *request)
{
    static const ev_None none;
    if (request) {
        seen(request);
        return ev_Ev_Bidi_send(call, &none) ? NRPC_ABORTED : NRPC_OK;
    }
    return NRPC_OK;
}

static void over(struct nrpc_call *call, enum nrpc_status how)
{
    (void)call;
    status = (int)how;
}

static const struct nrpc_interceptor chain[] = {{.begin = NULL, .end = over}};
NRPC_SERVER_DEFINE_WITH(server, 1, (.interceptors = chain, .n_interceptors = 1), ev_Ev_service);
NRPC_SERVER_DEFINE_WITH(small, 1, (.interceptors = chain, .n_interceptors = 1), ev_Small_service);
NRPC_SERVER_DEFINE_WITH(wrong, 1, (.interceptors = chain, .n_interceptors = 1), ev_Wrong_service);

#if NRPC_REFUSALS
void nrpc_refused(const struct nrpc_call *call, enum nrpc_status why, const char *words)
{
    (void)call;
    if (getenv("TELL"))
        printf("refused %d: %s\n", (int)why, words);
}
#endif

static enum nrpc_status got(struct nrpc_call *call, const ev_Msg *reply)
{
    (void)call;
    seen(reply);
    return NRPC_OK;
}

static void done(struct nrpc_call *call, enum nrpc_status how, const char *message)
{
    (void)call;
    status = (int)how;
    snprintf(text, sizeof text, "%s", message);
}

NRPC_CHANNEL_DEFINE(channel, "a.example", ev_Back_client);

/* --- The peer --------------------------------------------------------------------------------- */

static struct nrpc_conn *conn;
static unsigned frames; /* bytes of the frame that is being read */
static uint8_t frame[1 << 15];

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void pump(size_t skip);

static void feed(const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    while (n) {
        size_t piece = next(3) ? n : 1 + next((uint32_t)n);
        uint8_t *copy = malloc(piece); /* ASan sees its ends */
        memcpy(copy, p, piece);
        size_t used = nrpc_conn_receive(conn, copy, piece, 0);
        free(copy);
        p += used;
        n -= used;
        if (used < piece)
            pump(0);
    }
}

static void feed_frame(unsigned type, unsigned flags, uint32_t id, const void *bytes, size_t n)
{
    static uint8_t buf[1 << 15];
    buf[0] = (uint8_t)(n >> 16);
    buf[1] = (uint8_t)(n >> 8);
    buf[2] = (uint8_t)n;
    buf[3] = (uint8_t)type;
    buf[4] = (uint8_t)flags;
    buf[5] = buf[6] = buf[7] = 0;
    buf[8] = (uint8_t)id;
    if (n)
        memcpy(buf + 9, bytes, n);
    feed(buf, n + 9);
}

/* "message" of trailers, whose name is a literal of ours: see nrpc_respond.c. */
static void read_message(const uint8_t *p, size_t n)
{
    static const char name[] = "grpc-message";
    for (size_t i = 0; i + sizeof name < n; i++) {
        if (memcmp(p + i, name, sizeof name - 1) == 0) {
            snprintf(text, sizeof text, "%.*s", p[i + sizeof name - 1],
                     (const char *)p + i + sizeof name);
        }
    }
}

static void read_frame(void)
{
    unsigned n = (unsigned)(get32(frame) >> 8);
    const uint8_t *p = frame + 9;
    switch (frame[3]) {
    case 1: read_message(p, n); break;
    case 3:
        if (get32(p))
            snprintf(text, sizeof text, "reset %u", (unsigned)get32(p));
        break;
    case 4:
        for (; n >= 6 && !(frame[4] & 1); p += 6, n -= 6) {
            if (p[1] == 4)
                window += (int32_t)get32(p + 2) - 65535;
        }
        break;
    case 7: snprintf(text, sizeof text, "goaway %u", (unsigned)get32(p + 4)); break;
    case 8: window += get32(frame + 5) ? (int32_t)get32(p) : 0; break;
    default: break;
    }
}

static void pump(size_t skip)
{
    static uint8_t buf[1 << 14];
    size_t n;
    while ((n = nrpc_conn_transmit(conn, buf, sizeof buf)) > 0) {
        for (size_t i = skip; i < n; i++) {
            frame[frames++] = buf[i];
            if (frames >= 9 && frames == 9 + (get32(frame) >> 8)) {
                read_frame();
                frames = 0;
            }
        }
        skip = 0;
    }
}

/* ends: with the last message, the stream. */
static int send_body(int ends)
{
    size_t at = 0;
    while (at < n_body && status < 0) {
        if (window <= 0)
            pump(0);
        if (window <= 0)
            return status >= 0 || text[0];
        size_t n = n_body - at;
        n = n < (size_t)window ? n : (size_t)window;
        n = n < 16384 ? n : 16384;
        n = next(3) ? 1 + next((uint32_t)n) : n;
        window -= (int32_t)n;
        feed_frame(0, at + n == n_body && ends, 1, body + at, n);
        at += n;
        if (next(2))
            pump(0);
    }
    return 1;
}

static void serve(const char *method)
{
    char block[100];
    const char *service = method[0] == 'S' ? "Small" : method[0] == 'F' ? "Wrong" : "Ev";
    conn = nrpc_server_accept(method[0] == 'S' ? &small : method[0] == 'F' ? &wrong : &server, 0);
    window = 65535;
    feed("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    feed_frame(4, 0, 0, NULL, 0);
    if (seed & 128) {
        pump(0);
        feed_frame(4, 1, 0, NULL, 0);
    }
    int n = sprintf(block,
                    "\x83\x86\x01\x01"
                    "a\x04%c/ev.%s/%s\x0f\x10\x10"
                    "application/grpc",
                    (int)(strlen(service) + strlen(method)) + 5, service, method);
    feed_frame(1, 4, 1, block, (size_t)n);
    int ends = seed & 64 ? 1 : 0;
    if (!send_body(ends))
        snprintf(text, sizeof text, "stuck");
    if (!ends)
        feed_frame(0, 1, 1, NULL, 0);
    pump(0);
}

static void call(const char *method)
{
    static const struct ev_Back_Unary_events unary = {.reply = got, .on.done = done};
    static const struct ev_Back_List_events list = {.reply = got, .on.done = done};
    static const char head[] = "\x88\x0f\x10\x10"
                               "application/grpc";
    static const char tail[] = "\x00\x0bgrpc-status\x01"
                               "0";
    static const ev_None none;
    struct nrpc_call *made = method[0] == 'U' ? ev_Back_Unary_start(&channel, NULL, &none, &unary)
                                              : ev_Back_List_start(&channel, NULL, &none, &list);
    conn = nrpc_dial_linked(&channel.dial, 0);
    if (!made || !conn)
        abort();
    window = 65535;
    pump(24);
    feed_frame(4, 0, 0, NULL, 0);
    feed_frame(4, 1, 0, NULL, 0);
    pump(0);
    feed_frame(1, 4, 1, head, sizeof head - 1);
    if (!send_body(0))
        snprintf(text, sizeof text, "stuck");
    if (status < 0)
        feed_frame(1, 5, 1, tail, sizeof tail - 1);
    pump(0);
}

int main(void)
{
    while (fgets(line, sizeof line, stdin)) {
        char *method, *hex;
        seed = (uint32_t)strtoul(strtok(line, " \n"), NULL, 10);
        method = strtok(NULL, " \n");
        n_body = n_out = frames = 0;
        out[0] = '\0';
        text[0] = '\0';
        status = -1;
        while ((hex = strtok(NULL, " \n")) != NULL) {
            size_t n = hex[0] == '-' ? 0 : strlen(hex) / 2;
            uint8_t head[5] = {0, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8),
                               (uint8_t)n};
            memcpy(body + n_body, head, 5);
            n_body += 5;
            for (size_t i = 0; i < n; i++) {
                unsigned byte;
                (void)sscanf(hex + 2 * i, "%2x", &byte);
                body[n_body++] = (uint8_t)byte;
            }
        }
        if (method[1] >= 'a')
            serve(method);
        else
            call(method);
        printf("%d|%s%s\n", status, text, out);
        fflush(stdout);
        nrpc_conn_lost(conn);
    }
    return 0;
}
