/* boards/riscv_virt/board.c - QEMU's RISC-V machine "virt": UART, read-only code, virtio-net.
 * Layer: board. Source: QEMU, "virt" of RISC-V; NS16550A data sheet; RISC-V Privileged 3.7 (PMP).
 * SPDX-License-Identifier: Apache-2.0 */
#include "../board.h"

#include "../drivers/virtio_net.h"
#include "../net/net.h"
#include "../riscv/riscv.h"

#define TIMER_HZ 10000000u

#define UART_DATA (*(volatile uint8_t *)0x10000000u)
#define UART_LINE (*(volatile uint8_t *)0x10000005u)
#define UART_ROOM 0x20u

/* PMP: an entry that machine mode keeps to, too; a region of 2^n bytes; it is read and executed. */
#define PMP_CODE (0x80u | 0x18u | 0x4u | 0x1u)

/* Locally administered. */
static const uint8_t mac_address[6] = {0x02, 0x52, 0x50, 0x43, 0x00, 0x32};

extern const uint8_t ld_flash[], ld_flash_bytes[];

void board_putc(char c)
{
    while ((UART_LINE & UART_ROOM) == 0) {
    }
    UART_DATA = (uint8_t)c;
}

const uint8_t *board_station(void)
{
    return mac_address;
}

/* RAM stands for flash: locked, it is as constant as flash, and the stack, which lies above it,
 * faults when it overflows. */
static void lock_code(void)
{
    RISCV_CSR_WRITE(pmpaddr0, (uintptr_t)ld_flash >> 2 | (((uintptr_t)ld_flash_bytes >> 3) - 1u));
    RISCV_CSR_WRITE(pmpcfg0, PMP_CODE);
}

void board_init(void)
{
    lock_code();
    riscv_clock_start(TIMER_HZ);
    cpu_irq_on();
    if (virtio_net_start() != 0) {
        board_panic("no virtio-net of version 2");
    }
    net_start(&virtio_net_driver);
}

void board_poll(void)
{
    net_poll();
}
