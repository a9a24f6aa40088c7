/* nanorpc/conn.h - one HTTP/2 connection: bytes in, bytes out, time as an argument.
 * Layer: core; for ports. Source: RFC 9113.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_CONN_H
#define NANORPC_CONN_H

#include "nanorpc/http2/nrpc_frame.h"
#include "nanorpc/hpack/nrpc_hpack.h"
#include "nanorpc/nanorpc.h"
#include "nanorpc/hpack/nrpc_respond.h"
#include "nanorpc/http2/nrpc_stream.h"

NRPC_BEGIN_C

struct nrpc_dial;
struct nrpc_server;

/* A port drives a connection like this, and does nothing else with it:
 *
 *   conn = nrpc_server_accept(server, now)          a peer has connected
 *   used = nrpc_conn_receive(conn, data, n, now)    bytes came; keep what was not used
 *   n = nrpc_conn_transmit(conn, buf, room)         after each receive, each tick, and whenever
 *                                                   the transport has room again: until it gives 0,
 *                                                   or others' turn has come; then go on soon
 *   if what receive left over is still there and transmit made progress: receive it again
 *   if (nrpc_conn_closing(conn)) close the link once the transmitted bytes are out
 *   next = nrpc_conn_tick(conn, now)                after at most `next` ms
 *   nrpc_conn_lost(conn)                            always, once the link is gone or closed
 *
 * One context at a time: nothing here locks. Handlers run inside receive, transmit and lost. */

/* Consumes received bytes, all at once where it can; data is borrowed for the call.
 * now_ms: the clock given to nrpc_server_accept. Returns how many bytes were used, 0..n. Fewer than
 * n: an answer must be transmitted first; give the rest again after nrpc_conn_transmit made
 * progress. After the connection has ended everything is used and ignored. */
size_t nrpc_conn_receive(struct nrpc_conn *conn, const void *data, size_t n, uint32_t now_ms);

/* Writes the next bytes to send into buf: whole frames, made on demand. Bytes that were given must
 * be sent, in order. room: bytes; with NRPC_TRANSMIT_MIN or more it always makes progress when
 * there is anything to send. Returns the bytes written; 0: nothing to send, or too little room. */
size_t nrpc_conn_transmit(struct nrpc_conn *conn, void *buf, size_t room);

/* Checks the timers. Returns the milliseconds after which to call again, 1..1000. */
uint32_t nrpc_conn_tick(struct nrpc_conn *conn, uint32_t now_ms);

/* 1: since the last nrpc_conn_tick a call has come with a deadline, which may be sooner than what
 * that returned: call it again now. To be asked after nrpc_conn_receive. */
static inline int nrpc_conn_timer_set(const struct nrpc_conn *conn);

/* 1: the connection has ended and all its bytes have been handed out; send them and close. */
int nrpc_conn_closing(const struct nrpc_conn *conn);

/* The link is gone: cancels every open call (NRPC_UNAVAILABLE) and frees the connection for
 * nrpc_server_accept. */
void nrpc_conn_lost(struct nrpc_conn *conn);

/* Ends the connection gracefully: GOAWAY(2^31-1) and PING; once that is answered, or after
 * NRPC_WARN_MS, GOAWAY with the last call that was taken; closing when the open calls have
 * finished. What is still open after NRPC_DRAIN_MS ends with UNAVAILABLE. */
void nrpc_conn_shutdown(struct nrpc_conn *conn);

/* --- The rest is the core's own ----------------------------------------------------------- */

/* Time is kept in units of 256 ms, in 16 bits: they wrap after 4.6 hours, ticks come each second.
 */
enum { NRPC_TICK_SHIFT = 8 };

/* RST_STREAM, and GOAWAY with the longest debug data; or what a client's link begins with. */
enum {
    NRPC_PREFACE_BYTES = 24,
    NRPC_CONTROL_MAX = NRPC_PREFACE_BYTES + NRPC_FRAME_HEADER_BYTES + 12 + 6 * NRPC_CLIENT
};

/* In nrpc_request.odd: there were values of keys. */
#define NRPC_HAS_KEYS (1u << 31)

/* In nrpc_request.fault: a value is to be sent again. */
enum { NRPC_FAULT_LOST = 0xff };

/* What is known of the request whose header block is being read. */
struct nrpc_request {
    uint32_t content_length; /* UINT32_MAX: none */
    uint32_t list_bytes; /* RFC 9113 10.5.1; a block's size keeps it from wrapping. Between blocks:
                          * the code of the reset that nrpc_stream_close is called for */
    uint16_t path;
    uint8_t fault; /* of its metadata: the status that it ends with, or NRPC_FAULT_LOST; the worst
                    */
    uint32_t timeout_ms; /* of a response: grpc-status; UINT32_MAX: none */
#if NRPC_COMPRESSION
    uint8_t encoding, accepted; /* sets of enum nrpc_encoding */
#endif
    uint32_t seen, odd; /* sets of tokens: 1 << token. odd: its value is not the expected one */
};

enum nrpc_conn_flag {
    NRPC_CONN_OPEN = 0x01,
    NRPC_CONN_ACKED = 0x02,   /* the peer has our SETTINGS */
    NRPC_CONN_GREETED = 0x04, /* the peer's first SETTINGS have come */
    NRPC_CONN_DRAIN = 0x08,   /* it is to end: the GOAWAY that warns has been, or is to be, sent */
    NRPC_CONN_GOAWAY = 0x10,  /* the last GOAWAY has been made: no new calls */
    NRPC_CONN_DEAD = 0x20,    /* a connection error: nothing but GOAWAY any more */
    NRPC_CONN_RX_PROGRESS = 0x40,
    NRPC_CONN_TX_PROGRESS = 0x80,
    NRPC_CONN_WARNED = 0x100,  /* the GOAWAY that warns has been made, and a PING behind it */
    NRPC_CONN_READ = 0x200,    /* the peer has read that, or has had the time to */
    NRPC_CONN_PINGED = 0x400,  /* a keepalive PING waits for any sign of life */
    NRPC_CONN_TIMER = 0x800,   /* a deadline has come: see nrpc_conn_timer_set */
    NRPC_CONN_LEAVES = 0x1000, /* a client's: the server takes no new calls */
    NRPC_CONN_CALLS = 0x2000   /* a client's: we open the streams */
};

/* What the next received byte belongs to. */
enum nrpc_conn_phase {
    NRPC_PHASE_PREFACE, /* the client's connection preface */
    NRPC_PHASE_HEAD,    /* a frame's header */
    NRPC_PHASE_GATHER,  /* a fixed part: pad length and priority, or a control frame */
    NRPC_PHASE_BODY,    /* data or a piece of a header block */
    NRPC_PHASE_SKIP     /* padding, and what is ignored */
};

#if NRPC_FAST
/* A client's requests to one method are, from the second on, the same few bytes: while the HPACK
 * table stays as it is, they mean the same. */
enum { NRPC_LAST_BLOCK_MAX = 64 };
struct nrpc_last_block {
    struct nrpc_request request;
    uint32_t generation; /* of the HPACK table */
    uint8_t bytes;       /* 0: none is remembered */
    uint8_t block[NRPC_LAST_BLOCK_MAX];
};
#endif

struct nrpc_conn {           /* what is used most first: the shortest instructions reach it */
    struct nrpc_frame frame; /* being read; length: what is left of it */
    uint8_t phase, have, need, pad;
    uint8_t glitches, pings, block_flags, control_bytes;
    uint16_t hint; /* the slot used last */
    uint32_t flags;
    uint32_t last_id;
    uint32_t block_id; /* the stream whose header block is being read; 0: none is, RFC 9113 6.10 */
    uint32_t block_bytes;
    int32_t send_window, recv_window;
    uint32_t peer_initial_window;
    const struct nrpc_server *server;
    uint8_t *blocks; /* of this connection's streams */
    uint32_t now_ms; /* as the port gave it last */
#if NRPC_CLIENT
    const struct nrpc_method *indexed; /* whose path is in the server's HPACK table */
    uint32_t streams_refused;          /* UINT32_MAX less those that the server allows at once */
#endif
#if NRPC_METADATA_BYTES
    struct nrpc_call *vacant; /* the slot that the header block being read will take, if any */
#endif
#if NRPC_FAST
    struct nrpc_call *first, **last; /* the queue: its head, where to append */
#else
    uint16_t turn; /* the slot whose turn it is to send */
#endif
    /* Times in ms / 256: when the stall began, when glitches were given back, when anything was
     * heard, when the last call was open, when all began (while draining: when that began). */
    uint16_t since, refilled, heard, idle, born;
    struct nrpc_response_table table;
    struct nrpc_request request;
    uint8_t gathered[NRPC_FRAME_HEADER_BYTES];
    uint8_t control[NRPC_CONTROL_MAX]; /* frames that answer the one being received */
#if NRPC_FAST
    struct nrpc_last_block last_block;
#endif
    struct nrpc_hpack hpack;
    struct nrpc_dial *dial;                   /* that opened the link, dial.h; NULL: the peer has */
    struct nrpc_call calls[NRPC_MAX_STREAMS]; /* the last: not cleared when the connection is used
                                                 again */
};

static inline int nrpc_conn_timer_set(const struct nrpc_conn *conn)
{
    return (conn->flags & NRPC_CONN_TIMER) != 0;
}

/* Appends a frame to conn->control; returns where its payload goes. One frame that is received
 * makes no more than RST_STREAM and GOAWAY, and no further one is begun before these have been
 * sent. */
uint8_t *nrpc_conn_control(struct nrpc_conn *conn, uint32_t length, unsigned type_flags,
                           uint32_t id);

/* GOAWAY. last_id: the last stream that we take. */
void nrpc_conn_goaway(struct nrpc_conn *conn, uint32_t last_id, enum nrpc_h2_error code);

/* Our PING. first: a byte of it by which its answer is known. */
void nrpc_conn_ping(struct nrpc_conn *conn, uint8_t first);

/* A connection error, RFC 9113 5.4.1: GOAWAY, then closing. */
void nrpc_conn_error(struct nrpc_conn *conn, enum nrpc_h2_error code);

/* A stream error, RFC 9113 5.4.2: RST_STREAM, and the end of the call if there is one. */
void nrpc_conn_reset(struct nrpc_conn *conn, uint32_t id, enum nrpc_h2_error code);

/* Takes one from the peer's bucket of glitches; an empty one is a connection error. */
void nrpc_conn_glitch(struct nrpc_conn *conn);

NRPC_END_C

#endif
