/* nanorpc/channel.h - a channel: the way to one server, and all of its memory.
 * Layer: core, public; client.h includes it. Source: gRPC "Wait for Ready", "Retry" (transparent).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_CHANNEL_H
#define NANORPC_CHANNEL_H

#include "nanorpc/dial.h"
#include "nanorpc/nanorpc.h"

NRPC_BEGIN_C

/* One server, over one link at a time, which the port opens (dial.h) when a call wants it, and
 * again after it was lost. Calls that a lost or refused link took nothing of are put on the next
 * one:
 *   - those that had not left;
 *   - streams that the server refused (REFUSED_STREAM) or did not take any more (GOAWAY), once,
 *     while their first request is still in its block and no second one was written.
 * Any other call that a link takes with it ends with NRPC_UNAVAILABLE. After a GOAWAY the calls
 * that are under way finish, and new ones wait for them, NRPC_DRAIN_MS at most. A server that
 * vanishes without a word is noticed by TCP while something is to be sent; a call that only waits
 * needs a deadline, or NRPC_KEEPALIVE_MS: at least 300000 for gRPC's servers, which end links that
 * ping more often; then the next ones double it. */
struct nrpc_threads;
struct nrpc_channel {
    struct nrpc_dial dial; /* first: what the port is given */
    const struct nrpc_server *endpoint;
    const char *authority;
    void (*poll)(uint32_t timeout_ms);  /* for wait.h, see there; the application sets it */
    const struct nrpc_threads *threads; /* the same; NULL: one thread alone calls */
    int error; /* enum nrpc_error: why NAME_start has returned NULL; 0: it has not, the last time */
};
extern const struct nrpc_role nrpc_client_role;
extern const struct nrpc_dial_role nrpc_channel_dial;

/* Defines `struct nrpc_channel name` and its memory, statically. authority: what requests say in
 * :authority, "host" or "host:port", a string literal or an array; it and the longest path of the
 * services may have NRPC_AUTHORITY_AND_PATH_MAX bytes together, or it does not compile (NAME_start
 * looks again, as the application may write to channel.authority). Then 1 to 8 services, as the
 * generator named them: SERVICE_client.
 *     NRPC_CHANNEL_DEFINE(channel, "station.example:50051",
 *                         Greeter_client, helloworld_Greeter_client);
 * RAM: a connection as a server has, see config.h; blocks are (5 + largest reply) + (5 + largest
 * request + NRPC_STATUS_MESSAGE_MAX), scratch is the largest decoded reply; what NRPC_COMPRESSION
 * adds see there. */
#define NRPC_CHANNEL_DEFINE(name, its_authority, ...) \
    NRPC_CHANNEL_DEFINE_WITH(name, its_authority, (.n_interceptors = 0), __VA_ARGS__)

/* The same with options, in parentheses: .keys and .n_keys, registered metadata keys of responses.
 */
#define NRPC_CHANNEL_DEFINE_WITH(name, its_authority, options, ...)                             \
    NRPC_STATIC_ASSERT(NRPC_CLIENT, "channels need NRPC_CLIENT=1, the same for all files");     \
    NRPC_STATIC_ASSERT(NRPC_COUNTED_(__VA_ARGS__) <= 8,                                         \
                       #name ": a channel has 8 services at most");                             \
    NRPC_OPTIONS_CHECK_(name, options)                                                          \
    NRPC_STATIC_ASSERT(!NRPC_SAYS_(options, ".interceptors"),                                   \
                       #name ": a channel has no interceptors");                                \
    union name##_rx {                                                                           \
        NRPC_EACH(NRPC_CLIENT_RX_, __VA_ARGS__) uint8_t least[NRPC_RX_MIN];                     \
    };                                                                                          \
    union name##_tx {                                                                           \
        NRPC_EACH(NRPC_CLIENT_TX_, __VA_ARGS__)                                                 \
    };                                                                                          \
    NRPC_STATIC_ASSERT(NRPC_RX_BYTES_(name) <= (nrpc_block_size) - 1 &&                         \
                           sizeof(union name##_tx) <= (nrpc_block_size) - 1,                    \
                       "a message over 65000 bytes needs NRPC_LARGE_MESSAGES=1");               \
    union name##_path {                                                                         \
        NRPC_EACH(NRPC_CLIENT_PATH_, __VA_ARGS__)                                               \
    };                                                                                          \
    NRPC_STATIC_ASSERT(                                                                         \
        sizeof(its_authority) - 1 + sizeof(union name##_path) <= NRPC_AUTHORITY_AND_PATH_MAX,   \
        "authority and a path are over NRPC_AUTHORITY_AND_PATH_MAX bytes together");            \
    static struct {                                                                             \
        struct nrpc_conn conn;                                                                  \
        NRPC_TAKEN_(1)                                                                          \
        union {                                                                                 \
            NRPC_EACH(NRPC_CLIENT_REPLY_, __VA_ARGS__)                                          \
        } reply;                                                                                \
        uint8_t blocks[(uint64_t)NRPC_MAX_STREAMS *                                             \
                       (NRPC_RX_BYTES_(name) + sizeof(union name##_tx) + NRPC_METADATA_BYTES)]; \
        NRPC_INFLATED_(NRPC_EACH(NRPC_CLIENT_PLAIN_, __VA_ARGS__))                              \
    } name##_memory;                                                                            \
    static const struct nrpc_server name##_endpoint = {                                         \
        .role = &nrpc_client_role,                                                              \
        .message_byte = nrpc_client_message_byte,                                               \
        .conns = &name##_memory.conn,                                                           \
        NRPC_TAKEN_FIELD_(name##_memory).blocks = name##_memory.blocks,                         \
        .request = &name##_memory.reply,                                                        \
        .reply = &name##_memory.reply, /* nothing is put there */                               \
        .rx_bytes = NRPC_RX_BYTES_(name),                                                       \
        .tx_bytes = sizeof(union name##_tx),                                                    \
        NRPC_INFLATED_FIELDS_(name##_memory).n_conns = 1,                                       \
        NRPC_OPTIONS_ options};                                                                 \
    struct nrpc_channel name = {.dial = {.role = &nrpc_channel_dial},                           \
                                .endpoint = &name##_endpoint,                                   \
                                .authority = its_authority}

/* What the HEADERS of a request leave for the two: they are one frame. */
#define NRPC_AUTHORITY_AND_PATH_MAX \
    (NRPC_TRANSMIT_MIN - NRPC_METADATA_BYTES - 92 - 72 * NRPC_COMPRESSION)

/* C_REQUEST_BYTES, C_REPLY_BYTES, C_PATH_BYTES (of the longest), union C_reply: the generator's,
 * for each client. */
#define NRPC_CLIENT_PATH_(C) char C##_[C##_PATH_BYTES];
#define NRPC_CLIENT_RX_(C) \
    uint8_t C##_[5 + C##_REPLY_BYTES + NRPC_COMPRESSION_ROOM(C##_REPLY_BYTES)];
#define NRPC_CLIENT_TX_(C)                                                          \
    uint8_t C##_[5 + C##_REQUEST_BYTES + NRPC_COMPRESSION_ROOM(C##_REQUEST_BYTES) + \
                 NRPC_STATUS_MESSAGE_MAX];
#define NRPC_CLIENT_PLAIN_(C) uint8_t C##_[1 + C##_REPLY_BYTES];
#define NRPC_CLIENT_REPLY_(C) union C##_reply C##_;

/* For the macro: grpc-message, as it comes. */
void nrpc_client_message_byte(struct nrpc_hpack *hpack, uint8_t byte);

NRPC_END_C

#endif
