/* boards/nucleo_f411/board.c - ST NUCLEO-F411RE: clock 100 MHz, USART2 (the link: ST-Link's serial
 * port). Layer: board. Source: ST RM0383, DS10314 (STM32F411 data sheet), UM1724 (the board).
 * SPDX-License-Identifier: Apache-2.0 */
#include "../board.h"

#include "../cortexm/cortexm.h"
#include "../drivers/stm32.h"

#define CLOCK_HZ 100000000u
#define APB1_HZ (CLOCK_HZ / 2u)
#define APB1_USART2 (1u << 17)
#define FUNCTION_USART2 7u

/* The ST-Link's 8 MHz / 4 * 100 / 2. Brown-out: the chip resets below 1.7 V; a higher level is an
 * option byte, which firmware leaves as it is. */
static const struct stm32_clock clock = {
    .bypass = 1,
    .caches = STM32_FLASH_F4,
    .scale_1 = 1,
    .latency = 3,
    .m = 4,
    .m_internal = 8,
    .n = 100,
    .p = 2,
    .q = 4,
    .apb1 = STM32_APB_2,
    .apb2 = STM32_APB_1,
};

void board_init(void)
{
    stm32_clock_start(&clock);
    STM32_RCC_APB1ENR |= APB1_USART2;
    stm32_pin_function('A', 2, FUNCTION_USART2); /* out */
    stm32_pin_function('A', 3, FUNCTION_USART2); /* in */
    stm32_usart_start(APB1_HZ, 1);
    cortexm_clock_start(CLOCK_HZ);
    cpu_irq_on();
}
