/* nanorpc/server.h - a server: its services, and the one object that is all of its memory.
 * Layer: core, public; nanorpc.h includes it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_SERVER_H
#define NANORPC_SERVER_H

#include "nanorpc/call.h"

NRPC_BEGIN_C

struct nrpc_conn;
struct nrpc_hpack;
struct nrpc_tls;
#if NRPC_CLIENT
struct nrpc_role;
extern const struct nrpc_role nrpc_server_role;
#define NRPC_SERVER_ROLE_ .role = &nrpc_server_role,
#else
#define NRPC_SERVER_ROLE_
#endif

#if NRPC_MANY_CONNECTIONS
typedef uint32_t nrpc_conns_size;
#else
typedef uint16_t nrpc_conns_size;
#endif

/* In flash; NRPC_SERVER_DEFINE fills it in. */
struct nrpc_server {
#if NRPC_CLIENT
    const struct nrpc_role *role; /* see nrpc_role.h */
    /* A channel's: a byte of the value of grpc-message has come. NULL: nobody wants it. */
    void (*message_byte)(struct nrpc_hpack *hpack, uint8_t byte);
#endif
    const struct nrpc_service *const *services;
    struct nrpc_conn *conns;
#if NRPC_MANY_CONNECTIONS
    uint32_t *taken; /* which of conns are, a bit each; before these: in how many words all are */
#endif
    uint8_t *blocks; /* n_conns * NRPC_MAX_STREAMS * (rx_bytes + tx_bytes + NRPC_METADATA_BYTES) */
    void *request;   /* scratch for one decoded request, shared by all calls */
    void *reply;     /* scratch for one reply, likewise */
    uint32_t rx_bytes; /* a stream's receive blocks, NRPC_RX_BLOCKS of 5 + the largest request +
                          NRPC_COMPRESSION_ROOM; the window */
    uint32_t tx_bytes; /* a stream's transmit block: 5 + the largest reply + NRPC_COMPRESSION_ROOM +
                          status message */
#if NRPC_COMPRESSION
    uint8_t *inflated;      /* scratch for one request that came compressed, shared by all calls */
    uint32_t request_bytes; /* the largest request, without its prefix */
#endif
    nrpc_conns_size n_conns;
    uint8_t n_services;
    /* Options, after the others and in this order: C++ wants it so. */
#if NRPC_METADATA_BYTES
    const struct nrpc_key *const *keys;
    uint8_t n_keys; /* 0..NRPC_KEYS_MAX */
#endif
    const struct nrpc_interceptor *interceptors; /* begun from the first to the last */
    uint8_t n_interceptors;
#if NRPC_TLS
    const struct nrpc_tls *tls; /* the filter's before the core; NULL: plain HTTP/2 */
#endif
};

/* Defines `const struct nrpc_server name` and its memory, statically. connections: 1 to
 * NRPC_CONNECTIONS_MAX at once. Then 1 to 8 services, as the generator named them:
 *     NRPC_SERVER_DEFINE(server, 2, Greeter_service, helloworld_Greeter_service); */
#define NRPC_SERVER_DEFINE(server_name, connections, ...) \
    NRPC_SERVER_DEFINE_WITH(server_name, connections, (.n_interceptors = 0), __VA_ARGS__)

/* The same with options, in parentheses: .keys and .n_keys, which need NRPC_METADATA_BYTES;
 * .interceptors and .n_interceptors; .tls, which needs NRPC_TLS:
 *     NRPC_SERVER_DEFINE_WITH(server, 2, (.keys = keys, .n_keys = 1), Greeter_service); */
#define NRPC_SERVER_DEFINE_WITH(server_name, connections, options, ...)                 \
    NRPC_STATIC_ASSERT((connections) >= 1 && (connections) <= NRPC_CONNECTIONS_MAX,     \
                       #server_name ": connections: " NRPC_CONNECTIONS_RANGE_);         \
    NRPC_STATIC_ASSERT(NRPC_COUNTED_(__VA_ARGS__) <= 8,                                 \
                       #server_name ": a server has 8 services at most");               \
    NRPC_OPTIONS_CHECK_(server_name, options)                                           \
    static const struct nrpc_service *const server_name##_services[] = {                \
        NRPC_EACH(NRPC_SERVICE_POINTER_, __VA_ARGS__)};                                 \
    union server_name##_rx {                                                            \
        NRPC_EACH(NRPC_SERVICE_RX_, __VA_ARGS__) uint8_t least[NRPC_RX_MIN];            \
    };                                                                                  \
    union server_name##_tx {                                                            \
        NRPC_EACH(NRPC_SERVICE_TX_, __VA_ARGS__)                                        \
    };                                                                                  \
    NRPC_STATIC_ASSERT(NRPC_RX_BYTES_(server_name) <= (nrpc_block_size) - 1 &&          \
                           sizeof(union server_name##_tx) <= (nrpc_block_size) - 1,     \
                       "a message over 65000 bytes needs NRPC_LARGE_MESSAGES=1");       \
    static struct {                                                                     \
        struct nrpc_conn conns[connections];                                            \
        NRPC_TAKEN_(connections)                                                        \
        union {                                                                         \
            NRPC_EACH(NRPC_SERVICE_REQUEST_, __VA_ARGS__)                               \
        } request;                                                                      \
        union {                                                                         \
            NRPC_EACH(NRPC_SERVICE_REPLY_, __VA_ARGS__)                                 \
        } reply;                                                                        \
        uint8_t blocks[(uint64_t)(connections) * NRPC_MAX_STREAMS *                     \
                       (NRPC_RX_BYTES_(server_name) + sizeof(union server_name##_tx) +  \
                        NRPC_METADATA_BYTES)];                                          \
        NRPC_INFLATED_(NRPC_EACH(NRPC_SERVICE_PLAIN_, __VA_ARGS__))                     \
    } server_name##_memory;                                                             \
    extern const struct nrpc_server server_name; /* C++ would keep it to its file */    \
    const struct nrpc_server server_name = {                                            \
        NRPC_SERVER_ROLE_.services = server_name##_services,                            \
        .conns = server_name##_memory.conns,                                            \
        NRPC_TAKEN_FIELD_(server_name##_memory).blocks = server_name##_memory.blocks,   \
        .request = &server_name##_memory.request,                                       \
        .reply = &server_name##_memory.reply,                                           \
        .rx_bytes = NRPC_RX_BYTES_(server_name),                                        \
        .tx_bytes = sizeof(union server_name##_tx),                                     \
        NRPC_INFLATED_FIELDS_(server_name##_memory).n_conns = (connections),            \
        .n_services = sizeof server_name##_services / sizeof server_name##_services[0], \
        NRPC_OPTIONS_ options}

/* For ports: a free connection, made ready for a peer that has just connected, or NULL when all
 * are taken (the port refuses the peer). now_ms: any millisecond clock that wraps at 2^32. */
struct nrpc_conn *nrpc_server_accept(const struct nrpc_server *server, uint32_t now_ms);

/* --- How the macro walks over its services ------------------------------------------------ */
/* S_REQUEST_BYTES, S_REPLY_BYTES, union S_request, union S_reply: the generator's, per service. */
#define NRPC_OPTIONS_(...) __VA_ARGS__
#if NRPC_MANY_CONNECTIONS
#define NRPC_TAKEN_(n) uint32_t taken[1 + ((n) + 31) / 32];
#define NRPC_TAKEN_FIELD_(memory) .taken = memory.taken,
#else
#define NRPC_TAKEN_(n)
#define NRPC_TAKEN_FIELD_(memory)
#endif

/* What options do not say of themselves when they are wrong. Clang, and GCC before 8, look at the
 * first alone, as that is all that they can do when compiling. */
#define NRPC_OPTIONS_CHECK_(name, options)                                            \
    NRPC_STATIC_ASSERT(NRPC_METADATA_BYTES || !NRPC_SAYS_(options, ".keys"),          \
                       #name ": .keys need NRPC_METADATA_BYTES, for all files");      \
    NRPC_STATIC_ASSERT(NRPC_TLS || !NRPC_SAYS_(options, ".tls"),                      \
                       #name ": .tls needs NRPC_TLS=1, for all files");               \
    NRPC_STATIC_ASSERT(NRPC_SAYS_COUNT_(options, ".keys", ".n_keys"),                 \
                       #name ": .keys need .n_keys");                                 \
    NRPC_STATIC_ASSERT(NRPC_SAYS_COUNT_(options, ".interceptors", ".n_interceptors"), \
                       #name ": .interceptors need .n_interceptors");
#define NRPC_SAYS_(options, word) NRPC_SAYS__(NRPC_SAME_TEXT_(options), word)
#define NRPC_SAYS_COUNT_(options, word, count) \
    NRPC_SAYS_COUNT__(NRPC_SAME_TEXT_(options), word, count)
#if defined(__clang__) || defined(__cplusplus) || __GNUC__ < 8
#define NRPC_SAYS__(text, word) (__builtin_strncmp(text, "(" word, sizeof(word)) == 0)
#define NRPC_SAYS_COUNT__(text, word, count) 1
#else
#define NRPC_SAYS__(text, word) (__builtin_strstr(text, word) != 0)
#define NRPC_SAYS_COUNT__(text, word, count) (NRPC_SAYS__(text, word) <= NRPC_SAYS__(text, count))
#endif
#define NRPC_RX_BYTES_(name) (NRPC_RX_BLOCKS * (uint32_t)sizeof(union name##_rx))
#define NRPC_SERVICE_POINTER_(S) &S,
#define NRPC_SERVICE_RX_(S) \
    uint8_t S##_[5 + S##_REQUEST_BYTES + NRPC_COMPRESSION_ROOM(S##_REQUEST_BYTES)];
#define NRPC_SERVICE_TX_(S)                                                     \
    uint8_t S##_[5 + S##_REPLY_BYTES + NRPC_COMPRESSION_ROOM(S##_REPLY_BYTES) + \
                 NRPC_STATUS_MESSAGE_MAX];
#if NRPC_COMPRESSION
#define NRPC_SERVICE_PLAIN_(S) uint8_t S##_[1 + S##_REQUEST_BYTES];
#define NRPC_INFLATED_(members) \
    union {                     \
        members                 \
    } inflated;
#define NRPC_INFLATED_FIELDS_(memory) \
    .inflated = (uint8_t *)&memory.inflated, .request_bytes = sizeof memory.inflated - 1,
#else
#define NRPC_INFLATED_(members)
#define NRPC_INFLATED_FIELDS_(memory)
#endif
#define NRPC_SERVICE_REQUEST_(S) union S##_request S##_;
#define NRPC_SERVICE_REPLY_(S) union S##_reply S##_;

/* Of 9 to 16 the macros take the first alone, for what is wrong to be said once, in words. */
#define NRPC_EACH(m, ...)                                                                      \
    NRPC_EACH_(NRPC_COUNT_(__VA_ARGS__, 9, 9, 9, 9, 9, 9, 9, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0), m, \
               __VA_ARGS__)
#define NRPC_COUNTED_(...) \
    NRPC_COUNT_(__VA_ARGS__, 9, 9, 9, 9, 9, 9, 9, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define NRPC_COUNT_(a, b, c, d, e, f, g, h, i, j, k, l, o, p, q, r, count, ...) count
#define NRPC_EACH_(count, m, ...) NRPC_EACH__(count, m, __VA_ARGS__)
#define NRPC_EACH__(count, m, ...) NRPC_EACH_##count(m, __VA_ARGS__)
#define NRPC_EACH_1(m, a) m(a)
#define NRPC_EACH_2(m, a, ...) m(a) NRPC_EACH_1(m, __VA_ARGS__)
#define NRPC_EACH_3(m, a, ...) m(a) NRPC_EACH_2(m, __VA_ARGS__)
#define NRPC_EACH_4(m, a, ...) m(a) NRPC_EACH_3(m, __VA_ARGS__)
#define NRPC_EACH_5(m, a, ...) m(a) NRPC_EACH_4(m, __VA_ARGS__)
#define NRPC_EACH_6(m, a, ...) m(a) NRPC_EACH_5(m, __VA_ARGS__)
#define NRPC_EACH_7(m, a, ...) m(a) NRPC_EACH_6(m, __VA_ARGS__)
#define NRPC_EACH_9(m, a, ...) m(a)
#define NRPC_EACH_8(m, a, ...) m(a) NRPC_EACH_7(m, __VA_ARGS__)

NRPC_END_C

#endif
