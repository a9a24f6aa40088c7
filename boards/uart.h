/* boards/uart.h - between a board's UART and boards/serial.c, where the UART is the link.
 * Layer: board. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARDS_UART_H
#define BOARDS_UART_H

#include <stddef.h>
#include <stdint.h>

/* Bits a second, 8N1: what the board sets its UART to, and what follows from it for the link. */
#ifndef BOARD_BAUD
#define BOARD_BAUD 115200
#endif

/* What a UART's interrupt has received and the loop has not taken yet: a power of two, bytes,
 * 128..32768. The host is told, and has no more on its way. 0: the line holds the host back by
 * itself, as USB does. */
#ifndef BOARD_RING_BYTES
#define BOARD_RING_BYTES 256
#endif

/* 1: the UART has RTS and CTS, and uses them: they hold the host back, which is told of no ring.
 * For boards that have board_uart_resume. */
#ifndef BOARD_RTS_CTS
#define BOARD_RTS_CTS 0
#endif

/* --- A UART ---------------------------------------------------------------------------------- */

/* The board's: 1: a byte may be written now. */
int board_uart_has_room(void);

/* The board's: writes one, where there is room. */
void board_uart_put(uint8_t byte);

/* For the board's receive interrupt, board_isr: one byte that came. */
void board_uart_got(uint8_t byte);

/* With BOARD_RTS_CTS: 1: board_uart_got has a place for it. Where it has none board_isr leaves the
 * byte in the UART, which takes RTS away, and turns its interrupt off. */
int board_uart_has_place(void);

/* The board's, with BOARD_RTS_CTS: there is a place now; turns that interrupt on. */
void board_uart_resume(void);

/* --- Another line, with -DBOARD_RING_BYTES=0: the board's, instead of those above ----------------
 */

/* 1: a program listens, so that the first words are not lost. */
int board_line_is_open(void);

/* Gives up to `room` bytes that came. Returns how many. */
size_t board_line_read(uint8_t *to, size_t room);

/* How many bytes may be written now. Asked again and again it is not 0 for ever. */
size_t board_line_room(void);

/* Writes n bytes, no more than there is room for. */
void board_line_write(const uint8_t *bytes, size_t n);

/* 1: something has come, so that the loop must not sleep. Interrupts are off. */
int board_line_has_work(void);

#endif
