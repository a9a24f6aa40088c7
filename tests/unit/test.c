/* tests/unit/test.c - counts and prints what the checks of a test program find.
 * Layer: test. Source: none. Neither the printf family nor the heap, so that it runs on any board.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "nanorpc/ref.h"

#include <string.h>

enum { PRINTED_FAILURES = 4 };

static unsigned n_passed, n_failed, n_skipped, n_failures;
static const char *running = "", *variant;
static long variant_number;

void test_print(const char *text)
{
    test_write(text, strlen(text));
}

void test_print_number(int64_t value)
{
    char digits[24];
    unsigned n = sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[--n] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0) {
        digits[--n] = '-';
    }
    test_write(digits + n, sizeof digits - n);
}

void test_context(const char *text, long number)
{
    variant = text;
    variant_number = number;
}

int test_has_failed(void)
{
    return n_failures != 0;
}

/* Returns 1 when the failure's details are to follow. */
static int failure(const char *file, int line)
{
    if (n_failures++ >= PRINTED_FAILURES) {
        return 0;
    }
    test_print(file);
    test_print(":");
    test_print_number(line);
    test_print(": ");
    test_print(running);
    if (variant) {
        test_print(" [");
        test_print(variant);
        test_print(" ");
        test_print_number(variant_number);
        test_print("]");
    }
    test_print(": ");
    return 1;
}

int test_check(int is_true, const char *text, const char *file, int line)
{
    if (!is_true && failure(file, line)) {
        test_print(text);
        test_print("\n");
    }
    return is_true;
}

int test_check_eq(int64_t got, int64_t expected, const char *text, const char *file, int line)
{
    if (got != expected && failure(file, line)) {
        test_print(text);
        test_print(" is ");
        test_print_number(got);
        test_print(", not ");
        test_print_number(expected);
        test_print("\n");
    }
    return got == expected;
}

int test_check_text(const char *got, const char *expected, const char *file, int line)
{
    int same = strcmp(got, expected) == 0;
    if (!same && failure(file, line)) {
        test_print("\n    got      ");
        test_print(got);
        test_print("\n    expected ");
        test_print(expected);
        test_print("\n");
    }
    return same;
}

void test_run(const char *name, void (*function)(void))
{
    running = name;
    variant = NULL;
    n_failures = 0;
    function();
    if (n_failures) {
        n_failed++;
    } else {
        n_passed++;
    }
    test_print(n_failures ? "FAIL " : "ok   ");
    test_print(name);
    test_print("\n");
}

void test_skip(const char *name)
{
    n_skipped++;
    test_print("skip ");
    test_print(name);
    test_print(": too little memory\n");
}

int test_end(void)
{
    test_print_number(n_passed);
    test_print(" passed, ");
    test_print_number(n_failed);
    test_print(" failed");
    if (n_skipped) {
        test_print(", ");
        test_print_number(n_skipped);
        test_print(" not run");
    }
    test_print("\n");
    return n_failed ? 1 : 0;
}
