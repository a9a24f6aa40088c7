# boards/nucleo_f411/board.mk - ST NUCLEO-F411RE: STM32F411, Cortex-M4, 512 KB of flash, 128 KB of RAM; a UART, the ST-Link's.
# Layer: board.
# SPDX-License-Identifier: Apache-2.0
BOARD_CC := arm-none-eabi-
BOARD_CFLAGS := $(SMALLEST) -mcpu=cortex-m4 -mthumb -mfloat-abi=soft --specs=picolibc.specs -DBOARD_IRQ=38 -DSTM32_USART_AT=0x40004400u
BOARD_LDFLAGS := -nostartfiles -Tboards/nucleo_f411/link.ld
BOARD_SRC := boards/nucleo_f411/board.c boards/drivers/stm32_clock.c boards/drivers/stm32_usart.c \
    boards/cortexm/startup.c boards/test_seed.c
BOARD_PORT := serial
BOARD_CONFIG := -DNRPC_MAX_STREAMS=4 -DGREETER_CONNECTIONS=2
BOARD_EMULATOR :=
BOARD_FLASH_KB := 512
BOARD_RAM_KB := 128
BOARD_FLASH := openocd st-flash
BOARD_OPENOCD := board/st_nucleo_f4.cfg
BOARD_STFLASH := 0x08000000
BOARD_RUN_STATE := built, not run
