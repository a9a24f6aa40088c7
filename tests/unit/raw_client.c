/* tests/unit/raw_client.c - a channel with its own codec; what it is told becomes a text.
 * Layer: test. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/config.h"
#if NRPC_CLIENT
#include "raw_client.h"

#include <string.h>

#include "nanorpc/client/nrpc_invoke.h"
#include "raw_service.h"
#include "wire.h"

struct raw_client raw_client;
static char log_text[TEST_SIZE(1 << 14, 2000)];
static size_t n_log;

struct piece {
    const uint8_t *data;
    size_t n;
};

static void add(const char *text, size_t n)
{
    if (CHECK(n_log + n + 1 < sizeof log_text)) {
        memcpy(log_text + n_log, text, n);
        n_log += n;
        log_text[n_log] = '\0';
    }
}

static void add_number(size_t number)
{
    char digit = (char)('0' + number % 10);
    if (number >= 10) {
        add_number(number / 10);
    }
    add(&digit, 1);
}

static unsigned begin_note(struct nrpc_call *call)
{
    unsigned n = (unsigned)nrpc_call_user(call)->number;
    CHECK(raw_client.calls[n] == call); /* else it was over */
    add(" ", n_log ? 1 : 0);
    add_number(n);
    return n;
}

static void headers(struct nrpc_call *call)
{
    begin_note(call);
    add("h", 1);
}

static void writable(struct nrpc_call *call)
{
    unsigned n = begin_note(call);
    add("w", 1);
    if (raw_client.on_writable) {
        raw_client.on_writable(n);
    }
}

static void done(struct nrpc_call *call, enum nrpc_status status, const char *message)
{
    unsigned n = begin_note(call);
    add("=", 1);
    add_number(status);
    if (*message) {
        add("(", 1);
        add(message, strlen(message));
        add(")", 1);
    }
    raw_client.calls[n] = NULL;
    raw_client.n_done++;
    if (raw_client.on_done) {
        raw_client.on_done(n);
    }
}

static enum nrpc_status reply(struct nrpc_call *call, const void *message,
                              const struct nrpc_events *its)
{
    const struct piece *piece = message;
    (void)its;
    begin_note(call);
    if (piece->n > 32) {
        add("<", 1);
        add_number(piece->n);
        add(">", 1);
    } else {
        add("'", 1);
        add((const char *)piece->data, piece->n);
        add("'", 1);
    }
    raw_client.n_replies++;
    return raw_client.fails                                    ? NRPC_DATA_LOSS
           : raw_client.hold >> (raw_client.n_replies - 1) & 1 ? NRPC_PENDING
                                                               : NRPC_OK;
}

static enum nrpc_status message(struct nrpc_call *call, const uint8_t *data, size_t n)
{
    struct piece piece = {data, n};
    return nrpc_client_message(call, data ? &piece : NULL, NULL);
}

static int send_text(struct nrpc_call *call, const void *text)
{
    size_t room, n = strlen(text);
    uint8_t *at = nrpc_call_reserve(call, &room);
    if (!at) {
        return call->tx_length ? NRPC_E_AGAIN : NRPC_E_STATE;
    }
    if (n > room) {
        return NRPC_E_TOO_BIG;
    }
    memcpy(at, text, n);
    nrpc_call_commit(call, n);
    return 0;
}

static const struct nrpc_codec codec = {.message = message, .send = send_text};
#define METHOD(name, its_kind)                      \
    {.method = {.codec = &codec,                    \
                .handler = nrpc_client_message,     \
                .cancelled = nrpc_client_cancelled, \
                .kind = NRPC_CALLER | (its_kind)},  \
     .path = "/test.Raw/" name,                     \
     .got = reply}
static const struct nrpc_client_method methods[] = {
    METHOD("Bidi", NRPC_CLIENT_STREAM),
    METHOD("Collect", NRPC_UNARY),
    METHOD("Echo", NRPC_UNARY),
    METHOD("Fail", NRPC_UNARY),
    METHOD("First", NRPC_CLIENT_STREAM),
    METHOD("Later", NRPC_UNARY),
    METHOD("List", NRPC_CLIENT_STREAM),
    METHOD("Push", NRPC_CLIENT_STREAM),
    METHOD("Hold", NRPC_CLIENT_STREAM),
    METHOD("None", NRPC_UNARY),
    METHOD("LongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLon"
           "gLongLongLongLong",
           NRPC_UNARY)};

static const struct nrpc_events events = {.headers = headers, .writable = writable, .done = done};

#define Raw_client_REQUEST_BYTES RAW_REQUEST_BYTES
#define Raw_client_REPLY_BYTES RAW_REPLY_BYTES
#define Raw_client_PATH_BYTES 17 /* but for the one that is too long */
union Raw_client_reply {
    uint8_t m0;
};
#if NRPC_METADATA_BYTES
static const struct nrpc_key token = NRPC_KEY("x-token"),
                             details = NRPC_KEY("grpc-status-details-bin");
static const struct nrpc_key *const keys[] = {&token, &details};
NRPC_CHANNEL_DEFINE_WITH(raw_channel, "device", (.keys = keys, .n_keys = 2), Raw_client);
#else
NRPC_CHANNEL_DEFINE(raw_channel, "device", Raw_client);
#endif

void raw_client_reset(void)
{
    static const struct nrpc_channel fresh = {.dial = {.role = &nrpc_channel_dial}};
    const struct nrpc_server *endpoint = raw_channel.endpoint;
    nrpc_conn_gaps(endpoint->conns, 0);
    memset(endpoint->conns, 0, sizeof *endpoint->conns);
#if NRPC_MANY_CONNECTIONS
    endpoint->taken[0] = endpoint->taken[1] = 0;
#endif
    raw_channel = fresh;
    raw_channel.endpoint = endpoint;
    raw_channel.authority = "device";
    memset(&raw_client, 0, sizeof raw_client);
    n_log = 0;
    log_text[0] = '\0';
}

const char *raw_client_log(void)
{
    return log_text;
}

unsigned raw_start(const char *method, const char *text, const struct nrpc_call_options *options)
{
    unsigned i = 0, n = raw_client.n_started + 1;
    while (strcmp(methods[i].path + sizeof "/test.Raw/" - 1, method) != 0) {
        i++;
        CHECK(i < sizeof methods / sizeof methods[0]);
    }
    struct nrpc_call *call = nrpc_client_start(&raw_channel, &methods[i], options, text, &events);
    if (!call || !CHECK(n < RAW_CLIENT_CALLS)) {
        return 0;
    }
    nrpc_call_user(call)->number = n;
    raw_client.calls[n] = call;
    raw_client.n_started = n;
    return n;
}

int raw_write(unsigned n, const char *text)
{
    return nrpc_client_write(raw_client.calls[n], text);
}

uint32_t raw_client_tick(uint32_t now_ms)
{
    return nrpc_dial_wait_ms(&raw_channel.dial, now_ms);
}

struct nrpc_conn *raw_client_link(uint32_t now_ms)
{
    CHECK_EQ(raw_client_tick(now_ms), 0);
    return nrpc_dial_linked(&raw_channel.dial, now_ms);
}

static void (*scene)(void);

static struct nrpc_conn *open_link(uint32_t now_ms)
{
    raw_client_reset();
    scene();
    return raw_client_link(now_ms);
}

void raw_client_begin_bare(void (*starts)(void))
{
    wire_begin_bare(raw_channel.endpoint);
    wire.link = open_link;
    wire.log = raw_client_log;
    scene = starts;
}

void raw_client_begin(void (*starts)(void))
{
    raw_client_begin_bare(starts);
    wire_frame(NRPC_SETTINGS, 0, 0, NULL, 0);
    wire_frame(NRPC_SETTINGS, NRPC_ACK, 0, NULL, 0);
    wire_do(NULL);
}

void raw_answer(uint32_t id)
{
    wire_block("\x88\x0f\x10\x10"
               "application/grpc",
               4 + 16);
    wire_headers(id, 0);
}

void raw_trailers(uint32_t id, const char *status, const char *message)
{
    wire_field("grpc-status", status);
    if (message) {
        wire_field("grpc-message", message);
    }
    wire_headers(id, NRPC_END_STREAM);
}

#endif
