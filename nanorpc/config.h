/* nanorpc/config.h - every limit of an image: unit, range, and the RAM that it costs.
 * Layer: core. Override any of them with -DNAME=VALUE, or all of them in one file that
 * -DNRPC_CONFIG_H='"my_config.h"' names.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_CONFIG_H
#define NANORPC_CONFIG_H

#ifdef NRPC_CONFIG_H
#include NRPC_CONFIG_H
#endif

/* The RAM formula, checked by `make size` (32-bit targets):
 *   image      = connections * ( connection + NRPC_MAX_STREAMS * blocks ) + scratch
 *   connection = 220 + NRPC_MAX_STREAMS * 52 + NRPC_HPACK_ENTRIES * 8 + NRPC_METADATA_BYTES
 *   blocks     = NRPC_RX_BLOCKS * (5 + largest request, 20 at least) + (5 + largest reply
 *                + NRPC_STATUS_MESSAGE_MAX) + NRPC_METADATA_BYTES + NRPC_COMPRESSION_ROOM of both
 *   scratch    = largest decoded request + largest decoded reply, once an image;
 *                + 1 + largest request with NRPC_COMPRESSION */

/* Calls that one connection may have open. SETTINGS_MAX_CONCURRENT_STREAMS.
 * Streams, 1..1024. RAM: 52 bytes and two message blocks each, a connection. */
#ifndef NRPC_MAX_STREAMS
#define NRPC_MAX_STREAMS 4
#endif

/* Receive blocks of a stream, in a row: so many bytes may be on their way, or wait for a handler;
 * speed is them / round trip, see docs/limits.md. Blocks, 1..64. RAM: as many a stream. */
#ifndef NRPC_RX_BLOCKS
#define NRPC_RX_BLOCKS 1
#endif

/* 1: messages, and receive blocks in a row, may have more than 65000 bytes. RAM: 8 a stream. */
#ifndef NRPC_LARGE_MESSAGES
#define NRPC_LARGE_MESSAGES 0
#endif

/* Entries of the HPACK decoding table, 0 or a power of two up to 128; SETTINGS_HEADER_TABLE_SIZE is
 * 32 times it. 128 is what a client may use before it has read our SETTINGS (RFC 7541: 4096); with
 * fewer, one that does gets GOAWAY(COMPRESSION_ERROR). RAM: 8 bytes each, a connection. */
#ifndef NRPC_HPACK_ENTRIES
#define NRPC_HPACK_ENTRIES 128
#endif

/* Decoded size of a request's header list (RFC 9113 10.5.1: name + value + 32 a field); more is
 * answered with 431. Bytes, 1024..65535. No RAM. grpc-go fails calls locally below 8 KiB. */
#ifndef NRPC_HEADER_LIST_MAX
#define NRPC_HEADER_LIST_MAX 8192
#endif

/* Encoded bytes of one header block, over all its CONTINUATION frames. A longer one is decoded as
 * well, and answered with 431; each frame of it is a glitch. Bytes, 1024..65535. No RAM. */
#ifndef NRPC_HEADER_BLOCK_MAX
#define NRPC_HEADER_BLOCK_MAX 16384
#endif

/* Longest status message (grpc-message) on the wire: a byte for printable ASCII other than %, three
 * for the rest; cut at a character's start. Bytes, 9..126. RAM: as many a stream. */
#ifndef NRPC_STATUS_MESSAGE_MAX
#define NRPC_STATUS_MESSAGE_MAX 48
#endif

/* Metadata of a call: the values of registered request keys, and the fields that handlers add to
 * the response, together: a request value takes 3 + its bytes, a response field 8 + name + value as
 * it goes out; more ends the call with RESOURCE_EXHAUSTED. And what a connection keeps of such
 * values in the HPACK table. 0, or a power of two 64..8192. RAM: as many a stream, and a
 * connection. */
#ifndef NRPC_METADATA_BYTES
#define NRPC_METADATA_BYTES 0
#endif

/* 1: gzip and deflate, requests and responses, see compression.h. 0: a compressed request is
 * answered with UNIMPLEMENTED. Costs 2.9 KB of flash on a Cortex-M3, and 1 KB of stack while a
 * message is inflated, before its handler is called. RAM: once an image a scratch of 1 + the
 * largest request; in each block NRPC_COMPRESSION_ROOM of its largest message; 4 a stream. */
#ifndef NRPC_COMPRESSION
#define NRPC_COMPRESSION 0
#endif

/* Glitches that a connection may have in hand before ENHANCE_YOUR_CALM ends it, and what a second
 * gives back; docs/wire.md, "Floods", says what is one. Count, 8..250. */
#ifndef NRPC_GLITCHES_MAX
#define NRPC_GLITCHES_MAX 200
#endif
#ifndef NRPC_GLITCHES_PER_SECOND
#define NRPC_GLITCHES_PER_SECOND 20
#endif

/* PINGs that are answered while no HEADERS or DATA go out; one more ends the connection with
 * ENHANCE_YOUR_CALM "too_many_pings"; a second forgives one, a reply all. Count, 3..250. */
#ifndef NRPC_PINGS_MAX
#define NRPC_PINGS_MAX 100
#endif

/* A connection is closed that keeps us waiting so long: for its preface and SETTINGS, the rest of a
 * frame or header block, or window or room to send in. Milliseconds to a second, 1000..3600000. */
#ifndef NRPC_STALL_TIMEOUT_MS
#define NRPC_STALL_TIMEOUT_MS 20000
#endif

/* A unary or server-streaming call whose request is not whole after so long, if in pieces: has not
 * begun, ends with UNAVAILABLE. Milliseconds to about a second, 1000..86400000; 0: never. */
#ifndef NRPC_REQUEST_TIMEOUT_MS
#define NRPC_REQUEST_TIMEOUT_MS 30000
#endif

/* A connection without a call for so long gives way when another client waits: docs/limits.md. Time
 * for a client's first request, with TLS. Milliseconds to about a second, 0..14400000. */
#ifndef NRPC_YIELD_MS
#define NRPC_YIELD_MS 2000
#endif

/* Until a client has read our SETTINGS it may send more than a call can hold, and is held back;
 * after so long that call ends with RESOURCE_EXHAUSTED. Milliseconds to about a second,
 * 1000..3600000. */
#ifndef NRPC_HOLD_TIMEOUT_MS
#define NRPC_HOLD_TIMEOUT_MS 5000
#endif

/* A connection older than this is shut down gracefully, see nrpc_conn_shutdown; or one that has had
 * no call for so long. Milliseconds to about a quarter of a second, 1000..14400000; 0: never. */
#ifndef NRPC_MAX_AGE_MS
#define NRPC_MAX_AGE_MS 0
#endif
#ifndef NRPC_MAX_IDLE_MS
#define NRPC_MAX_IDLE_MS 0
#endif

/* A peer from which nothing comes for so long is sent a PING, and closed NRPC_STALL_TIMEOUT_MS
 * later; on links of channels only while a call is open. Milliseconds, 1000..7200000; 0: no PINGs.
 */
#ifndef NRPC_KEEPALIVE_MS
#define NRPC_KEEPALIVE_MS 0
#endif

/* Graceful shutdown: until its PING is answered; until calls end. Milliseconds, 1000..14400000. */
#ifndef NRPC_WARN_MS
#define NRPC_WARN_MS 5000
#endif
#ifndef NRPC_DRAIN_MS
#define NRPC_DRAIN_MS 30000
#endif

/* 1: a message may be larger than its block by what does not count: fields that it does not have,
 * values that are overwritten. 0: it is refused. Flash: 630 bytes on a Cortex-M3. No RAM. */
#ifndef NRPC_SHRINK
#define NRPC_SHRINK 1
#endif

/* 1: the application defines nrpc_refused (call.h), which is told of each message that was refused,
 * and why; of a reply that does not encode, in which field. Flash: 320 bytes on a Cortex-M3. */
#ifndef NRPC_REFUSALS
#define NRPC_REFUSALS 0
#endif

/* 1: messages may come and go in pieces: streamed fields, reflection. Flash: 120 bytes beside. */
#ifndef NRPC_PIECES
#define NRPC_PIECES 0
#endif

/* 1: the image calls other servers as well (client.h). Flash: about 250 bytes on a Cortex-M3 beside
 * the client's files. RAM: 16 bytes a connection, and 4 bytes a stream, 8 without metadata. */
#ifndef NRPC_CLIENT
#define NRPC_CLIENT 0
#endif

/* 1: the usual frames and fields of a busy server take short cuts, for about 700 bytes of flash on
 * a Cortex-M3. RAM: 100 bytes a connection and 4 a stream. */
#ifndef NRPC_FAST
#define NRPC_FAST 0
#endif

/* Of header blocks, beyond the first 128 bytes of each: what a connection may send in a second; the
 * rest waits, so that decoding it leaves time to others. Bytes, 4096..16777216; 0: any. */
#ifndef NRPC_HEADER_BYTES_PER_SECOND
#if !NRPC_FAST
#define NRPC_HEADER_BYTES_PER_SECOND 65536
#else
#define NRPC_HEADER_BYTES_PER_SECOND 0
#endif
#endif

/* 1: servers and channels may have .tls: docs/tls.md. Flash: 4 bytes for each that has none. */
#ifndef NRPC_TLS
#define NRPC_TLS 0
#endif

/* 1: a function that is given a call that is over ends the program: nrpc_check_failed, ref.h. About
 * 200 instructions a call on x86-64; on a Cortex-M3 700 bytes of flash, RAM: up to 15 a stream. */
#ifndef NRPC_CHECKS
#if defined(__unix__) || defined(__APPLE__)
#define NRPC_CHECKS 1
#else
#define NRPC_CHECKS 0
#endif
#endif

#include "nanorpc/build.h" /* what follows from these, and whether they are within their ranges */
#include "nanorpc/same.h"  /* and whether all files of the image have the same */

#endif
