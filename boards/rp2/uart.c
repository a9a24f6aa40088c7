/* boards/rp2/uart.c - a Pico whose UART0 is the link: GP0 sends, GP1 receives.
 * Layer: board. Source: RP2040 and RP2350 data sheets (UART), Pico SDK 2.1.1.
 * SPDX-License-Identifier: Apache-2.0 */
#include "../uart.h"

#include "../board.h"
#include "../cpu.h"
#include "hardware/gpio.h"
#include "hardware/irq.h"
#include "hardware/uart.h"
#include "rp2.h"

#define LINK uart0
#define LINK_IRQ UART0_IRQ

int board_uart_has_room(void)
{
    return uart_is_writable(LINK);
}

void board_uart_put(uint8_t byte)
{
    uart_get_hw(LINK)->dr = byte;
}

void board_isr(void)
{
    uart_get_hw(LINK)->icr = UART_UARTICR_RXIC_BITS | UART_UARTICR_RTIC_BITS;
    while (uart_is_readable(LINK)) {
        board_uart_got((uint8_t)uart_get_hw(LINK)->dr); /* errors too: the check sequence sees */
    }
}

void board_init(void)
{
    rp2_start();
    gpio_init(PICO_DEFAULT_LED_PIN);
    gpio_set_dir(PICO_DEFAULT_LED_PIN, GPIO_OUT);
    gpio_set_function(PICO_DEFAULT_UART_TX_PIN, GPIO_FUNC_UART);
    gpio_set_function(PICO_DEFAULT_UART_RX_PIN, GPIO_FUNC_UART);
    gpio_pull_up(PICO_DEFAULT_UART_RX_PIN); /* nothing is plugged in: silence, not noise */
    uart_init(LINK, BOARD_BAUD);
    irq_set_exclusive_handler(LINK_IRQ, board_isr);
    cpu_irq_enable(LINK_IRQ);
    uart_set_irqs_enabled(LINK, true, false);
    gpio_put(PICO_DEFAULT_LED_PIN, 1);
}
