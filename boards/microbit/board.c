/* boards/microbit/board.c - BBC micro:bit, version 1: crystal, TIMER0 for a clock, UART (the link).
 * Layer: board. Source: Nordic nRF51 Series Reference Manual 3.0: 13 clock, 18 timer, 29 UART; the
 * board's schematics.
 * SPDX-License-Identifier: Apache-2.0 */
#include "../board.h"

#include "../cortexm/cortexm.h"
#include "../uart.h"

#define CLOCK_HFCLKSTART REG(0x40000000u)
#define CLOCK_HFCLKSTARTED REG(0x40000100u)
#define UART_STARTRX REG(0x40002000u)
#define UART_STARTTX REG(0x40002008u)
#define UART_RXDRDY REG(0x40002108u)
#define UART_TXDRDY REG(0x4000211Cu)
#define UART_INTENSET REG(0x40002304u)
#define UART_ENABLE REG(0x40002500u)
#define UART_PSELTXD REG(0x4000250Cu)
#define UART_PSELRXD REG(0x40002514u)
#define UART_RXD REG(0x40002518u)
#define UART_TXD REG(0x4000251Cu)
#define UART_BAUDRATE REG(0x40002524u)
#define TIMER0_START REG(0x40008000u)
#define TIMER0_CAPTURE1 REG(0x40008044u)
#define TIMER0_COMPARE0 REG(0x40008140u)
#define TIMER0_INTENSET REG(0x40008304u)
#define TIMER0_MODE REG(0x40008504u)
#define TIMER0_BITMODE REG(0x40008508u)
#define TIMER0_PRESCALER REG(0x40008510u)
#define TIMER0_CC0 REG(0x40008540u)
#define TIMER0_CC1 REG(0x40008544u)
#define GPIO_OUTSET REG(0x50000508u)
#define GPIO_DIRSET REG(0x50000518u)
#define GPIO_PIN_CNF(pin) REG(0x50000700u + 4u * (pin))

#define PIN_TX 24u /* to the interface chip, which is the computer's /dev/ttyACM0 */
#define PIN_RX 25u
#define PIN_INPUT_PULLUP 0xCu
#define UART_ON 4u
#define INT_RXDRDY (1u << 2)
#define BITMODE_32 3u
#define PRESCALER_1MHZ 4u
#define INT_COMPARE0 (1u << 16)

#if BOARD_BAUD != 115200
#error "the UART has no divisor: another BOARD_BAUD needs another BAUDRATE, from the manual's table"
#endif
#define BAUDRATE_115200 0x01D7E000u

static uint8_t is_sending;

/* The crystal: the RC oscillator's error would use up half of what a UART can bear. */
static void start_clock(void)
{
    CLOCK_HFCLKSTARTED = 0;
    CLOCK_HFCLKSTART = 1;
    for (uint32_t i = 0; CLOCK_HFCLKSTARTED == 0 && i < 100000u; i++) {
    }
}

/* The chip has no SysTick. This one runs on, and the next millisecond goes before it. */
static void start_timer(void)
{
    TIMER0_MODE = 0;
    TIMER0_BITMODE = BITMODE_32;
    TIMER0_PRESCALER = PRESCALER_1MHZ;
    TIMER0_CC0 = 1000;
    TIMER0_INTENSET = INT_COMPARE0;
    cpu_irq_enable(BOARD_CLOCK_IRQ);
    TIMER0_START = 1;
}

uint32_t board_clock_isr(void)
{
    uint32_t passed = 0;
    TIMER0_COMPARE0 = 0;
    do {
        TIMER0_CC0 += 1000;
        TIMER0_CAPTURE1 = 1;
        passed++;
    } while ((int32_t)(TIMER0_CC0 - TIMER0_CC1) <= 0);
    return passed;
}

static void start_uart(void)
{
    GPIO_OUTSET = 1u << PIN_TX; /* the line rests high before the UART has it */
    GPIO_DIRSET = 1u << PIN_TX;
    GPIO_PIN_CNF(PIN_RX) = PIN_INPUT_PULLUP;
    UART_PSELTXD = PIN_TX;
    UART_PSELRXD = PIN_RX;
    UART_BAUDRATE = BAUDRATE_115200;
    UART_ENABLE = UART_ON;
    UART_INTENSET = INT_RXDRDY;
    UART_STARTTX = 1;
    UART_STARTRX = 1;
    cpu_irq_enable(BOARD_IRQ);
}

int board_uart_has_room(void)
{
    return !is_sending || UART_TXDRDY != 0;
}

void board_uart_put(uint8_t byte)
{
    UART_TXDRDY = 0;
    is_sending = 1;
    UART_TXD = byte;
}

void board_isr(void)
{
    while (UART_RXDRDY != 0) {
        UART_RXDRDY = 0; /* before the read, which brings up the next byte and its event */
        board_uart_got((uint8_t)UART_RXD);
    }
}

void board_init(void)
{
    start_clock();
    start_timer();
    start_uart();
    cpu_irq_on();
}
