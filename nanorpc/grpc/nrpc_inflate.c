/* nanorpc/grpc/nrpc_inflate.c - decompresses a message into its block, which is the window; small
 * before fast.
 * Layer: core; used with NRPC_COMPRESSION. Source: RFC 1950, 1951, 1952.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "nanorpc/grpc/nrpc_compress.h"

/* Why not one that others keep: Debian's zlib comes without contrib/puff, and puff needs setjmp, 2
 * KB of stack and tables of its own in RAM; miniz's tables take 11 KB; uzlib (in MicroPython 1.25)
 * takes 1.7 KB, and reads outside its table when a distance has no code. */

enum { MAX_BITS = 15, LITERALS = 288, DISTANCES = 32, END_OF_BLOCK = 256, NO_SYMBOL = 511 };

/* A canonical Huffman code, RFC 1951 3.2.2: its symbols in the order of their codes. */
struct code {
    uint16_t count[MAX_BITS + 1]; /* codes of each length */
    uint16_t small[MAX_BITS + 1]; /* and how many of them, the first, mean symbols below 256 */
    uint8_t *symbols;             /* modulo 256 */
};

struct inflater {
    const uint8_t *at, *end;
    uint32_t bits; /* those read of the bytes before `at`, the next one lowest */
    uint8_t n_bits;
    uint8_t is_fixed; /* the codes are those of RFC 1951 3.2.6 */
    uint8_t is_bad;   /* more was read than there is (zeros came instead), or no symbol */
    uint8_t *first, *out, *last; /* what was given, where the next byte goes, the room's end */
    struct code literals, distances;
    uint8_t literal_symbols[LITERALS], distance_symbols[DISTANCES];
    uint8_t lengths[LITERALS + DISTANCES]; /* of codes that are being read */
};

/* n: 0..16. Never keeps a whole byte that nobody asked for. */
static unsigned get(struct inflater *z, unsigned n)
{
    while (z->n_bits < n) {
        uint32_t byte = 0;
        if (z->at < z->end) {
            byte = *z->at++;
        } else {
            z->is_bad = 1;
        }
        z->bits |= byte << z->n_bits;
        z->n_bits = (uint8_t)(z->n_bits + 8);
    }
    unsigned value = (unsigned)(z->bits & (((uint32_t)1 << n) - 1));
    z->bits >>= n;
    z->n_bits = (uint8_t)(z->n_bits - n);
    return value;
}

/* Codes that are too many or too few for their lengths do no harm here, whatever they decode to:
 * the checksum is the judge. */
static void build(struct code *code, const uint8_t *lengths, unsigned n)
{
    uint16_t next[MAX_BITS + 1], place = 0; /* where the next symbol of each length goes */
    memset(code->count, 0, sizeof code->count + sizeof code->small);
    for (unsigned i = 0; i < n; i++) {
        code->count[lengths[i]]++;
        code->small[lengths[i]] = (uint16_t)(code->small[lengths[i]] + (i < 256));
    }
    for (unsigned bits = 1; bits <= MAX_BITS; bits++) {
        next[bits] = place;
        place = (uint16_t)(place + code->count[bits]);
    }
    for (unsigned i = 0; i < n; i++) {
        if (lengths[i]) {
            code->symbols[next[lengths[i]]++] = (uint8_t)i;
        }
    }
}

/* place: among the codes of the length reached so far. It is below count where the code ends. */
static unsigned decode(struct inflater *z, const struct code *code)
{
    unsigned place = 0, before = 0;
    for (unsigned bits = 1; bits <= MAX_BITS; bits++) {
        unsigned count = code->count[bits];
        place = 2 * place + get(z, 1);
        if (place < count) {
            return code->symbols[before + place] + (place < code->small[bits] ? 0 : 256u);
        }
        place -= count;
        before += count;
    }
    return NO_SYMBOL;
}

/* A length or a distance, RFC 1951 3.2.5: from its symbol, each 1 << kept of which have one extra
 * bit more than those before, and these bits. The last symbol is 28 of lengths, 29 of distances. */
static unsigned number(struct inflater *z, unsigned symbol, unsigned kept)
{
    if (symbol > 30 - kept) {
        z->is_bad = 1;
        return 0;
    }
    unsigned extra = symbol >> kept;
    extra -= extra > 0;
    return ((symbol - (extra << kept)) << extra) + get(z, extra);
}

/* --- Blocks: each function returns 0, or an error ------------------------------------------ */

static int stored(struct inflater *z)
{
    z->bits = z->n_bits = 0; /* up to the next byte */
    unsigned n = get(z, 16);
    if ((n ^ 0xffff) != get(z, 16) || (size_t)(z->end - z->at) < n) {
        return NRPC_INFLATE_BAD;
    }
    if ((size_t)(z->last - z->out) < n) {
        return NRPC_INFLATE_LARGE;
    }
    memcpy(z->out, z->at, n);
    z->at += n;
    z->out += n;
    return 0;
}

/* Blocks of this kind may be as short as ten bits: many of them must not cost much. */
static void fixed_codes(struct inflater *z)
{
    if (z->is_fixed) {
        return;
    }
    z->is_fixed = 1;
    memset(z->lengths, 8, 288);
    memset(z->lengths + 144, 9, 112);
    memset(z->lengths + 256, 7, 24);
    memset(z->lengths + LITERALS, 5, DISTANCES);
    build(&z->literals, z->lengths, LITERALS);
    build(&z->distances, z->lengths + LITERALS, DISTANCES);
}

/* RFC 1951 3.2.7. */
static int dynamic_codes(struct inflater *z)
{
    static const uint8_t order[] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                    11, 4,  12, 3, 13, 2, 14, 1, 15};
    z->is_fixed = 0;
    unsigned n_literals = 257 + get(z, 5), n = n_literals + 1 + get(z, 5),
             n_lengths = 4 + get(z, 4);
    memset(z->lengths, 0, sizeof order);
    for (unsigned i = 0; i < n_lengths; i++) {
        z->lengths[order[i]] = (uint8_t)get(z, 3);
    }
    build(&z->literals, z->lengths, sizeof order);
    for (unsigned i = 0; i < n;) {
        unsigned symbol = decode(z, &z->literals), times = 1;
        if (symbol == 16 && i) {
            symbol = z->lengths[i - 1];
            times = 3 + get(z, 2);
        } else if (symbol > 16 && symbol <= 18) {
            times = symbol == 17 ? 3 + get(z, 3) : 11 + get(z, 7);
            symbol = 0;
        }
        if (symbol > MAX_BITS || times > n - i) {
            return NRPC_INFLATE_BAD;
        }
        memset(z->lengths + i, (int)symbol, times);
        i += times;
    }
    build(&z->literals, z->lengths, n_literals);
    build(&z->distances, z->lengths + n_literals, n - n_literals);
    return 0;
}

static int coded(struct inflater *z)
{
    unsigned symbol;
    while ((symbol = decode(z, &z->literals)) != END_OF_BLOCK) {
        unsigned n = 1, distance = 0;
        if (symbol > END_OF_BLOCK) {
            n = symbol == 285 ? 258 : 3 + number(z, symbol - 257, 2);
            distance = 1 + number(z, decode(z, &z->distances), 1);
        }
        if (z->is_bad || distance > (size_t)(z->out - z->first)) {
            return NRPC_INFLATE_BAD;
        }
        if ((size_t)(z->last - z->out) < n) {
            return NRPC_INFLATE_LARGE;
        }
        for (; n; n--, z->out++) { /* byte by byte: it may copy what it has just written */
            *z->out = (uint8_t)(distance ? z->out[-(ptrdiff_t)distance] : symbol);
        }
    }
    return 0;
}

static int blocks(struct inflater *z)
{
    unsigned is_last;
    do {
        int error = 0;
        is_last = get(z, 1);
        switch (get(z, 2)) {
        case 0: error = stored(z); break;
        case 1:
            fixed_codes(z);
            error = coded(z);
            break;
        case 2:
            error = dynamic_codes(z);
            error = error ? error : coded(z);
            break;
        default: error = NRPC_INFLATE_BAD; break;
        }
        if (error || z->is_bad) {
            return error ? error : NRPC_INFLATE_BAD;
        }
    } while (!is_last);
    return 0;
}

/* --- What stands around them --------------------------------------------------------------- */

uint32_t nrpc_compress_check(enum nrpc_encoding encoding, const uint8_t *data, size_t n)
{
    uint32_t a = 1, b = 0; /* of Adler-32 */
    uint32_t crc = 0xffffffff;
    for (; n; n--, data++) {
        if (encoding == NRPC_ENCODING_GZIP) {
            crc ^= *data;
            for (unsigned bit = 8; bit; bit--) {
                crc = crc >> 1 ^ (0xedb88320 & -(crc & 1));
            }
        } else {
            a = (a + *data) % 65521;
            b = (b + a) % 65521;
        }
    }
    return encoding == NRPC_ENCODING_GZIP ? ~crc : b << 16 | a;
}

/* Where the blocks begin, or NULL. RFC 1952 2.3: text, header CRC, extra field, name, comment. */
static const uint8_t *skip_gzip_header(const uint8_t *data, const uint8_t *end)
{
    const uint8_t *at = data + 10;
    if (end - data < 10 || data[0] != 0x1f || data[1] != 0x8b || data[2] != 8 || data[3] > 31) {
        return NULL;
    }
    unsigned flags = data[3];
    if (flags & 4) {
        if (end - at < 2 || (size_t)(end - at) - 2 < (at[0] | (unsigned)at[1] << 8)) {
            return NULL;
        }
        at += 2 + (at[0] | (unsigned)at[1] << 8);
    }
    for (unsigned flag = 8; flag <= 16; flag *= 2) {
        const uint8_t *zero = flags & flag ? memchr(at, 0, (size_t)(end - at)) : at - 1;
        if (!zero) {
            return NULL;
        }
        at = zero + 1;
    }
    if (flags & 2) {
        uint32_t check = nrpc_compress_check(NRPC_ENCODING_GZIP, data, (size_t)(at - data)) &
                         0xffff;
        if (end - at < 2 || check != (at[0] | (unsigned)at[1] << 8)) {
            return NULL;
        }
        at += 2;
    }
    return at;
}

/* RFC 1950 2.2: no preset dictionary. */
static const uint8_t *skip_zlib_header(const uint8_t *data, const uint8_t *end)
{
    int is_one = end - data >= 2 && (data[0] & 15) == 8 && data[0] < 0x80 && !(data[1] & 0x20) &&
                 ((unsigned)data[0] << 8 | data[1]) % 31 == 0;
    return is_one ? data + 2 : NULL;
}

/* The checksum, lowest byte first for gzip and highest for zlib, then gzip's size. */
static int has_good_end(struct inflater *z, enum nrpc_encoding encoding)
{
    size_t n = (size_t)(z->out - z->first);
    uint32_t check = nrpc_compress_check(encoding, z->first, n);
    if (encoding == NRPC_ENCODING_GZIP) {
        uint32_t crc = get(z, 16), size;
        crc |= (uint32_t)get(z, 16) << 16;
        size = get(z, 16);
        size |= (uint32_t)get(z, 16) << 16;
        if (size != n || crc != check) {
            return 0;
        }
    } else {
        for (unsigned shift = 32; shift; shift -= 8) {
            if (get(z, 8) != (check >> (shift - 8) & 0xff)) {
                return 0;
            }
        }
    }
    return !z->is_bad && z->at == z->end;
}

int32_t nrpc_inflate(enum nrpc_encoding encoding, const uint8_t *data, size_t n, uint8_t *out,
                     size_t room)
{
    struct inflater z;
    z.bits = z.n_bits = z.is_bad = z.is_fixed = 0;
    z.end = data + n;
    z.first = z.out = out;
    z.last = out + room;
    z.literals.symbols = z.literal_symbols;
    z.distances.symbols = z.distance_symbols;
    z.at = encoding == NRPC_ENCODING_GZIP ? skip_gzip_header(data, z.end)
                                          : skip_zlib_header(data, z.end);
    if (!z.at) {
        return NRPC_INFLATE_BAD;
    }
    int error = blocks(&z);
    if (error) {
        return error;
    }
    z.bits = z.n_bits = 0; /* up to the next byte */
    return has_good_end(&z, encoding) ? (int32_t)(z.out - out) : NRPC_INFLATE_BAD;
}
