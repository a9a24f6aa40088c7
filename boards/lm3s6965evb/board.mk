# boards/lm3s6965evb/board.mk - TI EK-LM3S6965: Cortex-M3, 256 KB flash, 64 KB RAM, Ethernet MAC on the chip.
# Layer: board.
# SPDX-License-Identifier: Apache-2.0
BOARD_CC := arm-none-eabi-
BOARD_CFLAGS := $(SMALLEST) -mcpu=cortex-m3 -mthumb --specs=picolibc.specs -Iboards/net -DBOARD_IRQ=42
BOARD_LDFLAGS := -nostartfiles -Tboards/lm3s6965evb/link.ld
BOARD_SRC := boards/lm3s6965evb/board.c boards/lm3s6965evb/mac.c boards/cortexm/startup.c boards/net/net.c \
    boards/net/checksum.c boards/drivers/stellaris.c boards/test_seed.c
BOARD_PORT := lwip-raw
BOARD_CONFIG := -DNRPC_MAX_STREAMS=4 -DGREETER_CONNECTIONS=2 -DNRPC_LWIP_CONNECTIONS=2
BOARD_EMULATOR := qemu-system-arm -M lm3s6965evb -nographic -nic user,hostfwd=tcp:127.0.0.1:$(PORT)-:50051 -kernel $(IMAGE)
BOARD_FLASH_KB := 256
BOARD_RAM_KB := 64
BOARD_FLASH := openocd
BOARD_OPENOCD := board/ek-lm3s6965.cfg
BOARD_RUN_STATE := emulated
