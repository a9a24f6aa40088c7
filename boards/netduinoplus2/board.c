/* boards/netduinoplus2/board.c - Netduino Plus 2: STM32F405, clock 168 MHz, USART6 (the link: D0,
 * D1). Layer: board. Source: ST RM0090, DS8626 (STM32F405 data sheet); Netduino Plus 2 schematics.
 * SPDX-License-Identifier: Apache-2.0 */
#include "../board.h"

#include "../cortexm/cortexm.h"
#include "../drivers/stm32.h"

#define CLOCK_HZ 168000000u
#define APB2_HZ (CLOCK_HZ / 2u)
#define APB2_USART6 (1u << 5)
#define FUNCTION_USART6 8u

/* 25 MHz / 25 * 336 / 2. Brown-out: the chip resets below 1.7 V; a higher level is an option byte,
 * which firmware leaves as it is. */
static const struct stm32_clock clock = {
    .caches = STM32_FLASH_F4,
    .latency = 5,
    .m = 25,
    .m_internal = 16,
    .n = 336,
    .p = 2,
    .q = 7,
    .apb1 = STM32_APB_4,
    .apb2 = STM32_APB_2,
};

void board_init(void)
{
    stm32_clock_start(&clock);
    STM32_RCC_APB2ENR |= APB2_USART6;
    stm32_pin_function('C', 6, FUNCTION_USART6); /* D1: out */
    stm32_pin_function('C', 7, FUNCTION_USART6); /* D0: in */
    stm32_usart_start(APB2_HZ, 1);
    cortexm_clock_start(CLOCK_HZ);
    cpu_irq_on();
}
