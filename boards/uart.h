/* boards/uart.h - between a board's UART and boards/serial.c, where the UART is the link.
 * Layer: board. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARDS_UART_H
#define BOARDS_UART_H

#include <stdint.h>

/* Bits a second, 8N1: what the board sets its UART to, and what follows from it for the link. */
#ifndef BOARD_BAUD
#define BOARD_BAUD 115200
#endif

/* The board's: 1: a byte may be written now. */
int board_uart_has_room(void);

/* The board's: writes one, where there is room. */
void board_uart_put(uint8_t byte);

/* For the board's receive interrupt, board_isr: one byte that came. */
void board_uart_got(uint8_t byte);

#endif
