/* nanorpc/http2/nrpc_conn.c - the receiving side of a connection: frames and what they do.
 * Layer: core. Source: RFC 9113 3.4, 4 to 6.
 * SPDX-License-Identifier: Apache-2.0 */
#define NRPC_SAME_TOLD_HERE
#include "nanorpc/http2/nrpc_conn.h"

#include <string.h>

#include "nanorpc/http2/nrpc_last_block.h"
#include "nanorpc/http2/nrpc_role.h"

enum { PRIORITY_BYTES = 5, SETTING_BYTES = 6 };
#define WINDOW_MAX INT32_MAX

const char nrpc_conn_preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/* Most functions here return the connection error that they have found, NRPC_H2_NO_ERROR for none;
 * a stream error is dealt with where it is found. */
typedef unsigned h2_error; /* enum nrpc_h2_error */

/* --- Errors ------------------------------------------------------------------------------- */

/* The call of a stream that has not ended on both sides. One that only we have ended keeps nothing
 * of what comes, but that is looked at until the peer's end, for as long as the slot is not taken
 * again. */
static struct nrpc_call *find_alive(struct nrpc_conn *conn, uint32_t id)
{
    struct nrpc_call *call = nrpc_stream_find(conn, id);
    return call && (call->flags & (NRPC_CALL_OPEN | NRPC_CALL_RX_END)) != NRPC_CALL_RX_END ? call
                                                                                           : NULL;
}

/* The stream has been reset. by_peer: NRPC_CALL_RX_END, it must send nothing more on it; or 0. A
 * glitch, unless it is the end of a call that has been answered, or has been open for a while: an
 * honest client may give up all of its calls at once. */
enum { A_WHILE_MS = 1000 };
static void cancel(struct nrpc_conn *conn, uint32_t id, unsigned by_peer, uint32_t code)
{
    struct nrpc_call *call = find_alive(conn, id);
    uint32_t parts = NRPC_GLITCH;
    if (call) {
        if ((call->flags & NRPC_CALL_HEADERS) || conn->now_ms - call->begun_ms >= A_WHILE_MS) {
            parts = 0;
        }
        nrpc_role_reset(conn, code);
        call->flags |= (uint16_t)by_peer;
        call->body_left = UINT32_MAX;
        if (call->flags & NRPC_CALL_OPEN) {
            nrpc_stream_close(call, NRPC_CANCELLED);
        }
    }
    nrpc_conn_charge(conn, parts);
}

void nrpc_conn_reset(struct nrpc_conn *conn, uint32_t id, enum nrpc_h2_error code)
{
    nrpc_put32(nrpc_conn_control(conn, 4, NRPC_TYPE_FLAGS(NRPC_RST_STREAM, 0), id), code);
    cancel(conn, id, 0, code);
}

/* A stream's id or an increment, after its reserved bit. */
static uint32_t get31(const uint8_t *p)
{
    return nrpc_get32(p) & WINDOW_MAX;
}

/* RFC 9113 5.1: nobody has used this stream yet. */
static int is_idle(const struct nrpc_conn *conn, uint32_t id)
{
    return id > conn->last_id || !(id & 1);
}

/* --- Control frames ----------------------------------------------------------------------- */

/* What all streams may have waited for has moved their windows by delta, RFC 9113 6.9.2. */
static h2_error move_windows(struct nrpc_conn *conn, int32_t delta)
{
    for (unsigned i = 0; (i = nrpc_stream_from(conn, i)) < NRPC_MAX_STREAMS; i++) {
        struct nrpc_call *call = &conn->calls[i];
        if (call->flags & NRPC_CALL_OPEN) {
            if (delta > 0 && call->send_window > WINDOW_MAX - delta) {
                return NRPC_H2_FLOW_CONTROL_ERROR;
            }
            call->send_window += delta;
            nrpc_stream_queue(call);
        }
    }
    return NRPC_H2_NO_ERROR;
}

static h2_error setting(struct nrpc_conn *conn, unsigned id, uint32_t value)
{
    uint32_t before = conn->peer_initial_window;
    if (id == NRPC_INITIAL_WINDOW_SIZE) {
        if (value > WINDOW_MAX) {
            return NRPC_H2_FLOW_CONTROL_ERROR;
        }
        conn->peer_initial_window = value;
        return move_windows(conn, (int32_t)(value - before));
    }
    if (id == NRPC_HEADER_TABLE_SIZE) {
        nrpc_response_table_limit(&conn->table, value);
    } else if (id == NRPC_MAX_CONCURRENT_STREAMS) {
        nrpc_role_limit(conn, value);
        return NRPC_CLIENT ? move_windows(conn, 0) : NRPC_H2_NO_ERROR;
    } else if ((id == NRPC_MAX_FRAME_SIZE && (value < NRPC_FRAME_MAX || value > 0xffffff)) ||
               (id == NRPC_ENABLE_PUSH && value > !nrpc_role_calls(conn))) {
        return NRPC_H2_PROTOCOL_ERROR; /* RFC 9113 6.5.2: a server may only say 0 to push */
    }
    return NRPC_H2_NO_ERROR;
}

static h2_error window_update(struct nrpc_conn *conn, uint32_t id, int32_t increment)
{
    int32_t *window = &conn->send_window;
    if (id) {
        struct nrpc_call *call = find_alive(conn, id);
        if (!call) {
            return NRPC_H2_NO_ERROR;
        }
        window = &call->send_window;
    }
    if (increment == 0 || *window > WINDOW_MAX - increment) {
        h2_error code = increment ? NRPC_H2_FLOW_CONTROL_ERROR : NRPC_H2_PROTOCOL_ERROR;
        if (!id) {
            return code;
        }
        nrpc_conn_reset(conn, id, code);
        return NRPC_H2_NO_ERROR;
    }
    int opened = NRPC_FAST && *window <= 0; /* somebody may have waited for it */
    *window += increment;
    return opened ? move_windows(conn, 0) : NRPC_H2_NO_ERROR;
}

/* p: the pad length and the priority, as far as the frame has them. */
static h2_error prefix(struct nrpc_conn *conn, const uint8_t *p)
{
    if (conn->frame.flags & NRPC_PADDED) {
        conn->pad = *p++;
    }
    if (conn->need >= PRIORITY_BYTES && get31(p) == conn->frame.id) {
        nrpc_fields_malformed(&conn->fields); /* depends on itself, RFC 7540 5.3.1 */
    }
    conn->phase = NRPC_PHASE_BODY;
    return conn->pad > conn->frame.length ? NRPC_H2_PROTOCOL_ERROR : NRPC_H2_NO_ERROR;
}

/* p: the payload of a control frame, or one setting, or what begins a body. */
static h2_error control(struct nrpc_conn *conn, const uint8_t *p)
{
    uint32_t id = conn->frame.id;
    switch (conn->frame.type) {
    case NRPC_DATA:
    case NRPC_HEADERS: return prefix(conn, p);
    case NRPC_PRIORITY:
        nrpc_conn_glitch(conn);
        if (get31(p) == id) { /* depends on itself, RFC 7540 5.3.1 */
            nrpc_conn_reset(conn, id, NRPC_H2_PROTOCOL_ERROR);
        }
        break;
    case NRPC_RST_STREAM: cancel(conn, id, NRPC_CALL_RX_END, nrpc_get32(p)); break;
    case NRPC_SETTINGS: return setting(conn, (unsigned)p[0] << 8 | p[1], nrpc_get32(p + 2));
    case NRPC_WINDOW_UPDATE: return window_update(conn, id, (int32_t)get31(p));
    case NRPC_GOAWAY:
        conn->phase = NRPC_PHASE_SKIP; /* the debug data */
        nrpc_role_goaway(conn, get31(p), nrpc_get32(p + 4));
        break;
    default: /* PING */
        if (!(conn->frame.flags & NRPC_ACK)) {
            if (++conn->pings > NRPC_PINGS_MAX) {
                return NRPC_H2_ENHANCE_YOUR_CALM;
            }
            memcpy(nrpc_conn_control(conn, 8, NRPC_TYPE_FLAGS(NRPC_PING, NRPC_ACK), 0), p, 8);
        } else if (*p && (conn->flags & NRPC_CONN_WARNED)) {
            conn->flags |= NRPC_CONN_READ;
        }
        break;
    }
    return NRPC_H2_NO_ERROR;
}

static h2_error begin_settings(struct nrpc_conn *conn)
{
    if (!(conn->frame.flags & NRPC_ACK)) {
        nrpc_conn_charge(conn, NRPC_GLITCH - 1); /* beside what the frame costs */
        return NRPC_H2_NO_ERROR;
    }
    conn->flags |= NRPC_CONN_ACKED; /* from here on windows are what our memory can hold */
    nrpc_hpack_acked(&conn->hpack);
    return conn->frame.length ? NRPC_H2_FRAME_SIZE_ERROR : NRPC_H2_NO_ERROR;
}

/* --- DATA, HEADERS, CONTINUATION ---------------------------------------------------------- */

/* What is no part of an open call is cheap to send. */
static NRPC_NOINLINE void charge_frame(struct nrpc_conn *conn)
{
    nrpc_conn_charge(conn, 1 + (conn->frame.length >> NRPC_GLITCH_BYTES_SHIFT));
}

/* A call's window is what its block can hold, from when the client has our SETTINGS; until then
 * the connection's window bounds it, and what does not fit has to wait. */
static h2_error begin_data(struct nrpc_conn *conn)
{
    const struct nrpc_frame *frame = &conn->frame;
    struct nrpc_call *call = nrpc_stream_find(conn, frame->id);
    conn->recv_window -= (int32_t)frame->length;
    if (conn->recv_window < 0) {
        return NRPC_H2_FLOW_CONTROL_ERROR;
    }
    if (call && (call->flags & NRPC_CALL_RX_END)) {
        if (nrpc_role_calls(conn)) {
            return NRPC_H2_STREAM_CLOSED;
        }
        nrpc_conn_reset(conn, frame->id, NRPC_H2_STREAM_CLOSED);
        return NRPC_H2_NO_ERROR;
    }
    if (call && (call->flags & NRPC_CALL_OPEN)) {
        call->recv_window -= (int32_t)frame->length;
        if (frame->length && call->recv_window < 0 && (conn->flags & NRPC_CONN_ACKED) &&
            !(call->flags & NRPC_CALL_FINISHED)) { /* of which nothing is kept */
            nrpc_conn_reset(conn, frame->id, NRPC_H2_FLOW_CONTROL_ERROR);
            return NRPC_H2_NO_ERROR;
        }
        if (frame->length == 0 && !(frame->flags & NRPC_END_STREAM)) {
            nrpc_conn_glitch(conn);
        }
    } else { /* we have ended it early: this was on its way, RFC 9113 5.1 "closed" */
        charge_frame(conn);
    }
    conn->phase = NRPC_PHASE_BODY;
    return NRPC_H2_NO_ERROR;
}

static h2_error begin_headers(struct nrpc_conn *conn)
{
    uint32_t id = conn->frame.id;
    struct nrpc_call *call = nrpc_stream_find(conn, id);
    if (!call) {
        if ((id <= conn->last_id) != nrpc_role_calls(conn) || !(id & 1)) {
            return NRPC_H2_PROTOCOL_ERROR;
        }
        if (!nrpc_role_calls(conn)) { /* a GOAWAY for what its headers are is not to say "retry" */
            conn->last_id = id;
        }
    } else if (call->flags & NRPC_CALL_RX_END) {
        /* A client's call may end a turn later. */
        if (!(call->flags & NRPC_CALL_OPEN) || nrpc_role_calls(conn)) {
            return NRPC_H2_STREAM_CLOSED;
        }
        nrpc_conn_reset(conn, id, NRPC_H2_STREAM_CLOSED);
    }
    conn->block_id = id;
    conn->block_flags = conn->frame.flags;
    conn->block_bytes = 0;
    if (nrpc_role_calls(conn)) {
        conn->block_call = call && (call->flags & NRPC_CALL_OPEN) ? call : NULL;
    } else {
        conn->block_call = call ? NULL : nrpc_stream_vacant(conn);
    }
    nrpc_fields_begin(&conn->fields);
    nrpc_hpack_begin(&conn->hpack);
    return NRPC_H2_NO_ERROR;
}

/* Decoding is work, whatever comes of it: a glitch for each KB of a block that is full, as much as
 * a message that we answer gives back. One that is over the limit is decoded to its end as well, so
 * that the table stays right and the other calls go on, but its own call is refused; each frame is
 * one glitch more. So a flood of CONTINUATION frames, empty ones too, ends here (CVE-2024-27316).
 * And long blocks take time from other connections: they have a rate. */
static void begin_block(struct nrpc_conn *conn)
{
    const unsigned most = NRPC_HEADER_BYTES_PER_SECOND / 4 >> 7; /* 0: any */
    uint32_t before = conn->block_bytes,
             now = before + conn->frame.length + NRPC_FRAME_HEADER_BYTES;
    uint32_t parts = ((now >> 10) - (before >> 10)) * NRPC_GLITCH;
    conn->block_bytes = now;
    conn->phase = NRPC_PHASE_BODY;
    /* A frame adds 129 at most, and then none is begun: the counter cannot wrap. */
    conn->decoded = (uint16_t)(conn->decoded + (now >> 7) - (before >> 7));
    if (most && conn->decoded >= most) {
        conn->flags |= NRPC_CONN_RESTS | NRPC_CONN_TIMER; /* the next tick is to be soon */
    }
    if (now > NRPC_HEADER_BLOCK_MAX) {
        nrpc_fields_too_large(&conn->fields);
        parts += NRPC_GLITCH;
    }
    nrpc_conn_charge(conn, parts);
}

/* Where a body begins with a pad length, or priority, these are gathered first. */
static h2_error begin_body(struct nrpc_conn *conn)
{
    const struct nrpc_frame *frame = &conn->frame;
    conn->need = frame->flags & NRPC_PADDED ? 1 : 0;
    if (frame->type == NRPC_HEADERS && (frame->flags & NRPC_HAS_PRIORITY)) {
        conn->need = (uint8_t)(conn->need + PRIORITY_BYTES);
    }
    if (conn->need && conn->phase == NRPC_PHASE_BODY) {
        conn->phase = NRPC_PHASE_GATHER;
        return frame->length < conn->need ? NRPC_H2_FRAME_SIZE_ERROR : NRPC_H2_NO_ERROR;
    }
    return NRPC_H2_NO_ERROR;
}

/* n bytes of the body, 0 to end a stream whose body had ended before its padding. Returns how many
 * of them must wait. */
static uint32_t data_body(struct nrpc_conn *conn, const uint8_t *data, uint32_t n)
{
    struct nrpc_call *call = find_alive(conn, conn->frame.id);
    int last = (conn->frame.flags & NRPC_END_STREAM) && conn->frame.length == 0;
    uint32_t left = 0;
    conn->flags &= ~(unsigned)NRPC_CONN_HELD;
    if (!call || (call->flags & NRPC_CALL_RX_END)) {
        return 0;
    }
    /* RFC 9113 8.1.1: the sum of the DATA payloads. */
    if (call->body_left != UINT32_MAX && (last ? n != call->body_left : n > call->body_left)) {
        nrpc_conn_reset(conn, call->id, NRPC_H2_PROTOCOL_ERROR);
        return 0;
    }
    if (last) {
        call->flags |= NRPC_CALL_RX_END;
    }
    if (call->flags & NRPC_CALL_OPEN) {
        left = nrpc_up_data(call, data, n);
        if (left) {
            conn->flags |= NRPC_CONN_HELD;
            call->flags &= (uint16_t)~NRPC_CALL_RX_END; /* it is still to come */
        }
    }
    if (call->body_left != UINT32_MAX) {
        call->body_left -= n - left;
    }
    return left;
}

/* Of a registered key. */
static void take_value(struct nrpc_conn *conn)
{
    nrpc_fields_note_text(&conn->fields);
    if (conn->block_call) {
        nrpc_fields_fault(&conn->fields, nrpc_up_value(conn->block_call, &conn->hpack));
    }
}

static NRPC_NOINLINE h2_error decode_block(struct nrpc_conn *conn, const uint8_t *data, uint32_t n)
{
    const uint8_t *end = data + n;
    int field;
    while ((field = nrpc_hpack_decode(&conn->hpack, &data, end)) > 0) {
        nrpc_fields_take(&conn->fields, &conn->hpack);
        if (NRPC_METADATA_BYTES && conn->hpack.token >= NRPC_T_KEY) {
            take_value(conn);
        }
    }
    return field < 0 ? NRPC_H2_COMPRESSION_ERROR : NRPC_H2_NO_ERROR;
}

static h2_error block_body(struct nrpc_conn *conn, const uint8_t *data, uint32_t n)
{
    if (nrpc_last_block_is(conn, data, n)) {
        return NRPC_H2_NO_ERROR;
    }
    h2_error code = decode_block(conn, data, n);
    nrpc_last_block_keep(conn, data, n);
    return code;
}

/* --- Frames ------------------------------------------------------------------------------- */

/* What each type of frame must be. Low bits: payload bytes that are gathered, then looked at. */
enum { BYTES = 0x0f, ON_STREAM = 0x10, ON_CONNECTION = 0x20, NOT_IDLE = 0x40, EXACT = 0x80 };
static const uint8_t rules[] = {
    [NRPC_DATA] = ON_STREAM | NOT_IDLE,
    [NRPC_HEADERS] = ON_STREAM,
    [NRPC_PRIORITY] = ON_STREAM | PRIORITY_BYTES,
    [NRPC_RST_STREAM] = ON_STREAM | NOT_IDLE | EXACT | 4,
    [NRPC_SETTINGS] = ON_CONNECTION | SETTING_BYTES,
    [NRPC_PUSH_PROMISE] = ON_STREAM | ON_CONNECTION, /* never from a client */
    [NRPC_PING] = ON_CONNECTION | EXACT | 8,
    [NRPC_GOAWAY] = ON_CONNECTION | 8,
    [NRPC_WINDOW_UPDATE] = NOT_IDLE | EXACT | 4,
    [NRPC_CONTINUATION] = ON_STREAM,
};

static h2_error begin_by_type(struct nrpc_conn *conn, unsigned rule)
{
    const struct nrpc_frame *frame = &conn->frame;
    h2_error code = NRPC_H2_NO_ERROR;
    conn->need = rule & BYTES;
    switch (frame->type) {
    case NRPC_HEADERS: code = begin_headers(conn); break;
    case NRPC_DATA: code = begin_data(conn); break;
    case NRPC_CONTINUATION: begin_block(conn); return NRPC_H2_NO_ERROR;
    case NRPC_PRIORITY:
        if (frame->length != PRIORITY_BYTES) {
            nrpc_conn_reset(conn, frame->id, NRPC_H2_FRAME_SIZE_ERROR);
            return NRPC_H2_NO_ERROR;
        }
        conn->phase = NRPC_PHASE_GATHER;
        return NRPC_H2_NO_ERROR;
    case NRPC_GOAWAY:
        conn->phase = NRPC_PHASE_GATHER;
        return frame->length < 8 ? NRPC_H2_FRAME_SIZE_ERROR : NRPC_H2_NO_ERROR;
    case NRPC_SETTINGS: code = begin_settings(conn); /* fall through */
    default: conn->phase = NRPC_PHASE_GATHER; return code;
    }
    if (!code && frame->type == NRPC_HEADERS) {
        begin_block(conn);
    }
    return code ? code : begin_body(conn);
}

static h2_error begin_frame(struct nrpc_conn *conn)
{
    const struct nrpc_frame *frame = &conn->frame;
    unsigned type = frame->type;
    conn->phase = NRPC_PHASE_SKIP;
    conn->pad = 0;
    if (frame->length > NRPC_FRAME_MAX) {
        return NRPC_H2_FRAME_SIZE_ERROR;
    }
    if (conn->block_id ? type != NRPC_CONTINUATION || frame->id != conn->block_id
                       : type == NRPC_CONTINUATION) {
        return NRPC_H2_PROTOCOL_ERROR;
    }
    if (!(conn->flags & NRPC_CONN_GREETED) &&
        (type != NRPC_SETTINGS || (frame->flags & NRPC_ACK))) {
        return NRPC_H2_PROTOCOL_ERROR; /* RFC 9113 3.4 */
    }
    if (type >= NRPC_SETTINGS && type != NRPC_CONTINUATION) {
        charge_frame(conn);
    }
    if (type >= sizeof rules) {
        return NRPC_H2_NO_ERROR; /* RFC 9113 5.5: ignored */
    }
    unsigned rule = rules[type];
    if (frame->id ? rule & ON_CONNECTION || (rule & NOT_IDLE && is_idle(conn, frame->id))
                  : rule & ON_STREAM) {
        return NRPC_H2_PROTOCOL_ERROR;
    }
    if (rule & EXACT && frame->length != (rule & BYTES)) {
        return NRPC_H2_FRAME_SIZE_ERROR;
    }
    return begin_by_type(conn, rule);
}

static h2_error end_block(struct nrpc_conn *conn)
{
    if (!(conn->frame.flags & NRPC_END_HEADERS)) {
        return NRPC_H2_NO_ERROR;
    }
    conn->block_id = 0;
    if (!nrpc_hpack_end(&conn->hpack)) {
        return NRPC_H2_COMPRESSION_ERROR;
    }
    nrpc_role_headers(conn);
    return NRPC_H2_NO_ERROR;
}

static NRPC_NOINLINE h2_error end_frame(struct nrpc_conn *conn)
{
    unsigned type = conn->frame.type;
    h2_error code = NRPC_H2_NO_ERROR;
    if (conn->have) {
        return NRPC_H2_FRAME_SIZE_ERROR; /* a part of a setting */
    }
    conn->phase = NRPC_PHASE_HEAD;
    conn->need = NRPC_FRAME_HEADER_BYTES;
    if (type == NRPC_DATA) {
        data_body(conn, NULL, 0);
    } else if (type == NRPC_HEADERS || type == NRPC_CONTINUATION) {
        code = end_block(conn);
    } else if (type == NRPC_SETTINGS && !(conn->frame.flags & NRPC_ACK)) {
        conn->flags |= NRPC_CONN_GREETED;
        if (NRPC_FAST) {
            (void)move_windows(conn, 0); /* a client's calls may have waited for it */
        }
        nrpc_conn_control(conn, 0, NRPC_TYPE_FLAGS(NRPC_SETTINGS, NRPC_ACK), 0);
    }
    if (!conn->block_id) {
        conn->flags |= NRPC_CONN_RX_PROGRESS;
    }
    return code;
}

/* p: as many bytes as are needed. */
static NRPC_NOINLINE h2_error gathered(struct nrpc_conn *conn, const uint8_t *p)
{
    conn->have = 0;
    if (conn->phase == NRPC_PHASE_GATHER) {
        return control(conn, p);
    }
    nrpc_frame_read(&conn->frame, p);
    return begin_frame(conn);
}

static h2_error receive_preface(struct nrpc_conn *conn, uint8_t byte)
{
    if (byte != (uint8_t)nrpc_conn_preface[conn->have]) {
        return NRPC_H2_PROTOCOL_ERROR;
    }
    if (++conn->have == NRPC_PREFACE_BYTES) {
        conn->phase = NRPC_PHASE_HEAD;
        conn->need = NRPC_FRAME_HEADER_BYTES;
        conn->have = 0;
    }
    return NRPC_H2_NO_ERROR;
}

/* One that is here whole, no other frame being begun: grpcio sends two with each call. */
static int is_window_update(const struct nrpc_conn *conn, const uint8_t *p, size_t n)
{
    return conn->phase == NRPC_PHASE_HEAD && !conn->have && n >= NRPC_FRAME_HEADER_BYTES + 4 &&
           nrpc_get32(p) == (4u << 8 | NRPC_WINDOW_UPDATE) && !conn->block_id &&
           (conn->flags & NRPC_CONN_GREETED) && (!get31(p + 5) || !is_idle(conn, get31(p + 5)));
}

/* Takes the next bytes, as many as belong to one thing: *n of them, lowered to that; or to less, 0
 * too, where there is no place for them now. */
static h2_error receive_some(struct nrpc_conn *conn, const uint8_t *data, size_t *n)
{
    h2_error code = NRPC_H2_NO_ERROR;
    unsigned phase = conn->phase;
    uint32_t limit = conn->frame.length - conn->pad;
    if (phase == NRPC_PHASE_PREFACE) {
        *n = 1;
        return receive_preface(conn, *data);
    }
    if ((NRPC_FAST || NRPC_MANY_STREAMS) && is_window_update(conn, data, *n)) {
        *n = NRPC_FRAME_HEADER_BYTES + 4;
        conn->flags |= NRPC_CONN_RX_PROGRESS;
        nrpc_conn_charge(conn, 1);
        return window_update(conn, get31(data + 5), (int32_t)get31(data + NRPC_FRAME_HEADER_BYTES));
    }
    if (phase == NRPC_PHASE_BODY && limit == 0) { /* the padding begins */
        conn->phase = NRPC_PHASE_SKIP;
        phase = NRPC_PHASE_SKIP;
        limit = conn->pad;
        conn->pad = 0;
    }
    uint32_t missing = (uint32_t)conn->need - conn->have;
    if (phase == NRPC_PHASE_HEAD || (phase == NRPC_PHASE_GATHER && missing < limit)) {
        limit = missing;
    }
    uint32_t used = *n < limit ? (uint32_t)*n : limit;
    *n = (size_t)used;
    conn->frame.length -= used; /* of no meaning while it is itself being read */
    if (phase < NRPC_PHASE_BODY) {
        if (used != conn->need) { /* not all at once */
            memcpy(conn->gathered + conn->have, data, (size_t)used);
            data = conn->gathered;
        }
        conn->have = (uint8_t)(conn->have + used);
        code = used == missing ? gathered(conn, data) : NRPC_H2_NO_ERROR;
    } else if (phase == NRPC_PHASE_BODY && conn->frame.type == NRPC_DATA) {
        uint32_t left = data_body(conn, data, used);
        conn->frame.length += left;
        *n = (size_t)(used - left);
    } else if (phase == NRPC_PHASE_BODY) {
        code = block_body(conn, data, used);
    }
    if (!code && conn->phase > NRPC_PHASE_HEAD && conn->frame.length == 0) {
        code = end_frame(conn);
    }
    return code;
}

size_t nrpc_conn_receive(struct nrpc_conn *conn, const void *data, size_t n, uint32_t now_ms)
{
    size_t used = 0;
    uint16_t now = (uint16_t)(now_ms >> NRPC_TICK_SHIFT);
    conn->now_ms = now_ms;
    nrpc_conn_rested(conn, now);
    while (!(conn->flags & NRPC_CONN_DEAD)) {
        size_t some = n - used;
        /* No frame is begun whose answer there might be no place for. */
        if (!some || (conn->phase == NRPC_PHASE_HEAD &&
                      (conn->control_bytes || (conn->flags & NRPC_CONN_RESTS)))) {
            return used;
        }
        h2_error code = receive_some(conn, (const uint8_t *)data + used, &some);
        used += some;
        if (code) {
            nrpc_conn_error(conn, code);
        }
        if (!some) {
            return used; /* there is no place for it */
        }
        conn->heard = now;
    }
    return n;
}
