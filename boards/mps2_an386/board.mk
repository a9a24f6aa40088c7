# boards/mps2_an386/board.mk - Arm MPS2, application note AN386: Cortex-M4, LAN9118; 256 and 64 KB of it used.
# Layer: board.
# SPDX-License-Identifier: Apache-2.0
BOARD_CC := arm-none-eabi-
BOARD_CFLAGS := $(SMALLEST) -mcpu=cortex-m4 -mfloat-abi=soft -mthumb --specs=picolibc.specs -Iboards/net -DBOARD_IRQ=13 -DLAN9118_AT=0x40200000u \
    -DMPS2_NOTE=0x0386 -DMPS2_UART_AT=0x40004000u -DBOARD_CLOCK_HZ=25000000
BOARD_LDFLAGS := -nostartfiles -Tboards/mps2_an386/link.ld
BOARD_SRC := boards/drivers/mps2.c boards/drivers/lan9118.c boards/cortexm/startup.c boards/net/net.c \
    boards/net/checksum.c boards/test_seed.c
BOARD_PORT := lwip-raw
BOARD_CONFIG := -DNRPC_MAX_STREAMS=4 -DGREETER_CONNECTIONS=2 -DNRPC_LWIP_CONNECTIONS=2
BOARD_EMULATOR := qemu-system-arm -M mps2-an386 -nographic -nic user,hostfwd=tcp:127.0.0.1:$(PORT)-:50051 -kernel $(IMAGE)
BOARD_FLASH_KB := 256
BOARD_RAM_KB := 64
BOARD_FLASH :=
BOARD_RUN_STATE := emulated
