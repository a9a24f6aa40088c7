/* tests/serial/rts_cts.c - the STM32VLDISCOVERY's board.c and boards/serial.c, with RTS and CTS:
 * its registers are the host's memory. Layer: test. Source: ST RM0041, 24.6 (USART), 7.2 (GPIO).
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/mman.h>

#include "boards/board.h"
#include "boards/cortexm/cortexm.h"
#include "boards/uart.h"

#define SR REG(0x40013800u)
#define DR REG(0x40013804u)
#define CR1 REG(0x4001380Cu)
#define CR3 REG(0x40013814u)
#define GPIOA_CRH REG(0x40010804u)
#define RXNE 0x20u
#define RXNEIE 0x20u

static unsigned come; /* bytes that the line still has */

void cpu_irq_enable(unsigned irq)
{
    (void)irq;
}

void cpu_irq_off(void)
{
}

void cpu_irq_on(void)
{
}

void cpu_wait(void)
{
}

void cortexm_clock_start(uint32_t clock_hz)
{
    (void)clock_hz;
}

uint32_t board_now_ms(void)
{
    return 1;
}

static void say(const char *what, unsigned n)
{
    printf("%s %u, then %s\n", what, n, CR1 & RXNEIE ? "more" : "held back");
}

/* What the UART does: it interrupts while it may and has a byte. */
static void interrupts(void)
{
    unsigned before = come;
    while (come && (CR1 & RXNEIE)) {
        SR |= RXNE;
        DR = 'x';
        board_isr();
    }
    say("came", before - come);
}

/* The linker puts it before board_uart_got. */
void __real_board_uart_got(uint8_t byte);
void __wrap_board_uart_got(uint8_t byte);
void __wrap_board_uart_got(uint8_t byte)
{
    come--;
    SR &= ~RXNE; /* DR has been read */
    __real_board_uart_got(byte);
}

int main(void)
{
    const int how = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
    if (mmap((void *)0x40010000u, 0x12000, PROT_READ | PROT_WRITE, how, -1, 0) == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    GPIOA_CRH = 0x44444444u; /* as after a reset */
    board_init();
    printf("CR3 %03x CRH %08x\n", (unsigned)CR3, (unsigned)GPIOA_CRH);
    come = 1000;
    interrupts();
    board_wait(1);
    say("left", come);
    interrupts();
    return 0;
}
