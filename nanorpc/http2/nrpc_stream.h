/* nanorpc/http2/nrpc_stream.h - a call, which is a stream's slot in its connection.
 * Layer: core; include nrpc_conn.h. Applications use nanorpc.h instead. Source: RFC 9113 5.1.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_STREAM_H
#define NANORPC_STREAM_H

#include <stdint.h>

#include "nanorpc/call.h"

NRPC_BEGIN_C

struct nrpc_conn;

/* A stream is open, then ends on our side and on the client's (RX_END), in any order. A slot is
 * free when OPEN is off; it keeps its id and RX_END until it is taken again, so that late frames
 * are told apart. Flags that are tested together stand in the low byte. */
enum nrpc_call_flag {
    NRPC_CALL_OPEN = 0x01,
    NRPC_CALL_RX_END = 0x02,      /* the client has sent END_STREAM */
    NRPC_CALL_REQUESTED = 0x04,   /* a request was delivered; bidi: none is needed */
    NRPC_CALL_HALF_CLOSED = 0x08, /* the half-close was delivered */
    NRPC_CALL_FINISHED = 0x10,    /* status is set: no handler is called any more */
    NRPC_CALL_HELD = 0x20,        /* the handler wants no further request until woken */
    NRPC_CALL_ASLEEP = 0x40,      /* NAME_next wants not to be asked until woken */
    NRPC_CALL_TX = 0x80,          /* the transmit block holds a message */
    NRPC_CALL_HEADERS = 0x100,    /* response headers have been sent */
    NRPC_CALL_HTTP = 0x200,       /* answered in plain HTTP; tx holds the body */
    NRPC_CALL_QUEUED = 0x400,     /* in the connection's queue of calls that may have output */
    NRPC_CALL_ENCODINGS = 0x800,  /* trailers say which grpc-accept-encoding we have */
    /* Of messages in pieces: */
    NRPC_CALL_TAKING = NRPC_PIECES * 0x1000,    /* the codec has taken a part of a message */
    NRPC_CALL_PRODUCING = NRPC_PIECES * 0x2000, /* it makes the rest of one; without TX: not now */
    NRPC_CALL_ENDING = NRPC_PIECES * 0x4000     /* then the call ends well */
};
/* Of a call that we make: its clock has not begun, begun_ms is of no meaning. */
#define NRPC_CALL_NEW (NRPC_CLIENT * 0x8000u)

/* A server's call has all that it needs of its client, or is a stream, on which either side may be
 * silent. */
enum { NRPC_CALL_ENGAGED = NRPC_CALL_REQUESTED | NRPC_CALL_TAKING | NRPC_CALL_FINISHED };

/* The handler must not be called now: it has finished, or its last answer has not left. */
enum { NRPC_CALL_BUSY = NRPC_CALL_FINISHED | NRPC_CALL_HELD | NRPC_CALL_TX };

/* Added to the kind of a method that we call, client.h. It is said from this side:
 * NRPC_CLIENT_STREAM where the server's messages are a stream. */
enum { NRPC_CALLER = NRPC_CLIENT * 0x80 };

/* A place in a message block; NRPC_SERVER_DEFINE checks that the blocks are within it. */
#if NRPC_LARGE_MESSAGES
typedef uint32_t nrpc_block_size;
#else
typedef uint16_t nrpc_block_size;
#endif

/* tx block: the message being sent (prefix and all). rx block: bytes of the request stream, from a
 * message's prefix on, that could not be delivered when they came. */
#if NRPC_CHECKS && UINTPTR_MAX <= UINT32_MAX
#define NRPC_CALL_ALIGNED_ __attribute__((aligned(16))) /* room for a mark, see nrpc_call_out */
#else
#define NRPC_CALL_ALIGNED_
#endif
struct NRPC_CALL_ALIGNED_ nrpc_call { /* small fields first: the shortest instructions reach them */
#if NRPC_FAST
    struct nrpc_call *next; /* in the queue */
#endif
    uint32_t generation; /* another number for each call that has had the slot */
    uint16_t slot;       /* own place in calls[] */
    uint16_t flags;
#if NRPC_METADATA_BYTES
    uint16_t metadata_used; /* of its block */
#endif
#if NRPC_CLIENT       /* of a call that we make: */
    uint8_t client;   /* a set of enum nrpc_client_flag */
    uint8_t trailers; /* 0: they have not come; else 1 + nrpc_fields.grpc_status */
#endif
    uint8_t status;         /* this and what follows is zero in a new call */
    uint8_t message_length; /* of the status message */
#if NRPC_COMPRESSION
    uint8_t compression; /* enum nrpc_compression_flag */
#endif
    nrpc_block_size rx_have;
    nrpc_block_size tx_length, tx_sent; /* tx_length 0: the block is free, NRPC_CALL_TX is off */
    uint32_t id;
    const struct nrpc_method *method;
    int32_t send_window, recv_window; /* RFC 9113 6.9; may be negative */
    uint32_t body_left;               /* of content-length; UINT32_MAX: none was given */
    uint32_t begun_ms, timeout_ms;    /* timeout_ms: NRPC_NO_DEADLINE, or after begun_ms */
    uint32_t rx_drop; /* the message in the receive block has been made smaller: 1 + the next bytes
                         of it that are dropped; 0: it has not */
#if NRPC_CLIENT
    const struct nrpc_events *events; /* of a call that we make */
#endif
    union nrpc_user user;
};

/* With NRPC_CHECKS the application's pointers to calls bear a mark of the generation, so that those
 * of calls that are over are known: out puts it there, wherever a call is given to the application;
 * each function that the application may give one to begins with NRPC_CALL_IN(call), which takes it
 * away. Pointers without a mark are ours, and pass. over: the application was told for the last
 * time of the call that had this generation. */
#if NRPC_CHECKS
struct nrpc_call *nrpc_call_out(struct nrpc_call *call);
struct nrpc_call *nrpc_call_in(const void *handle, const char *function);
void nrpc_call_over(struct nrpc_call *call, uint32_t generation);
#define NRPC_CALL_IN(call) ((call) = nrpc_call_in(call, __func__))
#else
#define nrpc_call_out(call) (call)
#define nrpc_call_over(call, generation) ((void)(generation))
#define NRPC_CALL_IN(call) ((void)(call))
#endif

struct nrpc_conn *nrpc_call_conn(const struct nrpc_call *call);
uint8_t *nrpc_call_rx(const struct nrpc_call *call);
uint32_t nrpc_call_rx_free(const struct nrpc_call *call); /* bytes of it that may be used now */
uint8_t *nrpc_call_tx(const struct nrpc_call *call);
uint8_t *nrpc_call_message(const struct nrpc_call *call);
uint8_t *nrpc_call_metadata_block(const struct nrpc_call *call);
uint8_t *nrpc_call_tx_end(const struct nrpc_call *call);

/* The slot that has this id, open or not, or NULL. */
struct nrpc_call *nrpc_stream_find(struct nrpc_conn *conn, uint32_t id);

/* The free slot that is to be taken next, all zero but for what the queue needs; NULL when
 * NRPC_MAX_STREAMS are open. It stays free until it is opened. */
struct nrpc_call *nrpc_stream_vacant(struct nrpc_conn *conn);
void nrpc_stream_open(struct nrpc_call *call, uint32_t id);

/* The first slot from this one on that may have an open call: of NRPC_MANY_STREAMS one that does,
 * or has had; NRPC_MAX_STREAMS: there is none. opened: this one has; to be said by who sets
 * NRPC_CALL_OPEN. To go over the open calls, whatever happens to them meanwhile:
 *     for (unsigned i = 0; (i = nrpc_stream_from(conn, i)) < NRPC_MAX_STREAMS; i++) */
#if NRPC_MANY_STREAMS
unsigned nrpc_stream_from(const struct nrpc_conn *conn, unsigned slot);
void nrpc_stream_opened(struct nrpc_call *call);
#else
#define nrpc_stream_from(conn, slot) (slot)
#define nrpc_stream_opened(call) ((void)(call))
#endif

/* Frees the slot. When its handler has not finished it is told why, for the only time; then the
 * interceptors are told that the call is over. */
void nrpc_stream_close(struct nrpc_call *call, enum nrpc_status why);

/* Calls that may have output are sent in turn. With NRPC_FAST they stand in a queue; without it,
 * where streams are few, nrpc_conn_transmit asks each of them. */
#if NRPC_FAST || NRPC_MANY_CONNECTIONS
void nrpc_stream_queue(struct nrpc_call *call);
struct nrpc_call *nrpc_stream_unqueue(struct nrpc_conn *conn);
#else
static inline void nrpc_stream_queue(struct nrpc_call *call)
{
    (void)call;
}
#endif

NRPC_END_C

#endif
