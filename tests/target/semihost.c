/* tests/target/semihost.c - runs a unit test on an emulated Cortex-M3: start-up, output and exit.
 * Layer: test. Source: Arm "Semihosting for AArch32 and AArch64"; Armv7-M ARM B3.5, MPU.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tests/unit/test.h"

enum { SYS_WRITE0 = 0x04, SYS_EXIT_EXTENDED = 0x20 };
#define ADP_STOPPED_APPLICATION_EXIT 0x20026U

extern uint32_t data_load[], data_start[], data_end[], bss_start[], bss_end[], stack_top[];
int main(void);
void reset(void);
void __assert_no_args(void) __attribute__((noreturn));
void __assert_func(const char *file, int line, const char *function, const char *text)
    __attribute__((noreturn));

static void semihost(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

static void stop(uint32_t status)
{
    const uint32_t argument[2] = {ADP_STOPPED_APPLICATION_EXIT, status};
    for (;;)
        semihost(SYS_EXIT_EXTENDED, argument);
}

static void put(const char *text)
{
    semihost(SYS_WRITE0, text);
}

void test_write(const char *text, size_t n)
{
    char line[65];
    while (n) {
        size_t k = n < sizeof line - 1 ? n : sizeof line - 1;
        memcpy(line, text, k);
        line[k] = 0;
        put(line);
        text += k;
        n -= k;
    }
}

/* Test data, and behind each block a page that the MPU lets nobody touch. */
enum { PAGE = 4096, PAGE_LOG2 = 12 };
struct guarded {
    uint8_t data[TEST_GUARDED_MAX];
    uint8_t page[PAGE];
};
static struct guarded guarded __attribute__((aligned(PAGE)));
static struct guarded guarded_room __attribute__((aligned(PAGE)));

const uint8_t *test_guarded(const void *data, size_t n)
{
    return n ? memcpy(guarded.page - n, data, n) : guarded.page;
}

uint8_t *test_guarded_room(size_t n)
{
    return guarded_room.page - n;
}

int test_keep(const char *kind, const void *data, size_t n)
{
    (void)kind;
    (void)data;
    (void)n;
    return 0; /* there is nowhere to keep it */
}

static void guard(uint32_t region, const uint8_t *page)
{
    volatile uint32_t *mpu = (volatile uint32_t *)0xE000ED90U;
    mpu[2] = region;
    mpu[3] = (uint32_t)page;
    mpu[4] = 1U << 28 | (PAGE_LOG2 - 1) << 1 | 1U; /* no execution, no access; size; on */
    mpu[1] = 1U << 2 | 1U;                         /* the default map elsewhere; on */
}

void __assert_no_args(void)
{
    put("assertion failed\n");
    stop(1);
    for (;;) {
    }
}

void __assert_func(const char *file, int line, const char *function, const char *text)
{
    (void)line;
    put(file);
    put(": ");
    put(function ? function : "?");
    put(": assertion failed: ");
    put(text);
    put("\n");
    stop(1);
    for (;;) {
    }
}

void _exit(int status); /* a test that cannot go on calls exit */
void _exit(int status)
{
    stop((uint32_t)status);
    for (;;) {
    }
}

static void fault(void)
{
    put("the processor took a fault\n");
    stop(2);
}

void reset(void)
{
    memcpy(data_start, data_load, (size_t)((char *)data_end - (char *)data_start));
    memset(bss_start, 0, (size_t)((char *)bss_end - (char *)bss_start));
    guard(0, guarded.page);
    guard(1, guarded_room.page);
    stop((uint32_t)main());
}

/* The first word is the stack's top, the others are functions. */
union vector {
    void *stack;
    void (*handler)(void);
};

static const union vector vectors[16] __attribute__((section(".vectors"), used)) = {
    {.stack = stack_top}, {.handler = reset}, {.handler = fault}, {.handler = fault},
    {.handler = fault},   {.handler = fault}, {.handler = fault}};
