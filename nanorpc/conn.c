/* nanorpc/conn.c - the receiving side of a connection: frames and what they do.
 * Layer: core. Source: RFC 9113 3.4, 4 to 6.
 * SPDX-License-Identifier: Apache-2.0 */
#include "conn.h"

#include <string.h>

#include "grpc.h"
#include "request.h"

enum { PRIORITY_BYTES = 5, SETTING_BYTES = 6, WINDOW_MAX = 0x7fffffff };

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/* --- Errors ------------------------------------------------------------------------------- */

void nrpc_conn_error(struct nrpc_conn *conn, enum nrpc_h2_error code)
{
    if (!(conn->flags & NRPC_CONN_DEAD)) {
        conn->flags |= NRPC_CONN_DEAD | NRPC_CONN_GOAWAY_DUE;
        conn->error = (uint8_t)code;
    }
}

void nrpc_conn_glitch(struct nrpc_conn *conn)
{
    uint32_t seconds = (conn->now_ms - conn->refilled_ms) / 1000;
    if (seconds) {
        uint32_t back = seconds > NRPC_GLITCHES_MAX ? NRPC_GLITCHES_MAX : seconds * NRPC_GLITCHES_PER_SECOND;
        conn->refilled_ms = conn->now_ms;
        conn->glitches = (uint8_t)(conn->glitches > back ? conn->glitches - back : 0);
    }
    if (++conn->glitches >= NRPC_GLITCHES_MAX) {
        nrpc_conn_error(conn, NRPC_H2_ENHANCE_YOUR_CALM);
    }
}

void nrpc_conn_reset(struct nrpc_conn *conn, uint32_t id, enum nrpc_h2_error code)
{
    struct nrpc_call *call = nrpc_stream_find(conn, id);
    if (call && (call->flags & NRPC_CALL_OPEN)) {
        nrpc_stream_close(call, NRPC_CANCELLED);
    }
    nrpc_conn_glitch(conn);
    if (conn->n_resets < NRPC_RESETS_MAX) { /* always: must_wait has seen to it */
        conn->resets[conn->n_resets].id = id;
        conn->resets[conn->n_resets].code = code;
        conn->n_resets++;
    }
}

/* RFC 9113 5.1: nobody has used this stream yet. */
static int is_idle(const struct nrpc_conn *conn, uint32_t id)
{
    return id > conn->last_id || !(id & 1);
}

static struct nrpc_call *find_open(struct nrpc_conn *conn, uint32_t id)
{
    struct nrpc_call *call = nrpc_stream_find(conn, id);
    return call && (call->flags & NRPC_CALL_OPEN) ? call : NULL;
}

/* --- Control frames ----------------------------------------------------------------------- */

/* Moves every stream's window with the setting it came from, RFC 9113 6.9.2. */
static void set_initial_window(struct nrpc_conn *conn, uint32_t value)
{
    int32_t delta = (int32_t)(value - conn->peer_initial_window);
    if (value > WINDOW_MAX) {
        nrpc_conn_error(conn, NRPC_H2_FLOW_CONTROL_ERROR);
        return;
    }
    for (unsigned i = 0; i < NRPC_MAX_STREAMS; i++) {
        struct nrpc_call *call = &conn->calls[i];
        if ((call->flags & NRPC_CALL_OPEN) && delta > 0 && call->send_window > WINDOW_MAX - delta) {
            nrpc_conn_error(conn, NRPC_H2_FLOW_CONTROL_ERROR);
            return;
        }
        call->send_window += delta;
    }
    conn->peer_initial_window = value;
    nrpc_stream_queue_all(conn);
}

static void setting(struct nrpc_conn *conn, unsigned id, uint32_t value)
{
    switch (id) {
    case NRPC_HEADER_TABLE_SIZE: nrpc_response_table_limit(&conn->table, value); break;
    case NRPC_ENABLE_PUSH:
        if (value > 1) {
            nrpc_conn_error(conn, NRPC_H2_PROTOCOL_ERROR);
        }
        break;
    case NRPC_INITIAL_WINDOW_SIZE: set_initial_window(conn, value); break;
    case NRPC_MAX_FRAME_SIZE:
        if (value < NRPC_FRAME_MAX || value > 0xffffff) {
            nrpc_conn_error(conn, NRPC_H2_PROTOCOL_ERROR);
        }
        conn->peer_frame_max = value;
        break;
    default: break;
    }
}

/* The peer has our SETTINGS: from here on its windows are what our memory can hold. */
static void settings_acked(struct nrpc_conn *conn)
{
    if (conn->flags & NRPC_CONN_ACKED) {
        return;
    }
    conn->flags |= NRPC_CONN_ACKED;
    conn->hpack.limit = NRPC_HPACK_TABLE_BYTES;
    for (unsigned i = 0; i < NRPC_MAX_STREAMS; i++) {
        conn->calls[i].recv_window += (int32_t)conn->server->rx_bytes - NRPC_WINDOW_INITIAL;
    }
    nrpc_stream_queue_all(conn);
}

static void window_update(struct nrpc_conn *conn, uint32_t increment)
{
    uint32_t id = conn->frame.id;
    enum nrpc_h2_error code = increment ? NRPC_H2_FLOW_CONTROL_ERROR : NRPC_H2_PROTOCOL_ERROR;
    struct nrpc_call *call = NULL;
    int32_t *window = &conn->send_window;
    if (id) {
        call = find_open(conn, id);
        if (!call) {
            return;
        }
        window = &call->send_window;
    }
    int wrong = increment == 0 || *window > (int32_t)(WINDOW_MAX - increment);
    if (wrong && id) {
        nrpc_conn_reset(conn, id, code);
    } else if (wrong) {
        nrpc_conn_error(conn, code);
    } else {
        *window += (int32_t)increment;
        if (call) {
            nrpc_stream_queue(call);
        } else {
            nrpc_stream_queue_all(conn);
        }
    }
}

static void ping(struct nrpc_conn *conn)
{
    if (conn->frame.flags & NRPC_ACK) {
        return;
    }
    memcpy(conn->ping, conn->gathered, sizeof conn->ping);
    conn->flags |= NRPC_CONN_PING_DUE;
    if (++conn->pings > NRPC_PINGS_MAX) {
        nrpc_conn_error(conn, NRPC_H2_ENHANCE_YOUR_CALM);
    }
}

static void rst_stream(struct nrpc_conn *conn)
{
    struct nrpc_call *call = find_open(conn, conn->frame.id);
    if (call) {
        nrpc_stream_close(call, NRPC_CANCELLED);
        nrpc_conn_glitch(conn);
    }
}

/* The payload of a control frame (or one setting) stands in conn->gathered. */
static void control(struct nrpc_conn *conn)
{
    const uint8_t *p = conn->gathered;
    switch (conn->frame.type) {
    case NRPC_PRIORITY:
        nrpc_conn_glitch(conn);
        if ((nrpc_get32(p) & WINDOW_MAX) == conn->frame.id) { /* RFC 7540 5.3.1 */
            nrpc_conn_reset(conn, conn->frame.id, NRPC_H2_PROTOCOL_ERROR);
        }
        break;
    case NRPC_RST_STREAM: rst_stream(conn); break;
    case NRPC_SETTINGS: setting(conn, (unsigned)p[0] << 8 | p[1], nrpc_get32(p + 2)); break;
    case NRPC_PING: ping(conn); break;
    case NRPC_WINDOW_UPDATE: window_update(conn, nrpc_get32(p) & WINDOW_MAX); break;
    default: break; /* GOAWAY: the client opens no more streams, and that is all */
    }
}

static void begin_control(struct nrpc_conn *conn)
{
    static const uint8_t sizes[] = {0, 0, 5, 4, SETTING_BYTES, 0, 8, 8, 4};
    const struct nrpc_frame *frame = &conn->frame;
    int on_connection =
        frame->type == NRPC_SETTINGS || frame->type == NRPC_PING || frame->type == NRPC_GOAWAY;
    int ack = frame->type == NRPC_SETTINGS && (frame->flags & NRPC_ACK);
    uint32_t size = sizes[frame->type];
    if (frame->type == NRPC_WINDOW_UPDATE ? frame->id && is_idle(conn, frame->id)
                                          : on_connection != (frame->id == 0) ||
                                                (frame->type == NRPC_RST_STREAM && is_idle(conn, frame->id))) {
        nrpc_conn_error(conn, NRPC_H2_PROTOCOL_ERROR);
    } else if (frame->type == NRPC_PRIORITY && frame->length != size) {
        nrpc_conn_reset(conn, frame->id, NRPC_H2_FRAME_SIZE_ERROR);
    } else if (frame->type == NRPC_SETTINGS ? frame->length % SETTING_BYTES || (ack && frame->length)
               : frame->type == NRPC_GOAWAY ? frame->length < size
                                            : frame->length != size) {
        nrpc_conn_error(conn, NRPC_H2_FRAME_SIZE_ERROR);
    } else if (ack) {
        settings_acked(conn);
    } else {
        conn->phase = NRPC_PHASE_CONTROL;
        if (frame->type == NRPC_SETTINGS) {
            nrpc_conn_glitch(conn);
        }
    }
}

/* --- DATA, HEADERS, CONTINUATION ---------------------------------------------------------- */

static void begin_data(struct nrpc_conn *conn)
{
    const struct nrpc_frame *frame = &conn->frame;
    if (is_idle(conn, frame->id)) {
        nrpc_conn_error(conn, NRPC_H2_PROTOCOL_ERROR);
        return;
    }
    conn->recv_window -= (int32_t)frame->length;
    if (conn->recv_window < 0) {
        nrpc_conn_error(conn, NRPC_H2_FLOW_CONTROL_ERROR);
        return;
    }
    struct nrpc_call *call = nrpc_stream_find(conn, frame->id);
    if (call && (call->flags & NRPC_CALL_RX_END)) {
        nrpc_conn_reset(conn, frame->id, NRPC_H2_STREAM_CLOSED);
        return;
    }
    if (!call || !(call->flags & NRPC_CALL_OPEN)) {
        return; /* we have ended it early: this was on its way, RFC 9113 5.1 "closed" */
    }
    call->recv_window -= (int32_t)frame->length;
    if (call->recv_window < 0) {
        nrpc_conn_reset(conn, frame->id, NRPC_H2_FLOW_CONTROL_ERROR);
        return;
    }
    if (frame->length == 0 && !(frame->flags & NRPC_END_STREAM)) {
        nrpc_conn_glitch(conn);
    }
    conn->phase = NRPC_PHASE_BODY;
}

static void begin_headers(struct nrpc_conn *conn)
{
    uint32_t id = conn->frame.id;
    struct nrpc_call *call = nrpc_stream_find(conn, id);
    if (!(id & 1) || (!call && id <= conn->last_id)) {
        nrpc_conn_error(conn, NRPC_H2_PROTOCOL_ERROR);
        return;
    }
    if (call && (call->flags & NRPC_CALL_RX_END)) {
        if (!(call->flags & NRPC_CALL_OPEN)) {
            nrpc_conn_error(conn, NRPC_H2_STREAM_CLOSED);
            return;
        }
        nrpc_conn_reset(conn, id, NRPC_H2_STREAM_CLOSED);
    }
    conn->last_id = id > conn->last_id ? id : conn->last_id;
    conn->block_id = id;
    conn->block_flags = conn->frame.flags;
    conn->block_bytes = 0;
    nrpc_request_begin(&conn->request);
    nrpc_hpack_begin(&conn->hpack);
    conn->phase = NRPC_PHASE_BODY;
}

/* A flood of CONTINUATION frames, empty ones too, ends here (CVE-2024-27316). */
static void count_block(struct nrpc_conn *conn)
{
    uint32_t bytes = conn->block_bytes + conn->frame.length + NRPC_FRAME_HEADER_BYTES;
    if (bytes > NRPC_HEADER_BLOCK_MAX) {
        nrpc_conn_error(conn, NRPC_H2_ENHANCE_YOUR_CALM);
        return;
    }
    conn->block_bytes = (uint16_t)bytes;
    conn->phase = NRPC_PHASE_BODY;
}

/* How many bytes stand before the body: pad length, priority. */
static unsigned prefix_bytes(const struct nrpc_frame *frame)
{
    unsigned n = frame->type <= NRPC_HEADERS && (frame->flags & NRPC_PADDED) ? 1 : 0;
    return frame->type == NRPC_HEADERS && (frame->flags & NRPC_HAS_PRIORITY) ? n + PRIORITY_BYTES : n;
}

static void prefix(struct nrpc_conn *conn)
{
    const uint8_t *p = conn->gathered;
    if (conn->frame.flags & NRPC_PADDED) {
        conn->pad = *p++;
    }
    if (conn->pad > conn->frame.length) {
        nrpc_conn_error(conn, NRPC_H2_PROTOCOL_ERROR);
        return;
    }
    if (conn->frame.type == NRPC_HEADERS && (conn->frame.flags & NRPC_HAS_PRIORITY) &&
        (nrpc_get32(p) & WINDOW_MAX) == conn->frame.id) {
        nrpc_request_malformed(&conn->request); /* depends on itself, RFC 7540 5.3.1 */
    }
    conn->phase = NRPC_PHASE_BODY;
}

/* RFC 9113 8.1.1: content-length, where given, is the sum of the DATA payloads. */
static int counts_right(struct nrpc_call *call, uint32_t n, int last)
{
    if (call->body_left == UINT32_MAX) {
        return 1;
    }
    if (n > call->body_left || (last && n != call->body_left)) {
        return 0;
    }
    call->body_left -= n;
    return 1;
}

static void data_body(struct nrpc_conn *conn, const uint8_t *data, uint32_t n)
{
    struct nrpc_call *call = find_open(conn, conn->frame.id);
    int last = (conn->frame.flags & NRPC_END_STREAM) && conn->frame.length == 0;
    if (!call) {
        return;
    }
    if (!counts_right(call, n, last)) {
        nrpc_conn_reset(conn, call->id, NRPC_H2_PROTOCOL_ERROR);
        return;
    }
    if (last) {
        call->flags |= NRPC_CALL_RX_END;
    }
    nrpc_grpc_receive(call, data, n);
}

/* The next bytes of a header block. */
static void block_body(struct nrpc_conn *conn, const uint8_t *data, uint32_t n)
{
    const uint8_t *end = data + n;
    int field;
    while ((field = nrpc_hpack_decode(&conn->hpack, &data, end)) > 0) {
        nrpc_request_field(&conn->request, &conn->hpack);
    }
    if (field < 0) {
        nrpc_conn_error(conn, NRPC_H2_COMPRESSION_ERROR);
    }
}

/* --- Frames ------------------------------------------------------------------------------- */

static void end_block(struct nrpc_conn *conn)
{
    conn->flags &= ~(uint32_t)NRPC_CONN_IN_BLOCK;
    if (!(conn->frame.flags & NRPC_END_HEADERS)) {
        conn->flags |= NRPC_CONN_IN_BLOCK;
    } else if (!nrpc_hpack_end(&conn->hpack)) {
        nrpc_conn_error(conn, NRPC_H2_COMPRESSION_ERROR);
    } else {
        nrpc_request_end(conn);
    }
}

/* Padding, or nothing, followed the last of the data. */
static void end_data(struct nrpc_conn *conn)
{
    struct nrpc_call *call = find_open(conn, conn->frame.id);
    if (call && (conn->frame.flags & NRPC_END_STREAM) && !(call->flags & NRPC_CALL_RX_END)) {
        data_body(conn, NULL, 0);
    }
}

static void end_frame(struct nrpc_conn *conn)
{
    if (conn->flags & NRPC_CONN_DEAD) {
        return;
    }
    conn->phase = NRPC_PHASE_HEAD;
    conn->have = 0;
    switch (conn->frame.type) {
    case NRPC_DATA: end_data(conn); break;
    case NRPC_HEADERS:
    case NRPC_CONTINUATION: end_block(conn); break;
    case NRPC_SETTINGS:
        if (!(conn->frame.flags & NRPC_ACK)) {
            conn->flags |= NRPC_CONN_ACK_DUE | NRPC_CONN_GREETED;
        }
        break;
    default: break;
    }
    if (!(conn->flags & NRPC_CONN_IN_BLOCK)) {
        conn->flags |= NRPC_CONN_RX_PROGRESS;
    }
}

/* There is one place for each kind of answer; a frame whose answer would need it twice waits until
 * the first has been sent. */
static int must_wait(const struct nrpc_conn *conn)
{
    return conn->n_resets == NRPC_RESETS_MAX ||
           ((conn->flags & NRPC_CONN_PING_DUE) && conn->frame.type == NRPC_PING) ||
           ((conn->flags & NRPC_CONN_ACK_DUE) && conn->frame.type == NRPC_SETTINGS);
}

static void begin_frame(struct nrpc_conn *conn)
{
    const struct nrpc_frame *frame = &conn->frame;
    int in_block = conn->flags & NRPC_CONN_IN_BLOCK;
    conn->phase = NRPC_PHASE_SKIP;
    conn->have = conn->pad = 0;
    if (frame->length > NRPC_FRAME_MAX) {
        nrpc_conn_error(conn, NRPC_H2_FRAME_SIZE_ERROR);
    } else if (in_block ? frame->type != NRPC_CONTINUATION || frame->id != conn->block_id
                        : frame->type == NRPC_CONTINUATION || frame->type == NRPC_PUSH_PROMISE) {
        nrpc_conn_error(conn, NRPC_H2_PROTOCOL_ERROR);
    } else if (!(conn->flags & NRPC_CONN_GREETED) &&
               (frame->type != NRPC_SETTINGS || (frame->flags & NRPC_ACK))) {
        nrpc_conn_error(conn, NRPC_H2_PROTOCOL_ERROR); /* RFC 9113 3.4 */
    } else if (frame->type == NRPC_DATA) {
        begin_data(conn);
    } else if (frame->type == NRPC_HEADERS) {
        begin_headers(conn);
        count_block(conn);
    } else if (frame->type == NRPC_CONTINUATION) {
        count_block(conn);
    } else if (frame->type < NRPC_CONTINUATION) {
        begin_control(conn);
    }
    if (conn->phase == NRPC_PHASE_BODY && prefix_bytes(frame)) {
        conn->phase = NRPC_PHASE_PREFIX;
        if (frame->length < prefix_bytes(frame)) {
            nrpc_conn_error(conn, NRPC_H2_FRAME_SIZE_ERROR);
        }
    }
    if (frame->length == 0) {
        end_frame(conn);
    }
}

/* Copies towards `size` gathered bytes; sets *done when they are all there. */
static uint32_t gather(struct nrpc_conn *conn, const uint8_t *data, size_t n, unsigned size, int *done)
{
    uint32_t used = size - conn->have;
    used = n < used ? (uint32_t)n : used;
    memcpy(conn->gathered + conn->have, data, used);
    conn->have = (uint8_t)(conn->have + used);
    *done = conn->have == size;
    return used;
}

/* As much of the payload as is there, up to a limit within the frame. */
static uint32_t payload(struct nrpc_conn *conn, size_t n, uint32_t limit)
{
    uint32_t used = n < limit ? (uint32_t)n : limit;
    conn->frame.length -= used;
    return used;
}

static uint32_t receive_preface(struct nrpc_conn *conn, uint8_t byte)
{
    if (byte != (uint8_t)preface[conn->have]) {
        nrpc_conn_error(conn, NRPC_H2_PROTOCOL_ERROR);
    } else if (++conn->have == sizeof preface - 1) {
        conn->phase = NRPC_PHASE_HEAD;
        conn->have = 0;
    }
    return 1;
}

/* The next bytes of a frame, as many as belong to one thing. Returns how many that were. */
static uint32_t receive_some(struct nrpc_conn *conn, const uint8_t *data, size_t n)
{
    int done = 0;
    uint32_t used, size;
    switch (conn->phase) {
    case NRPC_PHASE_PREFACE: return receive_preface(conn, *data);
    case NRPC_PHASE_HEAD:
        used = gather(conn, data, n, NRPC_FRAME_HEADER_BYTES, &done);
        if (done) {
            nrpc_frame_read(&conn->frame, conn->gathered);
            conn->phase = NRPC_PHASE_BEGIN;
        }
        return used;
    case NRPC_PHASE_PREFIX:
        used = gather(conn, data, payload(conn, n, prefix_bytes(&conn->frame) - conn->have),
                      prefix_bytes(&conn->frame), &done);
        if (done) {
            prefix(conn);
        }
        break;
    case NRPC_PHASE_CONTROL:
        size = conn->frame.type == NRPC_SETTINGS ? SETTING_BYTES : conn->frame.type == NRPC_PRIORITY ? 5 : 4;
        size = conn->frame.type == NRPC_PING || conn->frame.type == NRPC_GOAWAY ? 8 : size;
        used = gather(conn, data, payload(conn, n, size - conn->have), size, &done);
        if (done) {
            conn->have = 0;
            conn->phase = conn->frame.type == NRPC_GOAWAY ? NRPC_PHASE_SKIP : NRPC_PHASE_CONTROL;
            control(conn);
        }
        break;
    case NRPC_PHASE_BODY:
        used = payload(conn, n, conn->frame.length - conn->pad);
        if (conn->frame.type == NRPC_DATA) {
            data_body(conn, data, used);
        } else {
            block_body(conn, data, used);
        }
        break;
    default: used = payload(conn, n, conn->frame.length); break;
    }
    if (conn->phase == NRPC_PHASE_BODY && conn->frame.length == conn->pad) {
        conn->phase = NRPC_PHASE_SKIP;
    }
    if (conn->frame.length == 0) {
        end_frame(conn);
    }
    return used;
}

size_t nrpc_conn_receive(struct nrpc_conn *conn, const void *data, size_t n, uint32_t now_ms)
{
    const uint8_t *p = data;
    size_t used = 0;
    conn->now_ms = now_ms;
    while (!(conn->flags & NRPC_CONN_DEAD)) {
        if (conn->phase == NRPC_PHASE_BEGIN) {
            if (must_wait(conn)) {
                return used;
            }
            begin_frame(conn);
        } else if (used == n) {
            return used;
        } else {
            used += receive_some(conn, p + used, n - used);
        }
    }
    return n;
}
