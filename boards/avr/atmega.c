/* boards/avr/atmega.c - a board that is an ATmega with a crystal: timer 0 is the clock, USART 0 the
 * link. Pins: RXD0, TXD0.
 * Layer: board. Source: ATmega164A..1284P data sheet (8272), 16 "TC0", 20 "USART".
 * SPDX-License-Identifier: Apache-2.0 */
#include <avr/io.h>

#include "nanorpc/config.h"

#include "../board.h"
#include "../cpu.h"
#include "../uart.h"

#ifndef BOARD_HZ
#error "board.mk must say -DBOARD_HZ=number: the crystal's frequency"
#endif

/* Timer 0 counts to 250 or less in a millisecond; at double speed the UART takes 8 clocks a
 * sample. */
enum { TIMER_DIVISOR = 64, UART_DIVISOR = 8 };
#define TIMER_TOP (BOARD_HZ / TIMER_DIVISOR / 1000 - 1)
#define UBRR ((BOARD_HZ + (uint32_t)UART_DIVISOR / 2 * BOARD_BAUD) / UART_DIVISOR / BOARD_BAUD - 1)
#define REAL_BAUD (BOARD_HZ / UART_DIVISOR / (UBRR + 1))
NRPC_STATIC_ASSERT(BOARD_HZ % (TIMER_DIVISOR * 1000L) == 0 && TIMER_TOP <= 255,
                   "BOARD_HZ: a multiple of 64 kHz, up to 16 MHz");
NRPC_STATIC_ASSERT(REAL_BAUD <= BOARD_BAUD / 50 * 51 && REAL_BAUD >= BOARD_BAUD / 50 * 49,
                   "BOARD_BAUD: the crystal gives none within 2 %");

NRPC_STATIC_ASSERT(BOARD_RING_BYTES <= 128, "BOARD_RING_BYTES: 128, see boards/serial.c");

static volatile uint32_t clock_ms;

/* avr/interrupt.h's ISR has what clang does not know. */
#define VECTOR(vector)                               \
    void vector(void) __attribute__((signal, used)); \
    void vector(void)

VECTOR(TIMER0_COMPA_vect)
{
    clock_ms = clock_ms + 1;
}

VECTOR(USART0_RX_vect)
{
    board_isr();
}

void board_isr(void)
{
    board_uart_got(UDR0); /* errors too: the check sequence finds them */
}

uint32_t board_now_ms(void)
{
    uint8_t status = SREG; /* reading it takes four instructions */
    cpu_irq_off();
    uint32_t now = clock_ms;
    SREG = status;
    return now;
}

int board_uart_has_room(void)
{
    return (UCSR0A & 1 << UDRE0) != 0;
}

void board_uart_put(uint8_t byte)
{
    UDR0 = byte;
}

void board_init(void)
{
    TCCR0A = 1 << WGM01;            /* begins anew at OCR0A */
    TCCR0B = 1 << CS01 | 1 << CS00; /* clock / 64 */
    OCR0A = TIMER_TOP;
    TIMSK0 = 1 << OCIE0A;
    UBRR0 = UBRR;
    UCSR0A = 1 << U2X0;
    UCSR0C = 1 << UCSZ01 | 1 << UCSZ00; /* 8N1 */
    UCSR0B = 1 << RXCIE0 | 1 << RXEN0 | 1 << TXEN0;
    cpu_irq_on();
}
