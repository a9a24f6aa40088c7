/* nanorpc/hpack/nrpc_hpack.h - semantic HPACK: a header block goes in as it arrives, meanings come
 * out.
 * Layer: core. Source: RFC 7541.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_HPACK_H
#define NANORPC_HPACK_H

#include <stddef.h>
#include <stdint.h>

#include "nanorpc/config.h"
#include "nanorpc/hpack/nrpc_huffman.h"
#include "nanorpc/hpack/nrpc_match.h"

NRPC_BEGIN_C

struct nrpc_server;

/* The longest grpc-timeout that is told from a longer one: 12 days. */
#define NRPC_TIMEOUT_MAX 0x3fffffffu

/* What a header field is to a gRPC server or client: first the names that are known, in their
 * order, then the rest. "Odd" is a value other than the expected one: 1 instead of 0. */
enum nrpc_token {
    NRPC_T_AUTHORITY, /* value unused */
    NRPC_T_METHOD,    /* 0: POST, else any other number */
    NRPC_T_PATH,      /* service << 8 | method, or NRPC_PATH_UNKNOWN */
    NRPC_T_SCHEME,    /* unused */
    NRPC_T_STATUS,    /* with NRPC_CLIENT: the number */
    NRPC_T_CONNECTION,
    NRPC_T_CONTENT_LENGTH,       /* bytes, 0..UINT32_MAX - 1 */
    NRPC_T_CONTENT_TYPE,         /* 0: application/grpc, else any other number */
    NRPC_T_GRPC_ACCEPT_ENCODING, /* with NRPC_COMPRESSION: a set of enum nrpc_encoding */
    NRPC_T_GRPC_ENCODING,        /* likewise, of one; without it 0: identity, 1: odd */
    NRPC_T_GRPC_MESSAGE,         /* unused: its bytes are given to server->message_byte */
    NRPC_T_GRPC_STATUS,          /* with NRPC_CLIENT: the number */
    NRPC_T_GRPC_TIMEOUT, /* milliseconds, rounded up, 0..NRPC_TIMEOUT_MAX; UINT32_MAX: malformed */
    NRPC_T_KEEP_ALIVE,
    NRPC_T_PROXY_CONNECTION,
    NRPC_T_TE, /* unused */
    NRPC_T_TRANSFER_ENCODING,
    NRPC_T_UPGRADE,
    NRPC_T_OTHER, /* nobody asked for it */
    NRPC_T_KEY,   /* and on: the server's keys; value: where its text is, see nrpc_hpack_text */
    NRPC_T_END = 64,
    NRPC_T_BAD = NRPC_T_CONNECTION /* a name that makes the request malformed, RFC 9113 8.2 */
};

/* Of a set of tokens below NRPC_T_KEY: a bit each. */
#define NRPC_FIELD(token) ((uint32_t)1 << NRPC_T_##token)

/* An entry of the dynamic table: 8 bytes, whatever the length of its text. */
struct nrpc_hpack_entry {
    uint32_t value;
    uint32_t shape; /* bytes that it counts, name's length, token - see nrpc_hpack_table.c */
};

/* A decoder. One for a connection; it may be cut between any two bytes. */
struct nrpc_hpack { /* small fields first: the shortest instructions reach them */
    uint8_t state, shift, kind, is_huffman;
    uint8_t key;           /* the key that fits the name so far */
    uint8_t newest, count; /* the table's ring */
    uint8_t token;         /* of the field being decoded, or just decoded: enum nrpc_token */
    uint16_t max_bytes, used_bytes; /* the table: RFC 7541 4.2 */
    uint16_t limit;                 /* the largest max_bytes that the peer may choose */
    struct nrpc_huffman huffman;
    uint8_t bad;    /* the name or the value is not allowed, RFC 9113 8.2 */
    uint8_t wanted; /* the value means something here */
#if NRPC_FAST
    uint8_t changed; /* the table has, since its owner has set this to 0 */
#endif
    uint32_t name_bytes;
    uint32_t bytes; /* name + value + 32, RFC 7541 4.1: of an entry up to 4096 */
    uint32_t value;
    union {
        uint32_t number; /* being decoded; of a string its length, which becomes .. */
        uint32_t left;   /* .. its encoded bytes that are still to come */
    } n;
    const struct nrpc_server *server;
    struct nrpc_match match;
#if NRPC_METADATA_BYTES
    uint32_t text_end;                 /* the position after all text that there has been */
    uint8_t text[NRPC_METADATA_BYTES]; /* the ring: position p is at p % NRPC_METADATA_BYTES */
#endif
    struct nrpc_hpack_entry entries[NRPC_HPACK_ENTRIES ? NRPC_HPACK_ENTRIES : 1];
};

/* A new connection: an empty table of at most 4096 bytes. server: kept; its services give the paths
 * their meaning, its keys say which other values are wanted. */
void nrpc_hpack_init(struct nrpc_hpack *hpack, const struct nrpc_server *server);

/* The peer has our SETTINGS_HEADER_TABLE_SIZE: from now on a larger table is an error, RFC 7541
 * 6.3. */
static inline void nrpc_hpack_acked(struct nrpc_hpack *hpack)
{
    hpack->limit = NRPC_HPACK_TABLE_BYTES;
}

/* Begins a header block. */
static inline void nrpc_hpack_begin(struct nrpc_hpack *hpack)
{
    hpack->state = hpack->shift = 0;
}

/* Decodes from *at on until a field is complete or `end` is reached, and moves *at there.
 * Returns 1: a field stands in token, bad, value and bytes; 0: all bytes are used;
 * -1: COMPRESSION_ERROR, the connection must end. */
int nrpc_hpack_decode(struct nrpc_hpack *hpack, const uint8_t **at, const uint8_t *end);

/* 1 when the block may end here, 0: COMPRESSION_ERROR. */
static inline int nrpc_hpack_end(const struct nrpc_hpack *hpack)
{
    return !(hpack->state >> 1 | hpack->shift); /* no field and no number is begun */
}

#if NRPC_METADATA_BYTES
/* The text of a key's value, until the next byte is decoded. *start: where its byte i is, by
 * nrpc_hpack_text_byte. Returns its length; NRPC_TEXT_TOO_LONG: it has never been in the ring;
 * NRPC_TEXT_LOST: it has left the ring although the peer's table still has it. */
enum { NRPC_TEXT_TOO_LONG = -1, NRPC_TEXT_LOST = -2 };
static inline int32_t nrpc_hpack_text(const struct nrpc_hpack *hpack, uint32_t *start)
{
    uint32_t n = hpack->bytes - hpack->name_bytes - 32; /* RFC 7541 4.1 */
    *start = hpack->value;
    return n > NRPC_METADATA_BYTES                          ? NRPC_TEXT_TOO_LONG
           : hpack->text_end - *start > NRPC_METADATA_BYTES ? NRPC_TEXT_LOST
                                                            : (int32_t)n;
}
static inline uint8_t nrpc_hpack_text_byte(const struct nrpc_hpack *hpack, uint32_t position)
{
    return hpack->text[position % NRPC_METADATA_BYTES];
}
#endif

/* The names of enum nrpc_token as a list of nrpc_match.h, for tests. */
extern const char nrpc_hpack_names[];

NRPC_END_C

#endif
