/* tests/target/avr.c - runs a unit test on an AVR in simavr: its output and exit, and memory
 * outside of the chip. Layer: test. Source: boards/avr/simavr.c; ATmega2560 data sheet, 9 "External
 * Memory Interface".
 * SPDX-License-Identifier: Apache-2.0 */
#include <avr/io.h>
#include <string.h>

#include "tests/unit/test.h"

/* Before any variable is written: all from the end of the memory inside to 0xFFFF is outside. */
__attribute__((naked, used, section(".init1"))) static void start_memory(void)
{
    XMCRA = 1 << SRE;
}

void test_write(const char *text, size_t n)
{
    while (n--) {
        GPIOR1 = (uint8_t)*text++;
    }
}

int test_keep(const char *kind, const void *data, size_t n)
{
    (void)kind;
    (void)data;
    (void)n;
    return 0; /* there is nowhere to keep it */
}

/* There is no memory that must not be touched, and none for a copy. */
const uint8_t *test_guarded(const void *data, size_t n)
{
    (void)n;
    return data;
}

uint8_t *test_guarded_room(size_t n)
{
    static uint8_t room[TEST_GUARDED_MAX];
    return room + sizeof room - n;
}

/* In the place of the library's: main's result comes here, too. */
void exit(int status);
void exit(int status)
{
    GPIOR2 = (uint8_t)status;
    for (;;) {
    }
}
