/* boards/drivers/stellaris.c - the clock of TI's Stellaris chips, which their boards share.
 * Layer: board. Source: TI LM3S811 (SPMS150) and LM3S6965 (SPMS128) data sheets, system control.
 * SPDX-License-Identifier: Apache-2.0 */
#include "stellaris.h"

#include "../cpu.h"

#define SYSCTL_RIS REG(0x400FE050u)
#define SYSCTL_MISC REG(0x400FE058u)
#define SYSCTL_RCC REG(0x400FE060u)

#define PLL_LOCKED 0x40u

#define RCC_SYSDIV_MASK (0xFu << 23)
#define RCC_SYSDIV_4 (3u << 23) /* 200 MHz from the PLL / 4 */
#define RCC_USESYSDIV (1u << 22)
#define RCC_PWRDN (1u << 13)
#define RCC_OEN (1u << 12)
#define RCC_BYPASS (1u << 11)
#define RCC_XTAL_MASK (0xFu << 6)
#define RCC_OSCSRC_MASK (3u << 4)
#define RCC_MOSCDIS 1u

void stellaris_spin(uint32_t loops)
{
    for (; loops != 0; loops--) {
        __asm__ volatile("nop");
    }
}

/* The divisor is written while the PLL is bypassed, and the bypass is left in a write of its own.
 */
void stellaris_clock_start(enum stellaris_crystal crystal)
{
    uint32_t rcc = (SYSCTL_RCC | RCC_BYPASS) & ~RCC_USESYSDIV;
    SYSCTL_RCC = rcc;
    rcc &= ~RCC_MOSCDIS;
    SYSCTL_RCC = rcc;
    stellaris_spin(60000); /* the crystal: some 20 ms at 12 MHz */
    rcc = (rcc & ~(RCC_XTAL_MASK | RCC_OSCSRC_MASK)) | (uint32_t)crystal << 6;
    SYSCTL_MISC = PLL_LOCKED; /* clears what an earlier lock left */
    rcc &= ~(RCC_PWRDN | RCC_OEN);
    SYSCTL_RCC = rcc;
    stellaris_spin(16);
    rcc = (rcc & ~RCC_SYSDIV_MASK) | RCC_SYSDIV_4 | RCC_USESYSDIV;
    SYSCTL_RCC = rcc;
    for (uint32_t i = 0; (SYSCTL_RIS & PLL_LOCKED) == 0 && i < 100000; i++) {
    }
    SYSCTL_RCC = rcc & ~RCC_BYPASS;
    stellaris_spin(16);
}
