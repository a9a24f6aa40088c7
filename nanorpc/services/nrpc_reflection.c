/* nanorpc/services/nrpc_reflection.c - answers from the descriptors in flash; both versions are
 * one.
 * Layer: core, services. Source: gRPC "Server Reflection Protocol",
 * google/protobuf/descriptor.proto.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/config.h"
#if NRPC_PIECES
#include "nanorpc/services/reflection.h"

#include <string.h>

#include "nanorpc/compression.h"
#include "nanorpc/services/nrpc_field.h"

enum { /* fields of ServerReflectionRequest */
       HOST = 1,
       FILE_BY_FILENAME = 3,
       FILE_CONTAINING_SYMBOL = 4,
       LIST_SERVICES = 7
};
enum { /* fields of ServerReflectionResponse, and of what is in it */
       VALID_HOST = 1,
       ORIGINAL_REQUEST = 2,
       FILE_DESCRIPTOR_RESPONSE = 4,
       LIST_SERVICES_RESPONSE = 6,
       ERROR_RESPONSE = 7,
       ERROR_CODE = 1,
       FIRST = 1 /* of every other */
};

/* --- Looking up --------------------------------------------------------------------------- */

/* Where the search for a symbol is. Each kind of thing has its name in field 1, and others in
 * these. */
enum scope { NONE, LEAF, FILE, MESSAGE, ENUM, SERVICE };
enum { FIELDS = 9, PACKAGE = 2, ENUM_VALUE = 2 };
static const uint8_t inside[][FIELDS] = {
    [FILE] = {[4] = MESSAGE, [5] = ENUM, [6] = SERVICE, [7] = LEAF},
    [MESSAGE] = {[2] = LEAF, [3] = MESSAGE, [4] = ENUM, [6] = LEAF, [8] = LEAF},
    [ENUM] = {[ENUM_VALUE] = NONE}, /* stand beside their enum, see holds */
    [SERVICE] = {[2] = LEAF}};

/* The name of what a descriptor describes; it is its first field. */
static struct nrpc_text name_of(struct nrpc_text descriptor)
{
    struct nrpc_field field;
    return nrpc_field_read(&descriptor, &field) > 0 && field.number == FIRST ? field.text
                                                                             : descriptor;
}

/* Whether an enum has this value: by C++'s rules its name belongs to the scope around. */
static int holds(struct nrpc_text descriptor, struct nrpc_text value)
{
    struct nrpc_field field;
    while (nrpc_field_read(&descriptor, &field) > 0) {
        if (field.number == ENUM_VALUE && nrpc_text_is(name_of(field.text), value.at, value.n)) {
            return 1;
        }
    }
    return 0;
}

/* One step of a symbol's way: the thing with this name in *place, which becomes *place. Returns
 * what it is, or NONE. */
static enum scope step(struct nrpc_text *place, enum scope scope, struct nrpc_text name)
{
    struct nrpc_text rest = *place;
    struct nrpc_field field;
    while (nrpc_field_read(&rest, &field) > 0) {
        enum scope found = field.number < FIELDS ? (enum scope)inside[scope][field.number] : NONE;
        if (found == NONE) {
            continue;
        }
        if (nrpc_text_is(name_of(field.text), name.at, name.n)) {
            *place = field.text;
            return found;
        }
        if (found == ENUM && holds(field.text, name)) {
            return LEAF;
        }
    }
    return NONE;
}

static int has_name(struct nrpc_text file, struct nrpc_text name)
{
    return nrpc_text_is(name_of(file), name.at, name.n);
}

static int has_symbol(struct nrpc_text file, struct nrpc_text symbol)
{
    struct nrpc_text rest = file;
    struct nrpc_field field;
    enum scope scope = FILE;
    (void)nrpc_field_read(&rest, &field);
    (void)nrpc_field_read(&rest, &field);
    if (field.number == PACKAGE) {
        size_t n = field.text.n;
        if (symbol.n <= n || symbol.at[n] != '.' || memcmp(symbol.at, field.text.at, n) != 0) {
            return 0;
        }
        symbol.at += n + 1;
        symbol.n -= n + 1;
    }
    for (;;) {
        const uint8_t *dot = memchr(symbol.at, '.', symbol.n);
        struct nrpc_text name = {symbol.at, dot ? (size_t)(dot - symbol.at) : symbol.n};
        scope = step(&file, scope, name);
        if (!dot || scope == NONE || scope == LEAF) {
            return !dot && scope != NONE;
        }
        symbol.at += name.n + 1;
        symbol.n -= name.n + 1;
    }
}

static struct nrpc_text text_of(const struct nrpc_file *file)
{
    return (struct nrpc_text){file->descriptor, (size_t)file->bytes};
}

/* The first file, of those given out and their imports, of which this is so; or NULL. */
static const struct nrpc_file *find(int (*is_so)(struct nrpc_text file, struct nrpc_text text),
                                    struct nrpc_text text)
{
    for (const struct nrpc_file *const *at = nrpc_reflection_files; *at; at++) {
        const struct nrpc_file *file = *at;
        for (uint32_t i = 0;; i++) {
            if (is_so(text_of(file), text)) {
                return file;
            }
            if (i == (*at)->n_imports) {
                break;
            }
            file = (*at)->imports[i];
        }
    }
    return NULL;
}

/* --- Answering ---------------------------------------------------------------------------- */

/* A part of a response is written at a time: what comes before it is left out, what comes after it
 * only counted. So nothing has to hold a whole one. */
struct sink {
    uint8_t *to;
    size_t skip, room;
    size_t total;
};

static void put(struct sink *sink, const void *data, size_t n)
{
    size_t before = n < sink->skip ? n : sink->skip;
    size_t now = n - before < sink->room ? n - before : sink->room;
    if (now) {
        memcpy(sink->to, (const uint8_t *)data + before, now);
        sink->to += now;
    }
    sink->skip -= before;
    sink->room -= now;
    sink->total += n;
}

/* A tag and a varint: a number, or the length of what follows. */
enum { VARINT = 0, BYTES = 2 };
static void put_head(struct sink *sink, unsigned number, unsigned type, size_t value)
{
    uint8_t head[6];
    head[0] = (uint8_t)(number << 3 | type);
    put(sink, head, 1 + nrpc_field_varint(head + 1, (uint32_t)value));
}

static void put_text(struct sink *sink, unsigned number, struct nrpc_text text)
{
    put_head(sink, number, BYTES, text.n);
    put(sink, text.at, text.n);
}

/* What a response says; neither error nor file: the list of services. While it is being sent it
 * stands in the call's transmit block, behind the request that it is the answer to. */
struct answer {
    const struct nrpc_file *file;
    const struct nrpc_server *server;
    struct nrpc_text host;
    uint32_t sent;
    uint32_t error; /* enum nrpc_status */
};
NRPC_STATIC_ASSERT(sizeof(struct answer) <= NRPC_REFLECTION_STATE_BYTES, "as reflection.h says");

static void put_service(struct sink *sink, const char *path)
{
    struct nrpc_text name = {(const uint8_t *)path + 1, strlen(path) - 2}; /* "/name/" */
    put_head(sink, FIRST, BYTES, 1 + nrpc_field_varint(NULL, (uint32_t)name.n) + name.n);
    put_text(sink, FIRST, name);
}

static void put_inner(struct sink *sink, const struct answer *answer)
{
    const struct nrpc_file *file = answer->file;
    if (answer->error) {
        put_head(sink, ERROR_CODE, VARINT, (size_t)answer->error);
    } else if (file) {
        put_text(sink, FIRST, text_of(file));
        for (uint32_t i = 0; i < file->n_imports; i++) {
            put_text(sink, FIRST, text_of(file->imports[i]));
        }
    } else {
        for (unsigned i = 0; i < answer->server->n_services; i++) {
            put_service(sink, answer->server->services[i]->path);
        }
    }
}

/* All of it but the request, which has been sent before. */
static void put_answer(struct sink *sink, const struct answer *answer)
{
    struct sink count = {0};
    put_text(sink, VALID_HOST, answer->host);
    put_inner(&count, answer);
    put_head(sink,
             answer->error  ? ERROR_RESPONSE
             : answer->file ? FILE_DESCRIPTOR_RESPONSE
                            : LIST_SERVICES_RESPONSE,
             BYTES, count.total);
    put_inner(sink, answer);
}

/* --- Calls -------------------------------------------------------------------------------- */

/* What the request asks for, as the last field of its oneof. Returns -1 when it is no protobuf. */
static int look_up(struct nrpc_text request, struct answer *answer)
{
    struct nrpc_field field;
    int more;
    answer->error = NRPC_INVALID_ARGUMENT;
    while ((more = nrpc_field_read(&request, &field)) > 0) {
        if (!field.text.at) {
            continue;
        }
        if (field.number == HOST) {
            answer->host = field.text;
        } else if (field.number == FILE_BY_FILENAME || field.number == FILE_CONTAINING_SYMBOL) {
            answer->file = find(field.number == FILE_BY_FILENAME ? has_name : has_symbol,
                                field.text);
            answer->error = answer->file ? NRPC_OK : NRPC_NOT_FOUND;
        } else if (field.number <= LIST_SERVICES) { /* extensions are not looked up */
            answer->file = NULL;
            answer->error = field.number == LIST_SERVICES ? NRPC_OK : NRPC_UNIMPLEMENTED;
        }
    }
    return more;
}

/* The request goes back from the transmit block; the rest is made when there is room to send it. */
static enum nrpc_status message(struct nrpc_call *call, const uint8_t *data, size_t n)
{
    struct answer answer = {.server = nrpc_call_conn(call)->server, .host = {data, 0}};
    struct sink count = {0};
    size_t room;
    if (!data) {
        return NRPC_OK; /* half-close: `next` ends the call */
    }
    if (n > NRPC_REFLECTION_REQUEST_BYTES) { /* a block may be larger for another service's sake */
        return nrpc_call_fail(call, NRPC_RESOURCE_EXHAUSTED, "message too large");
    }
    uint8_t *reply = nrpc_call_reserve(call, &room); /* not NULL: a codec is called when there is
                                                        room */
    struct sink sink = {.to = reply, .room = room};
    put_text(&sink, ORIGINAL_REQUEST, (struct nrpc_text){data, n});
    if (look_up((struct nrpc_text){reply + sink.total - n, n}, &answer) < 0) {
        return nrpc_call_fail(call, NRPC_INTERNAL, "request malformed");
    }
#if NRPC_COMPRESSION
    (void)nrpc_call_compress(call, 0); /* if an interceptor has it on for every call */
#endif
    put_answer(&count, &answer);
    memcpy(reply + sink.total, &answer, sizeof answer);
    nrpc_call_commit(call, sink.total);
    nrpc_put32(nrpc_call_tx(call) + 1, (uint32_t)(sink.total + count.total)); /* the prefix */
    call->flags |= NRPC_CALL_PRODUCING;
    return NRPC_OK;
}

static uint32_t produce(struct nrpc_call *call, uint8_t *buf, uint32_t room)
{
    uint8_t *kept = nrpc_call_tx(call) + call->tx_length;
    struct answer answer;
    memcpy(&answer, kept, sizeof answer);
    struct sink sink = {.to = buf, .skip = (size_t)answer.sent, .room = (size_t)room};
    put_answer(&sink, &answer);
    answer.sent += room - (uint32_t)sink.room;
    if (answer.sent == sink.total) {
        call->flags &= (uint16_t)~NRPC_CALL_PRODUCING;
    }
    memcpy(kept, &answer, sizeof answer);
    return room - (uint32_t)sink.room;
}

static enum nrpc_status next(struct nrpc_call *call)
{
    return nrpc_call_half_closed(call) ? NRPC_OK : NRPC_PENDING;
}

static void cancelled(struct nrpc_call *call, enum nrpc_status why)
{
    (void)call;
    (void)why;
}

static const struct nrpc_codec codec = {.message = message, .next = next, .produce = produce};
static const struct nrpc_method methods[] = {
    {.codec = &codec, .cancelled = cancelled, .kind = NRPC_BIDI}};
static const char names[] = "\200ServerReflectionInfo\377";
const struct nrpc_service nrpc_reflection_service = {
    .path = "/grpc.reflection.v1.ServerReflection/", .method_names = names, .methods = methods};
const struct nrpc_service nrpc_reflection_v1alpha_service = {
    .path = "/grpc.reflection.v1alpha.ServerReflection/",
    .method_names = names,
    .methods = methods};

#endif
