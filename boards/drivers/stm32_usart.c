/* boards/drivers/stm32_usart.c - a USART of STM32: that of F1, F2 and F4, or that of F0, F3 and F7.
 * Layer: board. Source: ST RM0041, RM0090, RM0383 (the older one), RM0410 (the newer one): "USART".
 * SPDX-License-Identifier: Apache-2.0 */
#include "stm32.h"

#include "../uart.h"

#ifndef STM32_USART_AT
#error "board.mk must say -DSTM32_USART_AT=address"
#endif
#define USART(offset) REG(STM32_USART_AT + (offset))
#if STM32_USART_NEW
#define CR1 USART(0x00u)
#define BRR USART(0x0Cu)
#define CR3 USART(0x08u)
#define STATE USART(0x1Cu)
#define CLEAR USART(0x20u)
#define RECEIVED USART(0x24u)
#define SENT USART(0x28u)
#define CR1_ON 0x00Du /* on, receive, transmit */
#else
#define STATE USART(0x00u)
#define RECEIVED USART(0x04u)
#define SENT USART(0x04u)
#define BRR USART(0x08u)
#define CR1 USART(0x0Cu)
#define CR3 USART(0x14u)
#define CR1_ON 0x200Cu
#endif
#define CR1_INTERRUPT (1u << 5) /* by what is received */
#define CR3_RTS_CTS 0x300u
#define STATE_OVERRUN (1u << 3)
#define STATE_RECEIVED (1u << 5)
#define STATE_ROOM (1u << 7)

void stm32_usart_start(uint32_t bus_hz, int receives)
{
    BRR = (bus_hz + BOARD_BAUD / 2u) / BOARD_BAUD;
    CR3 = receives && BOARD_RTS_CTS ? CR3_RTS_CTS : 0;
    CR1 = receives ? CR1_ON | CR1_INTERRUPT : CR1_ON;
    if (receives) {
        cpu_irq_enable(BOARD_IRQ);
    }
}

int stm32_usart_has_room(void)
{
    return (STATE & STATE_ROOM) != 0;
}

void stm32_usart_put(uint8_t byte)
{
    SENT = byte;
}

#if !STM32_USART_CONSOLE
int board_uart_has_room(void)
{
    return stm32_usart_has_room();
}

void board_uart_put(uint8_t byte)
{
    stm32_usart_put(byte);
}

void board_uart_resume(void)
{
    CR1 |= CR1_INTERRUPT;
}

/* An overrun interrupts too. The older one's ends with the read of what was received. Bytes with
 * errors are passed on: the check sequence finds them. */
void board_isr(void)
{
    uint32_t state;
    while (((state = STATE) & (STATE_RECEIVED | STATE_OVERRUN)) != 0) {
        if (BOARD_RTS_CTS && !board_uart_has_place()) {
            CR1 &= ~CR1_INTERRUPT; /* until board_uart_resume; the chip's RTS holds the host back */
            return;
        }
        uint8_t byte = (uint8_t)RECEIVED;
#if STM32_USART_NEW
        CLEAR = state & STATE_OVERRUN;
#endif
        if ((state & STATE_RECEIVED) != 0) {
            board_uart_got(byte);
        }
    }
}
#endif
