/* boards/text.c - the console of bare-metal boards: text, and the last words.
 * Layer: board. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "board.h"
#include "cpu.h"

void board_print(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n') {
            board_putc('\r');
        }
        board_putc(*text);
    }
}

void board_panic(const char *text)
{
    cpu_irq_off();
    board_print("nanorpc: panic: ");
    board_print(text);
    board_print("\n");
    for (;;) {
        cpu_wait();
    }
}
