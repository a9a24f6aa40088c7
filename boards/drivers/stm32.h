/* boards/drivers/stm32.h - what boards with an STM32 F1, F2, F4 or F7 share: clock tree, pins,
 * USART. Layer: board. Source: ST RM0041 (F100), RM0090 (F405), RM0383 (F411), RM0410 (F76x).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARDS_DRIVERS_STM32_H
#define BOARDS_DRIVERS_STM32_H

#include "../cpu.h"

/* F2, F4, F7. */
#define STM32_RCC_AHB1ENR REG(0x40023830u)
#define STM32_RCC_AHB1RSTR REG(0x40023810u)
#define STM32_RCC_AHB2ENR REG(0x40023834u)
#define STM32_RCC_APB1ENR REG(0x40023840u)
#define STM32_RCC_APB2ENR REG(0x40023844u)
#define STM32_APB1_PWR (1u << 28)

/* The processor's clock = crystal / m * n / p, and the 48 MHz for USB and the random number
 * generator = crystal / m * n / q. VCO: crystal / m is 1..2 MHz. */
struct stm32_clock {
    uint8_t bypass;     /* 1: another chip gives the clock; 0: a crystal */
    uint8_t overdrive;  /* F7, above 180 MHz */
    uint8_t latency;    /* wait states of flash at that clock and 2.7 to 3.6 V */
    uint8_t m, p, q;    /* 2..63; 2, 4, 6 or 8; 2..15 */
    uint16_t n;         /* 50..432 */
    uint8_t m_internal; /* the same m for the 16 MHz RC oscillator, if there is no other clock */
    uint8_t scale_1;    /* F411: its regulator is at scale 2 after a reset, for 84 MHz at most */
    uint8_t caches;     /* of flash: STM32_FLASH_ */
    uint8_t apb1, apb2; /* how slow the buses are: STM32_APB_ */
};
enum stm32_flash {
    STM32_FLASH_F4 = 7, /* prefetch, instructions, data */
    STM32_FLASH_F7 = 3  /* prefetch, accelerator */
};
enum stm32_apb { STM32_APB_1 = 0, STM32_APB_2 = 4, STM32_APB_4 = 5 };

/* F2, F4, F7: from the reset's 16 MHz to that clock. Where it does not come up (an emulator has
 * none) the processor goes on as it is. */
void stm32_clock_start(const struct stm32_clock *clock);

/* F2, F4, F7: gives pin 0..15 of port 'A'.. to peripheral `function` (0..15), at the highest
 * speed. */
void stm32_pin_function(char port, unsigned pin, unsigned function);

/* A USART at STM32_USART_AT, 8N1 at BOARD_BAUD, on a bus of bus_hz. receives: by the interrupt
 * BOARD_IRQ, into boards/serial.c. Clock and pins are on already. -DSTM32_USART_NEW=1: F7's. */
void stm32_usart_start(uint32_t bus_hz, int receives);
int stm32_usart_has_room(void);
void stm32_usart_put(uint8_t byte);

#endif
