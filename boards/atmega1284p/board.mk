# boards/atmega1284p/board.mk - Microchip ATmega1284P: AVR, int of 16 bits, 128 KB of flash, 16 KB of RAM; a UART.
# Layer: board.
# SPDX-License-Identifier: Apache-2.0
BOARD_CC := avr-
BOARD_CFLAGS := -mmcu=atmega1284p -flto -fno-move-loop-invariants -fno-jump-tables
# Data end where the stack's last kilobyte begins.
BOARD_LDFLAGS := -Wl,--defsym=__DATA_REGION_LENGTH__=0x3C00
BOARD_SRC := boards/avr/cpu.c boards/avr/atmega.c boards/test_seed.c
BOARD_PORT := serial
BOARD_CONFIG := -DNRPC_MAX_STREAMS=4 -DGREETER_CONNECTIONS=2 -DBOARD_CLIENTS=2 -DBOARD_RING_BYTES=128 -DBOARD_BAUD=57600 \
    -DBOARD_HZ=16000000
BOARD_EMULATOR := build/simavr/simavr-run atmega1284p 16000000 $(IMAGE) 127.0.0.1:$(PORT),wait=off
BOARD_FLASH_KB := 128
BOARD_RAM_KB := 16
BOARD_RUN_STATE := emulated
