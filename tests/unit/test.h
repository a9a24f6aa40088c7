/* tests/unit/test.h - what a unit test needs: checks, names, a summary; on host and board.
 * Layer: test. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_H
#define TEST_H

#include <stddef.h>
#include <stdint.h>

#include "nanorpc/config.h"

/* main of a test program: RUN(one); RUN(other); return test_end(); */
#define RUN(function) test_run(#function, function)
/* One for which small memory does not suffice: see TEST_SIZE. */
#define RUN_LARGE(function) \
    TEST_SIZE(test_run(#function, function), ((void)(function), test_skip(#function)))
#define CHECK(condition) test_check((condition) != 0, #condition, __FILE__, __LINE__)
#define CHECK_EQ(got, expected) \
    test_check_eq((int64_t)(got), (int64_t)(expected), #got, __FILE__, __LINE__)
#define CHECK_TEXT(got, expected) test_check_text((got), (expected), __FILE__, __LINE__)

void test_run(const char *name, void (*function)(void));
void test_skip(const char *name); /* says so */

/* Prints "N passed, N failed", and how many were not run, and returns the exit status: 0 when
 * nothing failed. */
int test_end(void);

/* Each returns whether it is so; a test goes on in any case, and prints its first failures. */
int test_check(int is_true, const char *text, const char *file, int line);
int test_check_eq(int64_t got, int64_t expected, const char *text, const char *file, int line);
int test_check_text(const char *got, const char *expected, const char *file, int line);

/* Printed with every failure from now on: which variant of a test it is. text: kept; NULL
 * for none. */
void test_context(const char *text, long number);

/* Whether the running test has already failed. */
int test_has_failed(void);

void test_print(const char *text);
void test_print_number(int64_t value);

/* Where the output goes: host.c, or tests/target/semihost.c. */
void test_write(const char *text, size_t n);

/* Whether inputs are only to be kept, as seeds for fuzzing (host.c: in the folder that NRPC_KEEP in
 * the environment names); then this one has been. kind: what it is for. */
int test_keep(const char *kind, const void *data, size_t n);

/* Where size_t has 16 bits, as on AVR, there are 64 KB of memory at most: buffers are smaller.
 * Tests for which they are too small are not run there (unit-avr_SRC in the Makefile). */
#if SIZE_MAX < UINT32_MAX
#define TEST_SIZE(usual, small) (small)
#else
#define TEST_SIZE(usual, small) (usual)
#endif

/* A copy of n bytes whose end is followed by memory that must not be touched, where the platform
 * can do this (host.c); at most TEST_GUARDED_MAX bytes; the next call takes the memory back. */
enum { TEST_GUARDED_MAX = TEST_SIZE(1 << 18, 2048) };
const uint8_t *test_guarded(const void *data, size_t n);

/* What is done where a call is used that is over, NRPC_CHECKS; NULL: it is printed, then the
 * processor traps. */
extern void (*test_on_check)(const char *function, const char *what);

/* n bytes to write to, likewise; independent of test_guarded. */
uint8_t *test_guarded_room(size_t n);

#endif
