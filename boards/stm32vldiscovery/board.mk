# boards/stm32vldiscovery/board.mk - ST STM32VLDISCOVERY: STM32F100RB, Cortex-M3, 128 KB of flash, 8 KB of RAM; a UART.
# Layer: board.
# SPDX-License-Identifier: Apache-2.0
BOARD_CC := arm-none-eabi-
# Constants that are equal stand once, as those of messages that have the same fields.
BOARD_CFLAGS := $(SMALLEST) -fmerge-all-constants -mcpu=cortex-m3 -mthumb --specs=picolibc.specs -DBOARD_IRQ=37 -DSTM32_USART_AT=0x40013800u
BOARD_LDFLAGS := -nostartfiles -Tboards/stm32vldiscovery/link.ld
BOARD_SRC := boards/stm32vldiscovery/board.c boards/drivers/stm32_usart.c boards/cortexm/startup.c boards/test_seed.c
BOARD_PORT := serial
BOARD_CONFIG := -DNRPC_MAX_STREAMS=2 -DNRPC_HPACK_ENTRIES=0 -DGREETER_CONNECTIONS=1 -DBOARD_CLIENTS=1 \
    -DBOARD_STACK_BYTES=1280
BOARD_EMULATOR := qemu-system-arm -M stm32vldiscovery -display none -monitor none -serial tcp:127.0.0.1:$(PORT),server=on,wait=off,nodelay=on -kernel $(IMAGE)
BOARD_FLASH_KB := 128
BOARD_RAM_KB := 8
BOARD_FLASH := openocd st-flash
BOARD_OPENOCD := board/stm32vldiscovery.cfg
BOARD_STFLASH := 0x08000000
BOARD_RUN_STATE := emulated
