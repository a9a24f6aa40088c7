# boards/lm3s811evb/board.mk - TI EK-LM3S811: Cortex-M3, 64 KB of flash, 8 KB of RAM; a UART, and no network.
# Layer: board.
# SPDX-License-Identifier: Apache-2.0
BOARD_CC := arm-none-eabi-
# Constants that are equal stand once, as those of messages that have the same fields.
BOARD_CFLAGS := $(SMALLEST) -fmerge-all-constants -mcpu=cortex-m3 -mthumb --specs=picolibc.specs -DBOARD_IRQ=5
BOARD_LDFLAGS := -nostartfiles -Tboards/lm3s811evb/link.ld
BOARD_SRC := boards/lm3s811evb/board.c boards/cortexm/startup.c boards/drivers/stellaris.c boards/test_seed.c
BOARD_PORT := serial
BOARD_CONFIG := -DNRPC_MAX_STREAMS=2 -DNRPC_HPACK_ENTRIES=0 -DGREETER_CONNECTIONS=1 -DBOARD_CLIENTS=1 \
    -DBOARD_STACK_BYTES=1280
BOARD_EMULATOR := qemu-system-arm -M lm3s811evb -display none -monitor none -serial tcp:127.0.0.1:$(PORT),server=on,wait=off,nodelay=on -kernel $(IMAGE)
BOARD_FLASH_KB := 64
BOARD_RAM_KB := 8
BOARD_FLASH := openocd
BOARD_OPENOCD := board/ek-lm3s811.cfg
BOARD_RUN_STATE := emulated
