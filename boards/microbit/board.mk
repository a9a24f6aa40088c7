# boards/microbit/board.mk - BBC micro:bit, version 1: nRF51822, Cortex-M0, 256 KB of flash, 16 KB of RAM; a UART.
# Layer: board.
# SPDX-License-Identifier: Apache-2.0
BOARD_CC := arm-none-eabi-
BOARD_CFLAGS := $(SMALLEST) -mcpu=cortex-m0 -mthumb --specs=picolibc.specs -DBOARD_IRQ=2 -DBOARD_CLOCK_IRQ=8
BOARD_LDFLAGS := -nostartfiles -Tboards/microbit/link.ld
BOARD_SRC := boards/microbit/board.c boards/cortexm/startup.c boards/test_seed.c
BOARD_PORT := serial
BOARD_CONFIG := -DNRPC_MAX_STREAMS=4 -DNRPC_HPACK_ENTRIES=16 -DGREETER_CONNECTIONS=2
BOARD_EMULATOR := qemu-system-arm -M microbit -display none -monitor none -serial tcp:127.0.0.1:$(PORT),server=on,wait=off,nodelay=on -device loader,file=$(IMAGE)
BOARD_FLASH_KB := 256
BOARD_RAM_KB := 16
BOARD_FLASH := hex pyocd
BOARD_DRIVE := MICROBIT
BOARD_PYOCD := nrf51
BOARD_RUN_STATE := emulated
