/* nanorpc/hpack/nrpc_hpack_table.h - the dynamic table: what fields meant, instead of their text.
 * Layer: core, internal to nanorpc/hpack. Source: RFC 7541 2.3.2, 4.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_HPACK_TABLE_H
#define NANORPC_HPACK_TABLE_H

#include "nanorpc/hpack/nrpc_hpack.h"

/* RFC 7541 4.1; 4.2 and RFC 9113 6.5.2: what a peer may use before it has our SETTINGS. */
enum { NRPC_ENTRY_OVERHEAD = 32, NRPC_LARGEST_TABLE = 4096 };

/* Drops the oldest entries until the others take at most so many bytes. */
void nrpc_hpack_evict(struct nrpc_hpack *hpack, uint32_t bytes);

/* What was decoded before this may mean something else after it. */
static inline void nrpc_hpack_changes(struct nrpc_hpack *hpack)
{
#if NRPC_FAST
    hpack->changed = 1;
#else
    (void)hpack;
#endif
}

/* The table takes at most so many bytes from here on. bytes: 0..NRPC_LARGEST_TABLE. */
static inline void nrpc_hpack_resize(struct nrpc_hpack *hpack, uint32_t bytes)
{
    hpack->max_bytes = (uint16_t)bytes;
    nrpc_hpack_changes(hpack);
    nrpc_hpack_evict(hpack, bytes);
}

/* The field that has just been decoded becomes the newest entry, RFC 7541 4.4. */
void nrpc_hpack_insert(struct nrpc_hpack *hpack);

#if NRPC_METADATA_BYTES
/* Keys' entries whose text has left the ring do not become those of what takes their positions. To
 * be called each time that half of all positions have been used. */
void nrpc_hpack_forget(struct nrpc_hpack *hpack);
#endif

/* The i-th newest entry becomes the field that has just been decoded. i: 0..count - 1. */
void nrpc_hpack_load(struct nrpc_hpack *hpack, uint32_t i);

#endif
