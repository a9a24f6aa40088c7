/* nanorpc/hpack/nrpc_hpack_table.c - the dynamic table: a ring of entries of 8 bytes.
 * Layer: core. Source: RFC 7541 2.3.2, 4.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/hpack/nrpc_hpack_table.h"

/* An entry's shape. A table of at most 4096 bytes leaves a name 4064. */
enum { BYTES_MASK = 0x1fff, BAD_SHIFT = 13, NAME_SHIFT = 14, NAME_MASK = 0xfff, TOKEN_SHIFT = 26 };
NRPC_STATIC_ASSERT((NRPC_LARGEST_TABLE | BYTES_MASK) == BYTES_MASK &&
                       ((NRPC_LARGEST_TABLE - 1) | NAME_MASK) == NAME_MASK &&
                       NRPC_T_END <= 1 << (32 - TOKEN_SHIFT) && NRPC_HPACK_ENTRIES <= 128,
                   "what an entry's shape and the ring's uint8_t hold");

static NRPC_NOINLINE struct nrpc_hpack_entry *entry_at(struct nrpc_hpack *hpack, uint32_t i)
{
    return &hpack->entries[(hpack->newest - i) & (NRPC_HPACK_ENTRIES - 1u)];
}

void nrpc_hpack_evict(struct nrpc_hpack *hpack, uint32_t bytes)
{
    uint32_t used = hpack->used_bytes, count = hpack->count;
    while (used > bytes) {
        used -= entry_at(hpack, --count)->shape & BYTES_MASK;
    }
    hpack->used_bytes = (uint16_t)used;
    hpack->count = (uint8_t)count;
}

/* A profile with fewer than 128 entries may also lose the oldest to the ring's size: a client that
 * then refers to it has not kept to our SETTINGS_HEADER_TABLE_SIZE. */
void nrpc_hpack_insert(struct nrpc_hpack *hpack)
{
    nrpc_hpack_changes(hpack);
    uint32_t bytes = hpack->bytes;
    if (bytes > hpack->max_bytes || NRPC_HPACK_ENTRIES == 0) {
        nrpc_hpack_evict(hpack, 0);
        return;
    }
    nrpc_hpack_evict(hpack, hpack->max_bytes - bytes);
    if (NRPC_HPACK_ENTRIES * NRPC_ENTRY_OVERHEAD < NRPC_LARGEST_TABLE &&
        hpack->count == NRPC_HPACK_ENTRIES) {
        nrpc_hpack_evict(hpack, hpack->used_bytes - 1u);
    }
    hpack->newest++;
    hpack->count++;
    hpack->used_bytes = (uint16_t)(hpack->used_bytes + bytes);
    struct nrpc_hpack_entry *entry = entry_at(hpack, 0);
    entry->value = hpack->value;
    entry->shape = bytes | (uint32_t)hpack->bad << BAD_SHIFT |
                   (uint32_t)hpack->name_bytes << NAME_SHIFT |
                   (uint32_t)hpack->token << TOKEN_SHIFT;
}

#if NRPC_METADATA_BYTES
void nrpc_hpack_forget(struct nrpc_hpack *hpack)
{
    for (uint32_t i = hpack->count; i--;) {
        struct nrpc_hpack_entry *entry = entry_at(hpack, i);
        if (entry->shape >> TOKEN_SHIFT >= NRPC_T_KEY &&
            hpack->text_end - entry->value > NRPC_METADATA_BYTES) {
            entry->value = hpack->text_end + INT32_MAX + 1u; /* as far away as can be */
        }
    }
}
#endif

void nrpc_hpack_load(struct nrpc_hpack *hpack, uint32_t i)
{
    const struct nrpc_hpack_entry *entry = entry_at(hpack, i);
    hpack->token = (uint8_t)(entry->shape >> TOKEN_SHIFT);
    hpack->bad = entry->shape >> BAD_SHIFT & 1;
    hpack->name_bytes = entry->shape >> NAME_SHIFT & NAME_MASK;
    hpack->bytes = entry->shape & BYTES_MASK;
    hpack->value = entry->value;
}
