/* nanorpc/same.h - all files of an image have the same settings, or it does not link.
 * Layer: core; config.h includes it. Source: System V ABI, "Note Section".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_SAME_H
#define NANORPC_SAME_H

/* Structs are laid out by the settings, so two files that do not agree on one would write over each
 * other's memory. Instead the linker says
 *
 *     undefined reference to `nrpc_built_with_NRPC_MAX_STREAMS_8'
 *
 * where a file has NRPC_MAX_STREAMS=8 and nrpc_conn.c, one file that all images have, has not. The
 * value is compared as text, after macros in it: (2*8) is not 16. In the image it costs nothing:
 * the name stands in a section that is not loaded. (Of type note, as --gc-sections and -s keep
 * these.) lld looks for undefined names in sections that are loaded: hence the second one, of no
 * bytes, whose relocation does nothing. */
#define NRPC_SAME_TEXT_(value) #value
#define NRPC_SAME_NAME_(name, value) "\"nrpc_built_with_" name "_" NRPC_SAME_TEXT_(value) "\""

/* In one file of an image: these are its settings. In all others: are these, too? settings: a macro
 * that gives each of them to its argument, as the one below. */
#ifdef __ELF__
#define NRPC_SAME_SECTION_(name, flags, text) \
    __asm__(".pushsection " name ",\"" flags "\",%note\n" text ".popsection\n")
#define NRPC_SAME_TELL(settings) NRPC_SAME_SECTION_(".nanorpc.told", "", settings(NRPC_SAME_LABEL_))
#define NRPC_SAME_LABEL_(setting) \
    ".globl " NRPC_SAME_NAME_(#setting, setting) "\n" NRPC_SAME_NAME_(#setting, setting) ":\n"
#define NRPC_SAME_NOTE_(words) ".4byte 8, 9f - 8f, 1\n.asciz \"nanorpc\"\n8:\n" words "9:\n"
#define NRPC_SAME_WORD_(setting) ".4byte " NRPC_SAME_NAME_(#setting, setting) "\n"
#ifdef __clang__
#define NRPC_SAME_ASK(settings)                                                     \
    NRPC_SAME_SECTION_(".nanorpc", "", NRPC_SAME_NOTE_(settings(NRPC_SAME_WORD_))); \
    NRPC_SAME_SECTION_(".nanorpc.empty", "a", settings(NRPC_SAME_NONE_))
#define NRPC_SAME_NONE_(setting) \
    ".reloc 0, BFD_RELOC_NONE, " NRPC_SAME_NAME_(#setting, setting) "\n"
#else
#define NRPC_SAME_ASK(settings) \
    NRPC_SAME_SECTION_(".nanorpc", "", NRPC_SAME_NOTE_(settings(NRPC_SAME_WORD_)))
#endif
#else /* no such sections: not checked */
#define NRPC_SAME_TELL(settings) extern const char nrpc_same_nothing
#define NRPC_SAME_ASK(settings) NRPC_SAME_TELL(settings)
#endif

/* All of config.h, one a line. Some have no part in any layout; they are here since one that is set
 * for the application's files and not for the core's would be ignored in silence. */
/* clang-format off */
#define NRPC_SAME_SETTINGS_(is) \
    is(NRPC_MAX_STREAMS) \
    is(NRPC_RX_BLOCKS) \
    is(NRPC_LARGE_MESSAGES) \
    is(NRPC_HPACK_ENTRIES) \
    is(NRPC_HEADER_LIST_MAX) \
    is(NRPC_HEADER_BLOCK_MAX) \
    is(NRPC_STATUS_MESSAGE_MAX) \
    is(NRPC_METADATA_BYTES) \
    is(NRPC_COMPRESSION) \
    is(NRPC_GLITCHES_MAX) \
    is(NRPC_GLITCHES_PER_SECOND) \
    is(NRPC_PINGS_MAX) \
    is(NRPC_STALL_TIMEOUT_MS) \
    is(NRPC_REQUEST_TIMEOUT_MS) \
    is(NRPC_YIELD_MS) \
    is(NRPC_HOLD_TIMEOUT_MS) \
    is(NRPC_MAX_AGE_MS) \
    is(NRPC_MAX_IDLE_MS) \
    is(NRPC_KEEPALIVE_MS) \
    is(NRPC_WARN_MS) \
    is(NRPC_DRAIN_MS) \
    is(NRPC_SHRINK) \
    is(NRPC_REFUSALS) \
    is(NRPC_PIECES) \
    is(NRPC_CLIENT) \
    is(NRPC_FAST) \
    is(NRPC_MANY_CONNECTIONS) \
    is(NRPC_HEADER_BYTES_PER_SECOND) \
    is(NRPC_TLS) \
    is(NRPC_CHECKS)
/* clang-format on */

#ifdef NRPC_SAME_TOLD_HERE /* nrpc_conn.c */
NRPC_SAME_TELL(NRPC_SAME_SETTINGS_);
#elif !defined(NRPC_SAME_UNASKED) /* a test that puts one file with other settings in its place */
NRPC_SAME_ASK(NRPC_SAME_SETTINGS_);
#endif

#endif
