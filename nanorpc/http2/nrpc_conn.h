/* nanorpc/http2/nrpc_conn.h - the struct of a connection, and what its own files do to it. Public
 * only as memory: NRPC_SERVER_DEFINE makes arrays of it.
 * Layer: core; nanorpc.h includes it. Source: RFC 9113.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_HTTP2_CONN_H
#define NANORPC_HTTP2_CONN_H

#include "nanorpc/conn.h"
#include "nanorpc/hpack/nrpc_hpack.h"
#include "nanorpc/hpack/nrpc_respond.h"
#include "nanorpc/http2/nrpc_fields.h"
#include "nanorpc/http2/nrpc_frame.h"
#include "nanorpc/http2/nrpc_stream.h"
#include "nanorpc/server.h"

NRPC_BEGIN_C

struct nrpc_dial;

/* Time is kept in units of 256 ms, in 16 bits: these wrap after 4.6 hours, a tick is a second. */
enum { NRPC_TICK_SHIFT = 8 };

/* Places for frames in conn->control, bytes. Whoever finds it empty may add to it: one frame that
 * is received, and no further one is begun before that has left; the beginning of a link; the
 * ticks, but within a frame; nrpc_conn_transmit, which takes it out at once. What each adds at
 * most: */
enum {
    NRPC_PREFACE_BYTES = 24,
    NRPC_CONTROL_RESET = NRPC_FRAME_HEADER_BYTES + 4,
    NRPC_CONTROL_GOAWAY = NRPC_FRAME_HEADER_BYTES + 8,
    NRPC_CONTROL_PING = NRPC_FRAME_HEADER_BYTES + 8,
    NRPC_CONTROL_CALM = NRPC_CONTROL_GOAWAY + 14,     /* "too_many_pings" */
    NRPC_CONTROL_TABLE = NRPC_FRAME_HEADER_BYTES + 6, /* SETTINGS, of nrpc_request.c */
    NRPC_CONTROL_FRAME = (NRPC_METADATA_BYTES ? NRPC_CONTROL_TABLE : 0) + NRPC_CONTROL_RESET +
                         NRPC_CONTROL_GOAWAY,
    NRPC_CONTROL_SERVER = NRPC_FRAME_HEADER_BYTES + 3 * 6 + NRPC_CONTROL_GOAWAY, /* no preface */
    NRPC_CONTROL_CLIENT = NRPC_PREFACE_BYTES + NRPC_FRAME_HEADER_BYTES + 3 * 6,
    NRPC_CONTROL_FAREWELL = NRPC_CONTROL_GOAWAY + NRPC_CONTROL_PING,
    NRPC_CONTROL_MAX = 45 + 6 * NRPC_CLIENT
};
NRPC_STATIC_ASSERT(NRPC_CONTROL_FRAME <= NRPC_CONTROL_MAX &&
                       NRPC_CONTROL_CALM <= NRPC_CONTROL_MAX &&
                       NRPC_CONTROL_PING + NRPC_CONTROL_GOAWAY <= NRPC_CONTROL_MAX &&
                       NRPC_CONTROL_SERVER <= NRPC_CONTROL_MAX &&
                       NRPC_CONTROL_FAREWELL <= NRPC_CONTROL_MAX &&
                       (!NRPC_CLIENT || NRPC_CONTROL_CLIENT <= NRPC_CONTROL_MAX),
                   "conn->control");

/* 1, for tests, with AddressSanitizer: between the arrays of an open connection there are gaps that
 * nothing may touch, so that it sees an overflow within the struct; and assertions are checked. */
#ifndef NRPC_GAPS
#define NRPC_GAPS 0
#endif
#if NRPC_GAPS
enum { NRPC_GAP_BYTES = 16 };
#define NRPC_GAP(array) array##_gap[NRPC_GAP_BYTES],
#define NRPC_ASSERT(condition) ((condition) ? (void)0 : __builtin_trap())
void nrpc_conn_gaps(struct nrpc_conn *conn, int closed); /* closed: not to be touched */
#else
#define NRPC_GAP(array)
#define NRPC_ASSERT(condition) ((void)0)
#define nrpc_conn_gaps(conn, closed) ((void)0)
#endif

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
    NRPC_CONN_CALLS = 0x2000,  /* a client's: we open the streams */
    NRPC_CONN_HELD = 0x4000    /* what has come waits for call frame.id, which takes no more now */
};
/* No frame is begun before the next quarter of a second: decoded. */
#define NRPC_CONN_RESTS 0x8000u

/* What the next received byte belongs to. */
enum nrpc_conn_phase {
    NRPC_PHASE_PREFACE, /* the client's connection preface */
    NRPC_PHASE_HEAD,    /* a frame's header */
    NRPC_PHASE_GATHER,  /* a fixed part: pad length and priority, or a control frame */
    NRPC_PHASE_BODY,    /* data or a piece of a header block */
    NRPC_PHASE_SKIP     /* padding, and what is ignored */
};

#if NRPC_FAST
enum { NRPC_LAST_BLOCK_MAX = 64 };
struct nrpc_last_block { /* nrpc_last_block.h */
    struct nrpc_fields fields;
    uint8_t bytes; /* 0: none is remembered */
    uint8_t NRPC_GAP(block) block[NRPC_LAST_BLOCK_MAX];
};
#endif

struct nrpc_conn {           /* in the order of their sizes: so short instructions reach them */
    struct nrpc_frame frame; /* being read; length: what is left of it */
    uint8_t phase, have, need, pad;
    uint8_t pings, control_bytes;
    uint8_t block_flags; /* of the frame that began the block being read */
    struct nrpc_response_table table;
    uint16_t glitches; /* in parts: NRPC_GLITCH make one */
    uint16_t hint;     /* the slot used last */
    uint16_t decoded;  /* of header blocks in this quarter of a second, in 128 bytes */
    /* Times in ms / 256: when the stall began, when glitches were given back, when anything was
     * heard and taken, when the last call was open, when all began, when draining began. */
    uint16_t since, refilled, heard, idle, born, drained;
#if !NRPC_FAST
    uint16_t turn; /* the slot whose turn it is to send */
#endif
    uint32_t flags;
    uint32_t last_id;
    uint32_t block_id; /* the stream whose header block is being read; 0: none is, RFC 9113 6.10 */
    uint32_t block_bytes;
    int32_t send_window, recv_window;
    uint32_t peer_initial_window;
    const struct nrpc_server *server;
    uint8_t *blocks; /* of this connection's streams */
    uint32_t now_ms; /* as the port gave it last */
    uint32_t peer;   /* whose connection it is, for who decides which gives way: set by the port */
#if NRPC_MANY_CONNECTIONS
    uint32_t link; /* the port's, see nrpc_conn_stirred */
#endif
    /* Whose header list is being read: a client's open call; of a server the free slot that a new
     * request is to take. NULL: there is none, or these are a request's trailers. */
    struct nrpc_call *block_call;
#if NRPC_CLIENT
    const struct nrpc_method *indexed; /* whose path is in the server's HPACK table */
    uint32_t streams_refused;          /* UINT32_MAX less those that the server allows at once */
    uint8_t reset_code; /* of the reset that nrpc_stream_close is called for; 255: 255 or more */
    uint8_t calmed;     /* NRPC_KEEPALIVE_MS is doubled so often: dial.h */
#endif
#if NRPC_FAST
    struct nrpc_call *first, **last; /* the queue: its head, where to append */
#endif
    struct nrpc_fields fields; /* of the header list being read */
    uint8_t NRPC_GAP(gathered) gathered[NRPC_FRAME_HEADER_BYTES];
    uint8_t NRPC_GAP(control) control[NRPC_CONTROL_MAX]; /* frames of the connection's own */
#if NRPC_FAST
    struct nrpc_last_block last_block;
#endif
#if NRPC_GAPS
    uint8_t NRPC_GAP(hpack) hpack_gap_end;
#endif
    struct nrpc_hpack hpack;
#if NRPC_GAPS
    uint8_t NRPC_GAP(calls) calls_gap_end;
#endif
    struct nrpc_dial *dial;                   /* that opened the link, dial.h; NULL: the peer has */
    struct nrpc_call calls[NRPC_MAX_STREAMS]; /* last: not cleared when the connection is reused */
#if NRPC_MANY_STREAMS
    uint32_t open[(NRPC_MAX_STREAMS + 31) / 32]; /* nor is this: nrpc_stream_from's, a bit a slot */
#endif
};

extern const char nrpc_conn_preface[NRPC_PREFACE_BYTES + 1]; /* the client's, RFC 9113 3.4 */

/* Appends a frame to conn->control; returns where its payload goes. Who may do this, and when:
 * NRPC_CONTROL_MAX. */
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

/* Takes one from the peer's bucket of glitches, or so many parts of one; an empty one is a
 * connection error. What any peer sends, but none sends much of, costs parts: a frame one, and one
 * for each 256 bytes that are read over. */
enum { NRPC_GLITCH = 8, NRPC_GLITCH_BYTES_SHIFT = 8 };
void nrpc_conn_glitch(struct nrpc_conn *conn);
void nrpc_conn_charge(struct nrpc_conn *conn, uint32_t parts);

/* In a new quarter of a second: ends NRPC_CONN_RESTS. */
void nrpc_conn_rested(struct nrpc_conn *conn, uint16_t now);

/* Gives parts of glitches back. */
static inline void nrpc_conn_forgive(struct nrpc_conn *conn, unsigned parts)
{
    conn->glitches = (uint16_t)(conn->glitches > parts ? conn->glitches - parts : 0);
}

NRPC_END_C

#endif
