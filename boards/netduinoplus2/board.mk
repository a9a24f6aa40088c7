# boards/netduinoplus2/board.mk - Netduino Plus 2: STM32F405, Cortex-M4, 1 MB of flash, 128 KB of RAM; a UART.
# Layer: board.
# SPDX-License-Identifier: Apache-2.0
BOARD_CC := arm-none-eabi-
BOARD_CFLAGS := $(SMALLEST) -mcpu=cortex-m4 -mthumb -mfloat-abi=soft --specs=picolibc.specs -DBOARD_IRQ=71 -DSTM32_USART_AT=0x40011400u
BOARD_LDFLAGS := -nostartfiles -Tboards/netduinoplus2/link.ld
BOARD_SRC := boards/netduinoplus2/board.c boards/drivers/stm32_clock.c boards/drivers/stm32_usart.c boards/drivers/stm32_rng.c \
    boards/cortexm/startup.c boards/test_seed.c
BOARD_PORT := serial
BOARD_CONFIG := -DNRPC_MAX_STREAMS=4 -DGREETER_CONNECTIONS=2
BOARD_EMULATOR := qemu-system-arm -M netduinoplus2 -display none -monitor none -serial null -serial null -serial null -serial null -serial null -serial tcp:127.0.0.1:$(PORT),server=on,wait=off,nodelay=on -kernel $(IMAGE)
BOARD_FLASH_KB := 1024
BOARD_RAM_KB := 128
BOARD_FLASH :=
BOARD_RUN_STATE := emulated
