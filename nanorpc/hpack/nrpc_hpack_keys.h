/* nanorpc/hpack/nrpc_hpack_keys.h - names and texts of registered metadata keys; nothing of it
 * without NRPC_METADATA_BYTES.
 * Layer: core, internal to nanorpc/hpack. Source: gRPC over HTTP2 "Custom-Metadata".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_HPACK_KEYS_H
#define NANORPC_HPACK_KEYS_H

#include "nanorpc/hpack/nrpc_hpack_table.h"

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

/* A key's value goes into the ring, from text_end on; hpack->value is the position where it begins.
 * Positions are used again when there have been 4 GB: no entry is left with one that is. */
static inline void nrpc_hpack_text_begin(struct nrpc_hpack *hpack)
{
    hpack->value = hpack->text_end;
}
static inline void nrpc_hpack_text_add(struct nrpc_hpack *hpack, uint8_t byte)
{
    hpack->text[hpack->text_end++ % NRPC_METADATA_BYTES] = byte;
    if ((hpack->text_end & INT32_MAX) == 0) {
        nrpc_hpack_forget(hpack);
    }
}
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
#endif

#endif
