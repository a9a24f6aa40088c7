/* nanorpc/build.h - what follows from the settings of config.h, their ranges, what compilers differ
 * in.
 * Layer: core, public; config.h includes it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_BUILD_H
#define NANORPC_BUILD_H

#include <stdint.h>

/* --- What follows from the settings ------------------------------------------------------- */

/* The least room with which nrpc_conn_transmit always makes progress, in bytes: the largest
 * trailers, or the headers of a request. */
#define NRPC_TRANSMIT_MIN                                                                          \
    (112 + 72 * NRPC_COMPRESSION + (NRPC_STATUS_MESSAGE_MAX < 80 ? 80 : NRPC_STATUS_MESSAGE_MAX) + \
     NRPC_METADATA_BYTES)

/* The same of nrpc_link_transmit: with what TLS puts around a record. */
#define NRPC_LINK_MIN (NRPC_TRANSMIT_MIN + 32 * NRPC_TLS)

/* Where a connection has this many slots it remembers which have an open call; fewer are all asked,
 * which is less code. */
#define NRPC_MANY_STREAMS (NRPC_MAX_STREAMS > 16)

/* 1: for a port with thousands of connections, which then costs no more for those that are idle:
 * see the end of conn.h. RAM: 4 bytes and a bit a connection. */
#ifndef NRPC_MANY_CONNECTIONS
#if defined(__unix__) || defined(__APPLE__)
#define NRPC_MANY_CONNECTIONS 1
#else
#define NRPC_MANY_CONNECTIONS 0
#endif
#endif

/* Of a server, at most. */
#if NRPC_MANY_CONNECTIONS
#define NRPC_CONNECTIONS_MAX 1000000
#define NRPC_CONNECTIONS_RANGE_ "1..1000000"
#else
#define NRPC_CONNECTIONS_MAX 65535
#define NRPC_CONNECTIONS_RANGE_ "1..65535"
#endif

#define NRPC_HPACK_TABLE_BYTES (32 * NRPC_HPACK_ENTRIES)

/* Bytes by which a message that is being made smaller may for a time be larger than its block: that
 * is as much as a field's beginning may take, and lengths that are still open. They are those of
 * the status message, which is none then. And the least bytes that a receive block has. */
#define NRPC_RX_SLACK (NRPC_STATUS_MESSAGE_MAX < 20 ? NRPC_STATUS_MESSAGE_MAX : 20)
#define NRPC_RX_MIN 20

/* What gzip may add to n bytes: its head and tail, 5 bytes for each 16 KB that are stored as they
 * are. */
#define NRPC_COMPRESSION_ROOM(n) (NRPC_COMPRESSION ? 32 + (n) / 2048 : 0)

/* A call's number of the application's own: a pointer's width, 32 bits at least. */
#if UINTPTR_MAX < UINT32_MAX
typedef uint32_t nrpc_user_number;
#else
typedef uintptr_t nrpc_user_number;
#endif

/* --- Compilers ---------------------------------------------------------------------------- */

/* Where GCC's -Os inlines a function that is called once and pays for it in spilled registers. */
#if NRPC_FAST
#define NRPC_NOINLINE
#else
#define NRPC_NOINLINE __attribute__((noinline))
#endif

/* C99 has no _Static_assert; GCC and Clang have it as an extension. glibc hides theirs
 * behind a macro that does not show the text: not being followed by a parenthesis at once
 * keeps that away. */
#define NRPC_NOTHING_
#ifdef __cplusplus
#define NRPC_STATIC_ASSERT(condition, text) static_assert(condition, text)
#define NRPC_BEGIN_C extern "C" {
#define NRPC_END_C }
#else
#define NRPC_BEGIN_C
#define NRPC_END_C
#define NRPC_STATIC_ASSERT(condition, text) \
    __extension__ _Static_assert NRPC_NOTHING_(condition, text)
#endif

/* --- Ranges ------------------------------------------------------------------------------- */

NRPC_STATIC_ASSERT(NRPC_MAX_STREAMS >= 1 && NRPC_MAX_STREAMS <= 1024, "NRPC_MAX_STREAMS: 1..1024");
NRPC_STATIC_ASSERT(NRPC_RX_BLOCKS >= 1 && NRPC_RX_BLOCKS <= 64, "NRPC_RX_BLOCKS: 1..64");
NRPC_STATIC_ASSERT(NRPC_HPACK_ENTRIES >= 0 && NRPC_HPACK_ENTRIES <= 128 &&
                       (NRPC_HPACK_ENTRIES & (NRPC_HPACK_ENTRIES - 1)) == 0,
                   "NRPC_HPACK_ENTRIES: 0, 1, 2, 4 .. 128");
NRPC_STATIC_ASSERT(NRPC_HEADER_LIST_MAX >= 1024 && NRPC_HEADER_LIST_MAX <= 65535,
                   "NRPC_HEADER_LIST_MAX: 1024..65535");
NRPC_STATIC_ASSERT(NRPC_HEADER_BLOCK_MAX >= 1024 && NRPC_HEADER_BLOCK_MAX <= 65535,
                   "NRPC_HEADER_BLOCK_MAX: 1024..65535");
NRPC_STATIC_ASSERT(NRPC_STATUS_MESSAGE_MAX >= 9 && NRPC_STATUS_MESSAGE_MAX <= 126,
                   "NRPC_STATUS_MESSAGE_MAX: 9..126");
NRPC_STATIC_ASSERT(NRPC_METADATA_BYTES == 0 ||
                       (NRPC_METADATA_BYTES >= 64 && NRPC_METADATA_BYTES <= 8192 &&
                        (NRPC_METADATA_BYTES & (NRPC_METADATA_BYTES - 1)) == 0),
                   "NRPC_METADATA_BYTES: 0, or a power of two 64..8192");
NRPC_STATIC_ASSERT(NRPC_GLITCHES_MAX >= 8 && NRPC_GLITCHES_MAX <= 250, "NRPC_GLITCHES_MAX: 8..250");
NRPC_STATIC_ASSERT(NRPC_HEADER_BYTES_PER_SECOND == 0 || (NRPC_HEADER_BYTES_PER_SECOND >= 4096 &&
                                                         NRPC_HEADER_BYTES_PER_SECOND <= 16777216),
                   "NRPC_HEADER_BYTES_PER_SECOND: 0, or 4096..16777216");
NRPC_STATIC_ASSERT(NRPC_PINGS_MAX >= 3 && NRPC_PINGS_MAX <= 250, "NRPC_PINGS_MAX: 3..250");
NRPC_STATIC_ASSERT(NRPC_REQUEST_TIMEOUT_MS == 0 ||
                       (NRPC_REQUEST_TIMEOUT_MS >= 1000 && NRPC_REQUEST_TIMEOUT_MS <= 86400000),
                   "NRPC_REQUEST_TIMEOUT_MS: 0, or 1000..86400000");
NRPC_STATIC_ASSERT(NRPC_YIELD_MS >= 0 && NRPC_YIELD_MS <= 14400000, "NRPC_YIELD_MS: 0..14400000");

/* A connection's times have 16 bits of 256 ms, 4.6 hours: none may be missed by a tick. */
NRPC_STATIC_ASSERT(NRPC_STALL_TIMEOUT_MS >= 1000 && NRPC_STALL_TIMEOUT_MS <= 3600000,
                   "NRPC_STALL_TIMEOUT_MS: 1000..3600000");
NRPC_STATIC_ASSERT(NRPC_MAX_AGE_MS == 0 || (NRPC_MAX_AGE_MS >= 1000 && NRPC_MAX_AGE_MS <= 14400000),
                   "NRPC_MAX_AGE_MS: 0, or 1000..14400000");
NRPC_STATIC_ASSERT(NRPC_MAX_IDLE_MS == 0 ||
                       (NRPC_MAX_IDLE_MS >= 1000 && NRPC_MAX_IDLE_MS <= 14400000),
                   "NRPC_MAX_IDLE_MS: 0, or 1000..14400000");
NRPC_STATIC_ASSERT(NRPC_KEEPALIVE_MS == 0 ||
                       (NRPC_KEEPALIVE_MS >= 1000 && NRPC_KEEPALIVE_MS <= 7200000),
                   "NRPC_KEEPALIVE_MS: 0, or 1000..7200000");
NRPC_STATIC_ASSERT(NRPC_WARN_MS >= 1000 && NRPC_WARN_MS <= 14400000,
                   "NRPC_WARN_MS: 1000..14400000");
NRPC_STATIC_ASSERT(NRPC_DRAIN_MS >= 1000 && NRPC_DRAIN_MS <= 14400000,
                   "NRPC_DRAIN_MS: 1000..14400000");

#endif
