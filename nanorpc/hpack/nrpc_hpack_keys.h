/* nanorpc/hpack/nrpc_hpack_keys.h - names and texts of registered metadata keys; nothing of it
 * without NRPC_METADATA_BYTES.
 * Layer: core, internal to nanorpc/hpack. Source: gRPC over HTTP2 "Custom-Metadata".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_HPACK_KEYS_H
#define NANORPC_HPACK_KEYS_H

#include "nanorpc/hpack/nrpc_hpack.h"

#if NRPC_METADATA_BYTES
/* The name so far is name_bytes long: goes on to the first key that has `byte` next; NUL: ends. */
void nrpc_hpack_key_narrow(struct nrpc_hpack *hpack, uint8_t byte);

/* A byte of a name that is not indexed, before name_bytes counts it; hpack->key is 0 at first. */
static inline void nrpc_hpack_key_byte(struct nrpc_hpack *hpack, uint8_t byte)
{
    nrpc_hpack_key_narrow(hpack, byte ? byte : '\1'); /* which no key has either */
}

/* The token of the name that has ended, and that nothing else is known of: a key's, or OTHER. */
unsigned nrpc_hpack_key_end(struct nrpc_hpack *hpack);

/* The same for a name of the static table. index: from 1. */
unsigned nrpc_hpack_key_static(const struct nrpc_hpack *hpack, uint32_t index);

/* A key's value goes into the ring, from text_end on. Of a key hpack->value is the position where
 * the text begins, << 16, and its length; or NRPC_TEXT_TOO_LONG, NRPC_TEXT_LOST. */
static inline void nrpc_hpack_text_begin(struct nrpc_hpack *hpack)
{
    hpack->value = (uint32_t)hpack->text_end << 16;
}
static inline void nrpc_hpack_text_add(struct nrpc_hpack *hpack, uint8_t byte)
{
    unsigned n = hpack->value & 0xffff;
    if (n < NRPC_METADATA_BYTES) {
        hpack->text[(hpack->text_end + n) % NRPC_METADATA_BYTES] = byte;
        hpack->value++;
    } else {
        hpack->value = (uint32_t)NRPC_TEXT_TOO_LONG; /* it has overwritten all that there was */
    }
}
void nrpc_hpack_text_end(struct nrpc_hpack *hpack);
#else
static inline void nrpc_hpack_key_byte(struct nrpc_hpack *hpack, uint8_t byte)
{
    (void)hpack;
    (void)byte;
}
static inline unsigned nrpc_hpack_key_end(struct nrpc_hpack *hpack)
{
    (void)hpack;
    return NRPC_T_OTHER;
}
static inline unsigned nrpc_hpack_key_static(const struct nrpc_hpack *hpack, uint32_t index)
{
    (void)hpack;
    (void)index;
    return NRPC_T_OTHER;
}
static inline void nrpc_hpack_text_begin(struct nrpc_hpack *hpack)
{
    (void)hpack;
}
static inline void nrpc_hpack_text_add(struct nrpc_hpack *hpack, uint8_t byte)
{
    (void)hpack;
    (void)byte;
}
static inline void nrpc_hpack_text_end(struct nrpc_hpack *hpack)
{
    (void)hpack;
}
#endif

#endif
