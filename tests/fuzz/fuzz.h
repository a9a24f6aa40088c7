/* tests/fuzz/fuzz.h - what the targets share: an input's numbers, a connection for its bytes.
 * Layer: test. Source: none; the judges are the sanitizers, guard pages, services and judge.c.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "wire.h"

/* One of them in each fuzz_NAME.c; libFuzzer calls it, or driver.c. Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { FUZZ_INPUT = 4096 }; /* bytes of an input, at most */

/* The first bytes of most inputs say how the rest is used: two of them the numbers that follow from
 * fuzz_next. */
void fuzz_begin(const uint8_t *two);
uint32_t fuzz_next(uint32_t below);

/* Puts bytes into wire.in: as they are; or, with is_compact, as frames whose lengths are always
 * right, each from four bytes (type, flags, stream, length) and its payload. Type COMPACT_MESSAGE
 * is DATA with a message that is whole. */
enum { COMPACT_MESSAGE = 14 };
void fuzz_bytes(const uint8_t *data, size_t n, int is_compact);

/* Gives all of wire.in to a fresh connection: in random pieces, with random turns to send, and with
 * time passing. act: may do what an application does; called in between. Ends with the link's. What
 * comes out is judged. */
void fuzz_run(void (*act)(void));

/* What is transmitted at once must be whole frames of the right sizes, in an order that RFC 9113
 * allows: nothing on a stream after its end, no GOAWAY after that of an error and none with a
 * higher stream, no more DATA than wire.in has granted. */
void fuzz_judge_begin(void);
void fuzz_judge(const uint8_t *p, size_t n);

/* Ends the program, so that the fuzzer notes the input, when a check has failed. */
void fuzz_end(void);

#endif
