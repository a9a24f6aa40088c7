/* tests/unit/wire.h - a client's bytes, to a fresh connection in many ways; its answers as text.
 * Layer: test. Source: RFC 9113, RFC 7541, gRPC over HTTP2.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_H
#define WIRE_H

#include "nanorpc/conn.h"
#include "raw_service.h"
#include "test.h"

/* A test writes down what a client sends, then says what must come back:
 *
 *   wire_begin(&raw_server);                 preface and empty SETTINGS
 *   wire_request(1, "/test.Raw/Echo", 0);
 *   wire_message(1, "hi", NRPC_END_STREAM);
 *   wire_expect("1: [200 grpc] 'hi' [status=0] END");
 *
 * wire_expect runs it whole, a byte at a time, cut at each position, and in random pieces with
 * random turns to send; with several sizes of room to transmit; each time on a fresh connection.
 *
 * The text: of the connection "acks=2" (when they are not one), "ping(0102030405060708)",
 * "window+N" and "goaway(LAST,CODE)"; then of each stream, by id, "ID:" and its frames: [fields of
 * HEADERS] (":status" as its value, "grpc" for content-type application/grpc, of requests "POST",
 * "http", the path and "@AUTHORITY", "status=", "message=", others NAME=VALUE), messages in quotes
 * (\\0a: a byte that is no text), longer than 32 bytes as <BYTES>, begun ones as <HAVE/BYTES>,
 * compressed ones inflated after "gzip" or "deflate", END, rst(CODE). DATA frames are joined.
 * RST_STREAM(NO_ERROR), window updates and handlers' events only on demand. In an expected text *
 * stands for anything up to what follows it. One that begins with "goaway" is compared with the
 * GOAWAY frame alone: what else had been sent by then depends on how the input was cut. */
enum {
    WIRE_INPUT = TEST_SIZE(1 << 17, 4000),
    WIRE_OUTPUT = TEST_SIZE(1 << 18, 3000),
    WIRE_MARKS = 64,
    WIRE_BLOCK = TEST_SIZE(1 << 16, 2048)
};

enum wire_show {
    WIRE_NO_ERROR = 1, /* rst(NO_ERROR) */
    WIRE_WINDOWS = 2,  /* window+SUM, of the connection and of each stream */
    WIRE_EVENTS = 4    /* after a stream's frames {m2 m3 h c1}: its handler's events */
};

typedef void wire_action(void);

/* For clients: what opens the link in the place of nrpc_server_accept; what is told at the end of
 * the text. */
typedef struct nrpc_conn *wire_link(uint32_t now_ms);
typedef const char *wire_log(void);

struct wire {
    const struct nrpc_server *server;
    wire_link *link; /* NULL: the server accepts; wire_begin_bare sets it so */
    wire_log *log;
    struct nrpc_conn *conn; /* while it runs, for actions */
    uint32_t now_ms;
    unsigned show;
    unsigned table_bytes; /* SETTINGS_HEADER_TABLE_SIZE that the client has sent, at first 4096 */
    unsigned n_settings, table_from; /* SETTINGS frames so far; which of them gave table_bytes */
    uint32_t frame_max;              /* SETTINGS_MAX_FRAME_SIZE that the client has sent last */
    int is_blocked;                  /* nothing is transmitted: an action sets it, and clears it */
    size_t room;                     /* with which it is transmitted */
    size_t n_in, n_out, n_fed, n_marks, n_block; /* n_fed: by wire_feed_all */
    struct {
        size_t at;
        wire_action *action;
    } marks[WIRE_MARKS];
    uint8_t in[WIRE_INPUT], out[WIRE_OUTPUT], block[WIRE_BLOCK];
};
extern struct wire wire;

/* --- What the client sends ---------------------------------------------------------------- */
void wire_begin(const struct nrpc_server *server);       /* with preface and empty SETTINGS */
void wire_begin_acked(const struct nrpc_server *server); /* ... and it has acknowledged ours */
void wire_begin_bare(const struct nrpc_server *server);  /* with nothing */
void wire_preface(void);
void wire_bytes(const void *bytes, size_t n);
void wire_frame(unsigned type, unsigned flags, uint32_t id, const void *payload, size_t n);
void wire_number(unsigned type, uint32_t id, uint32_t value); /* RST_STREAM, WINDOW_UPDATE */
void wire_ping(const char *eight);
void wire_setting(unsigned id, uint32_t value); /* a SETTINGS frame with one setting */
void wire_priority(uint32_t id, uint32_t depends_on);
void wire_goaway(uint32_t last, uint32_t code);

/* Header blocks: fields are gathered, then sent. */
void wire_field(const char *name, const char *value); /* literal, without indexing */
void wire_block(const void *bytes, size_t n);         /* representations as they are */
void wire_request_fields(const char *path);           /* the usual ones */
void wire_headers(uint32_t id, unsigned flags);       /* HEADERS with END_HEADERS */
void wire_headers_in_pieces(uint32_t id, unsigned flags, size_t piece); /* then CONTINUATION */
void wire_request(uint32_t id, const char *path, unsigned flags);

void wire_data(uint32_t id, const void *data, size_t n, unsigned flags);
void wire_padded_data(uint32_t id, const void *data, size_t n, unsigned pad, unsigned flags);
void wire_message(uint32_t id, const char *text, unsigned flags); /* one DATA frame, with prefix */
void wire_long_message(uint32_t id, size_t n, unsigned flags);    /* of n pattern bytes */
/* One whose one field is this text, of at most 125 bytes. */
void wire_text_message(uint32_t id, unsigned field, const char *text, unsigned flags);

/* At this point all is transmitted that can be, then the action is taken. NULL: none. */
void wire_do(wire_action *action);

/* --- What comes back ---------------------------------------------------------------------- */
void wire_expect(const char *text);

/* One run, whole. Its output stands in wire.out, its text is returned. */
const char *wire_run_once(void);

/* By hand: a connection that stays. */
void wire_open(void);
size_t wire_feed(const void *bytes, size_t n); /* one nrpc_conn_receive, at a guard page */
int wire_feed_all(void); /* the rest of wire.in, in turn with wire_pump; 0: it is stuck */
void wire_pump(void);    /* transmits until there is nothing more */
void wire_close(void);   /* nrpc_conn_lost, and checks that every call has ended */

/* The text of wire.out so far. */
const char *wire_text(void);

#endif
