/* tests/unit/wire_text.c - what a server has sent, as a text; and whether it was right to send it.
 * Layer: test. Source: RFC 9113 4 to 6; RFC 7541; gRPC over HTTP2.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "nanorpc/grpc/nrpc_compress.h"
#include "wire.h"

enum {
    TEXT = TEST_SIZE(1 << 17, 2000),
    FIELDS = TEST_SIZE(1 << 17, 2000),
    NOTES = TEST_SIZE(8192, 300),
    TABLE = 8,
    FIELD = TEST_SIZE(700, 300)
};

/* One thing that a stream was sent. */
struct note {
    uint32_t id, type;
    const uint8_t *data; /* of DATA; of others, its text */
    size_t n;
    unsigned end;
};

static struct {
    char text[TEXT]; /* the answer */
    size_t n_text;
    char fields[FIELDS]; /* the notes' texts */
    size_t n_fields;
    struct note notes[NOTES];
    unsigned n_notes;
    char table[TABLE][FIELD]; /* HPACK's, newest first: the shown text */
    size_t sizes[TABLE], n_table, table_max;
    unsigned n_acks;
} t;

static void add(const char *text, size_t n)
{
    n = n < TEXT - 1 - t.n_text ? n : TEXT - 1 - t.n_text;
    memcpy(t.text + t.n_text, text, n);
    t.n_text += n;
    t.text[t.n_text] = 0;
}

static void add_text(const char *text)
{
    add(text, strlen(text));
}

static void add_number(uint64_t value)
{
    char digits[20];
    unsigned n = sizeof digits;
    do {
        digits[--n] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    add(digits + n, sizeof digits - n);
}

static void space(void)
{
    if (t.n_text) {
        add(" ", 1);
    }
}

static void add_code(uint32_t code)
{
    static const char *const names[] = {
        "NO_ERROR",
        "PROTOCOL_ERROR",
        "INTERNAL_ERROR",
        "FLOW_CONTROL_ERROR",
        "SETTINGS_TIMEOUT",
        "STREAM_CLOSED",
        "FRAME_SIZE_ERROR",
        "REFUSED_STREAM",
        "CANCEL",
        "COMPRESSION_ERROR",
        "CONNECT_ERROR",
        "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY",
        "HTTP_1_1_REQUIRED",
    };
    add_text(code < sizeof names / sizeof names[0] ? names[code] : "?");
}

static struct note *new_note(uint32_t id, uint32_t type)
{
    static struct note spare;
    struct note *note = CHECK(t.n_notes < NOTES) ? &t.notes[t.n_notes++] : &spare;
    note->id = id;
    note->type = type;
    note->n = 0;
    note->end = 0;
    return note;
}

/* --- Header blocks ------------------------------------------------------------------------ */

struct reader {
    const uint8_t *at, *end;
};

static unsigned number(struct reader *r, unsigned mask)
{
    unsigned value = *r->at++ & mask, shift = 0;
    if (value == mask) {
        do {
            value += (*r->at & 0x7fu) << shift;
            shift += 7;
        } while (CHECK(r->at < r->end) && *r->at++ & 0x80);
    }
    return value;
}

static size_t string(struct reader *r, char *to)
{
    CHECK(!(*r->at & 0x80)); /* we send no Huffman codes */
    size_t n = number(r, 0x7f);
    if (!CHECK(n <= (size_t)(r->end - r->at) && n < FIELD / 2)) {
        n = 0;
    }
    memcpy(to, r->at, n);
    to[n] = 0;
    r->at += n;
    return n;
}

/* Shortens what is usual. Returns the text's length. */
static size_t show_field(char *to, const char *name, const char *value)
{
    static const char *const shown[][2] = {
        {":status", ""}, {"grpc-status", "status="}, {"grpc-message", "message="},
        {":path", ""},   {":authority", "@"},
    };
    to[0] = 0;
    if (strcmp(name, "content-type") == 0 && strcmp(value, "application/grpc") == 0) {
        return strlen(strcpy(to, "grpc"));
    }
    for (unsigned i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        if (strcmp(name, shown[i][0]) == 0) {
            return strlen(strcat(strcpy(to, shown[i][1]), value));
        }
    }
    return strlen(strcat(strcat(strcpy(to, name), "="), value));
}

static void evict(size_t room)
{
    size_t used = 0;
    for (size_t i = 0; i < t.n_table; i++) {
        used += t.sizes[i];
        if (used > room) {
            t.n_table = i;
        }
    }
}

static void insert(const char *shown, size_t size)
{
    evict(size > t.table_max ? 0 : t.table_max - size);
    if (size > t.table_max || !CHECK(t.n_table < TABLE)) {
        return;
    }
    memmove(t.table[1], t.table[0], sizeof t.table[0] * (TABLE - 1));
    memmove(t.sizes + 1, t.sizes, sizeof t.sizes[0] * (TABLE - 1));
    strcpy(t.table[0], shown);
    t.sizes[0] = size;
    t.n_table++;
}

static const char *static_name(unsigned index)
{
    return index == 1                  ? ":authority"
           : index == 4                ? ":path"
           : index >= 8 && index <= 14 ? ":status"
           : index == 31               ? "content-type"
                                       : "?";
}

/* The names of dynamic entries are not known here any more: we do not use them. */
static void literal(struct reader *r, unsigned mask, char *shown)
{
    char name[FIELD / 2], value[FIELD / 2];
    unsigned kind = *r->at, index = number(r, mask);
    size_t n = index ? strlen(strcpy(name, static_name(index))) : string(r, name);
    n += string(r, value) + 32;
    CHECK(index <= 61);
    show_field(shown, name, value);
    if (kind & 0x40) {
        insert(shown, n);
    }
}

static void one_field(struct reader *r, int is_first, char *shown)
{
    static const char *const fixed[] = {"",    "",    "",    "POST", "",    "",    "http", "https",
                                        "200", "204", "206", "304",  "400", "404", "500"};
    unsigned first = *r->at;
    shown[0] = 0;
    if (first & 0x80) {
        unsigned index = number(r, 0x7f);
        if (index < sizeof fixed / sizeof fixed[0]) {
            CHECK(fixed[index][0]);
            strcpy(shown, fixed[index]);
        } else if (CHECK(index >= 62 && index - 62 < t.n_table)) {
            strcpy(shown, t.table[index - 62]);
        }
    } else if ((first & 0xe0) == 0x20) {
        CHECK(is_first); /* RFC 7541 4.2 */
        t.table_max = number(r, 0x1f);
        CHECK(t.table_max <= wire.table_bytes);
        evict(t.table_max);
    } else {
        literal(r, first & 0x40 ? 0x3f : 0x0f, shown);
    }
}

static void headers(uint32_t id, unsigned flags, const uint8_t *at, size_t n)
{
    struct reader r = {at, at + n};
    struct note *note = new_note(id, NRPC_HEADERS);
    CHECK_EQ(flags & ~(unsigned)NRPC_END_STREAM, NRPC_END_HEADERS);
    note->data = (const uint8_t *)t.fields + t.n_fields;
    note->end = flags & NRPC_END_STREAM;
    while (r.at < r.end && !test_has_failed()) {
        char shown[FIELD];
        one_field(&r, note->n == 0, shown);
        size_t length = strlen(shown);
        if (length && CHECK(t.n_fields + length + 1 < sizeof t.fields)) {
            memcpy(t.fields + t.n_fields, shown, length);
            t.fields[t.n_fields + length] = ' ';
            t.n_fields += length + 1;
            note->n += length + 1;
        }
    }
    note->n -= note->n != 0;
    if (t.n_acks >= wire.table_from) { /* RFC 7541 4.2: a smaller table is said first */
        CHECK(t.table_max <= wire.table_bytes);
    }
}

/* --- Frames ------------------------------------------------------------------------------- */

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* After the GOAWAY of an error no stream gets anything. */
static void check_alive(uint32_t type)
{
    for (unsigned i = 0; i < t.n_notes; i++) {
        CHECK(t.notes[i].type != NRPC_GOAWAY || get32(t.notes[i].data + 4) == 0 ||
              type > NRPC_HEADERS);
    }
}

/* After its END_STREAM a stream gets nothing but RST_STREAM or window, after RST_STREAM only
 * another one. */
static void check_order(uint32_t id, uint32_t type)
{
    for (unsigned i = t.n_notes; i-- > 0;) {
        if (t.notes[i].id == id && t.notes[i].type != NRPC_WINDOW_UPDATE) {
            int reset = t.notes[i].type == NRPC_RST_STREAM, ended = t.notes[i].end != 0;
            CHECK(!reset || type == NRPC_RST_STREAM);
            CHECK(!ended || type == NRPC_RST_STREAM || type == NRPC_WINDOW_UPDATE);
            return;
        }
    }
    CHECK(type == NRPC_HEADERS || type == NRPC_RST_STREAM || type == NRPC_WINDOW_UPDATE);
}

static void stream_frame(const uint8_t *p, size_t n, unsigned type, unsigned flags, uint32_t id)
{
    struct note *note;
    check_alive(type);
    check_order(id, type);
    if (type == NRPC_HEADERS) {
        headers(id, flags, p, n);
        return;
    }
    CHECK(type == NRPC_DATA ||
          ((type == NRPC_RST_STREAM || type == NRPC_WINDOW_UPDATE) && n == 4 && !flags));
    CHECK(type != NRPC_DATA || (!(flags & ~1u) && (n || flags)));
    note = new_note(id, type);
    note->data = p;
    note->n = n;
    note->end = type == NRPC_DATA && flags & NRPC_END_STREAM;
}

static void connection_frame(const uint8_t *p, size_t n, unsigned type, unsigned flags, int first)
{
    struct note *note;
    CHECK(!first || (type == NRPC_SETTINGS && !(flags & NRPC_ACK)));
    CHECK(type == NRPC_SETTINGS        ? n % 6 == 0 && (!flags || !n)
          : type == NRPC_PING          ? n == 8 && !(flags & ~(unsigned)NRPC_ACK)
          : type == NRPC_WINDOW_UPDATE ? n == 4 && !flags
                                       : type == NRPC_GOAWAY && n >= 8 && !flags);
    note = new_note(0, first ? 0xff : type);
    t.n_acks += type == NRPC_SETTINGS && !first && flags;
    note->data = p;
    note->n = n;
    note->end = (flags & NRPC_ACK) != 0;
}

static void read_frames(void)
{
    size_t first = wire.link ? 24 : 0, at = first; /* a client's preface */
    CHECK(!first || (wire.n_out >= first &&
                     memcmp(wire.out, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", first) == 0));
    while (at < wire.n_out && !test_has_failed()) {
        const uint8_t *p = wire.out + at;
        size_t n = (size_t)(get32(p) >> 8);
        uint32_t id = get32(p + 5);
        if (!CHECK(at + 9 + n <= wire.n_out) || !CHECK(n <= wire.frame_max)) {
            return; /* whole frames are transmitted */
        }
        if (id) {
            CHECK(at != first);
            stream_frame(p + 9, n, p[3], p[4], id);
        } else {
            connection_frame(p + 9, n, p[3], p[4], at == first);
        }
        at += 9 + n;
    }
}

/* --- The text ----------------------------------------------------------------------------- */

static void add_hex(uint8_t byte)
{
    add(&"0123456789abcdef"[byte >> 4], 1);
    add(&"0123456789abcdef"[byte & 15], 1);
}

static void show_short_message(const uint8_t *p, size_t n)
{
    add_text("'");
    for (size_t i = 0; i < n; i++) {
        if (p[i] >= ' ' && p[i] <= '~') {
            add((const char *)p + i, 1);
        } else {
            add_text("\\");
            add_hex(p[i]);
        }
    }
    add_text("'");
}

static void show_message(const uint8_t *p, size_t have, size_t n)
{
    int is_pattern = 1;
    for (size_t i = 0; i < have; i++) {
        is_pattern &= p[i] == raw_pattern(i);
    }
    space();
    if (have == n && n <= 32) {
        show_short_message(p, n);
        return;
    }
    add_text(is_pattern || have < 32 ? "<" : "<?");
    if (have != n) {
        add_number(have);
        add_text("/");
    }
    add_number(n);
    add_text(">");
}

/* A message whose flag is set. */
static void show_compressed(const uint8_t *p, size_t n)
{
    static uint8_t plain[WIRE_OUTPUT];
    int is_gzip = n && p[0] == 0x1f;
    int32_t size = nrpc_inflate(is_gzip ? NRPC_ENCODING_GZIP : NRPC_ENCODING_DEFLATE, p, n, plain,
                                sizeof plain);
    CHECK(size > (int32_t)n);
    space();
    add_text(is_gzip ? "gzip" : "deflate");
    show_message(plain, size > 0 ? (size_t)size : 0, size > 0 ? (size_t)size : 0);
}

/* Joined DATA. */
static void show_data(const uint8_t *p, size_t n, int is_grpc)
{
    if (!is_grpc && n) {
        show_message(p, n, n);
        return;
    }
    while (n) {
        size_t length = n < 5 ? 0 : (size_t)get32(p + 1), have = n < 5            ? 0
                                                                 : n - 5 < length ? n - 5
                                                                                  : length;
        CHECK(p[0] == 0 || NRPC_COMPRESSION);
        if (n < 5) {
            space();
            add_text("<prefix ");
            add_number(n);
            add_text("/5>");
            return;
        }
        if (p[0] == 1 && have == length) {
            show_compressed(p + 5, length);
        } else {
            show_message(p + 5, have, length);
        }
        p += 5 + have;
        n -= 5 + have;
    }
}

static void show_window(uint32_t id)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < t.n_notes; i++) {
        if (t.notes[i].id == id && t.notes[i].type == NRPC_WINDOW_UPDATE) {
            sum += get32(t.notes[i].data);
        }
    }
    if (sum && wire.show & WIRE_WINDOWS) {
        space();
        add_text("window+");
        add_number(sum);
    }
}

static void show_events(uint32_t id)
{
    space();
    add_text("{");
    for (unsigned i = 0, first = 1; i < raw.n_events; i++) {
        if (raw.events[i].id == id) {
            add(" ", first ? 0 : 1);
            add(&raw.events[i].what, 1);
            if (raw.events[i].what != 'h') {
                add_number(raw.events[i].number);
            }
            first = 0;
        }
    }
    add_text("}");
}

static void show_note(const struct note *note)
{
    if (note->type == NRPC_RST_STREAM) {
        uint32_t code = get32(note->data);
        if (code || wire.show & WIRE_NO_ERROR) {
            space();
            add_text("rst(");
            add_code(code);
            add_text(")");
        }
    } else if (note->type == NRPC_HEADERS) {
        space();
        add_text("[");
        add((const char *)note->data, note->n);
        add_text("]");
    }
    if (note->end) {
        add_text(" END");
    }
}

static void show_stream(uint32_t id)
{
    static uint8_t joined[WIRE_OUTPUT];
    size_t n = 0;
    int is_grpc = 0;
    space();
    add_number(id);
    add_text(":");
    for (unsigned i = 0; i < t.n_notes; i++) {
        const struct note *note = &t.notes[i];
        if (note->id != id || note->type == NRPC_WINDOW_UPDATE) {
            continue;
        }
        if (note->type == NRPC_DATA) {
            memcpy(joined + n, note->data, note->n);
            n += note->n;
        } else {
            show_data(joined, n, is_grpc);
            n = 0;
        }
        is_grpc |= note->type == NRPC_HEADERS && note->n > 7 &&
                   (memcmp(note->data, "200 grpc", 8) == 0 || memcmp(note->data, "POST", 4) == 0);
        if (note->type == NRPC_DATA && note->end) {
            show_data(joined, n, is_grpc);
            n = 0;
        }
        show_note(note);
    }
    show_data(joined, n, is_grpc);
    show_window(id);
    if (wire.show & WIRE_EVENTS) {
        show_events(id);
    }
}

/* An answer, or in capitals one of ours. */
static void show_ping(const uint8_t *p, int ours)
{
    space();
    add_text(ours ? "PING(" : "ping(");
    for (unsigned i = 0; i < 8; i++) {
        add_hex(p[i]);
    }
    add_text(")");
}

static void show_goaway(const struct note *note)
{
    space();
    add_text("goaway(");
    add_number(get32(note->data));
    add_text(",");
    add_code(get32(note->data + 4));
    if (note->n > 8) {
        add_text(",");
        add((const char *)note->data + 8, note->n - 8);
    }
    add_text(")");
}

static void show_connection(void)
{
    unsigned acks = 0;
    for (unsigned i = 0; i < t.n_notes; i++) {
        acks += t.notes[i].id == 0 && t.notes[i].type == NRPC_SETTINGS && !t.notes[i].n;
    }
    if (acks != 1) {
        add_text("acks=");
        add_number(acks);
    }
    show_window(0);
    for (unsigned i = 0; i < t.n_notes; i++) {
        const struct note *note = &t.notes[i];
        if (note->id == 0 && note->type == NRPC_PING) {
            show_ping(note->data, !note->end);
        } else if (note->id == 0 && note->type == NRPC_SETTINGS && note->n) {
            space();
            add_text("setting(");
            add_number(note->data[1]);
            add_text(",");
            add_number(get32(note->data + 2));
            add_text(")");
        } else if (note->id == 0 && note->type == NRPC_GOAWAY) {
            show_goaway(note);
        }
    }
}

/* The next stream that there is something to say of; 0: none. */
static uint32_t id_after(uint32_t id)
{
    uint32_t following = UINT32_MAX;
    for (unsigned i = 0; i < t.n_notes; i++) {
        int is_shown = t.notes[i].type != NRPC_WINDOW_UPDATE || wire.show & WIRE_WINDOWS;
        if (is_shown && t.notes[i].id > id && t.notes[i].id < following) {
            following = t.notes[i].id;
        }
    }
    for (unsigned i = 0; i < raw.n_events && wire.show & WIRE_EVENTS; i++) {
        if (raw.events[i].id > id && raw.events[i].id < following) {
            following = raw.events[i].id;
        }
    }
    return following == UINT32_MAX ? 0 : following;
}

const char *wire_text(void)
{
    t.n_text = t.n_fields = t.n_notes = 0;
    t.n_table = t.n_acks = 0;
    t.table_max = 4096;
    t.text[0] = 0;
    read_frames();
    show_connection();
    for (uint32_t id = 0; (id = id_after(id)) != 0;) {
        show_stream(id);
    }
    if (wire.log) {
        space();
        add_text(wire.log());
    }
    return t.text;
}
