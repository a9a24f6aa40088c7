# boards/nucleo_f767zi/board.mk - ST NUCLEO-F767ZI: STM32F767, Cortex-M7, 2 MB of flash, 512 KB of RAM, Ethernet MAC on the chip.
# Layer: board.
# SPDX-License-Identifier: Apache-2.0
BOARD_CC := arm-none-eabi-
BOARD_CFLAGS := $(SMALLEST) -mcpu=cortex-m7 -mthumb -mfloat-abi=soft --specs=picolibc.specs -Iboards/net -DBOARD_IRQ=61 \
    -DSTM32_USART_AT=0x40004800u -DSTM32_USART_NEW=1 -DSTM32_USART_CONSOLE=1 -DSTM32_ETH_MEMORY_AT=0x2007C000u
BOARD_LDFLAGS := -nostartfiles -Tboards/nucleo_f767zi/link.ld
BOARD_SRC := boards/nucleo_f767zi/board.c $(patsubst %,boards/drivers/stm32_%.c,clock eth rng usart) \
    boards/cortexm/startup.c boards/net/net.c boards/net/checksum.c boards/test_seed.c
BOARD_PORT := lwip-raw
BOARD_CONFIG := -DNRPC_MAX_STREAMS=8 -DGREETER_CONNECTIONS=4 -DNRPC_LWIP_CONNECTIONS=4 -DBOARD_DHCP=1
BOARD_EMULATOR :=
BOARD_FLASH_KB := 2048
BOARD_RAM_KB := 496
BOARD_FLASH := openocd st-flash
BOARD_OPENOCD := board/st_nucleo_f7.cfg
BOARD_STFLASH := 0x08000000
BOARD_RUN_STATE := built, not run
