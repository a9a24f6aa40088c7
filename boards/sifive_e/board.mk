# boards/sifive_e/board.mk - SiFive HiFive1: FE310, RV32IMAC, 12 MB of flash, 16 KB of RAM; a UART.
# Layer: board.
# SPDX-License-Identifier: Apache-2.0
BOARD_CC := riscv64-unknown-elf-
BOARD_CFLAGS := $(SMALLEST) -march=rv32imac -mabi=ilp32 --specs=picolibc.specs -DBOARD_IRQ=3
BOARD_LDFLAGS := -nostartfiles -Tboards/sifive_e/link.ld
BOARD_SRC := boards/sifive_e/board.c boards/riscv/startup.c boards/test_seed.c
BOARD_PORT := serial
BOARD_CONFIG := -DNRPC_MAX_STREAMS=4 -DNRPC_HPACK_ENTRIES=16 -DGREETER_CONNECTIONS=2
BOARD_EMULATOR := qemu-system-riscv32 -M sifive_e -display none -monitor none -serial tcp:127.0.0.1:$(PORT),server=on,wait=off,nodelay=on -kernel $(IMAGE)
BOARD_FLASH_KB := 12288
BOARD_RAM_KB := 16
BOARD_FLASH := openocd
BOARD_OPENOCD := board/sifive-hifive1.cfg
BOARD_RUN_STATE := emulated
