# boards/pico2_uart/board.mk - Raspberry Pi Pico 2: RP2350, Cortex-M33, 4 MB of flash, 520 KB of RAM; UART0 on GP0 and GP1.
# Layer: board.
# SPDX-License-Identifier: Apache-2.0
BOARD_CC := arm-none-eabi-
BOARD_CFLAGS := $(SMALLEST) -mcpu=cortex-m33 -mfloat-abi=soft -mcmse -mthumb --specs=picolibc.specs
BOARD_LDFLAGS := -nostartfiles -Lboards/rp2/rp2350 -L$(PICO_SDK_DIR)/src/rp2_common/pico_crt0/rp2350 -Tmemmap_default.ld
BOARD_SRC := boards/rp2/cpu.c boards/rp2/uart.c boards/rp2/entropy.c boards/rp2/sha256.c
BOARD_SDK := rp2350
BOARD_PORT := serial
BOARD_CONFIG := -DNRPC_MAX_STREAMS=4 -DGREETER_CONNECTIONS=2 -DBOARD_STACK_BYTES=2048
BOARD_FLASH_KB := 4096
BOARD_RAM_KB := 520
BOARD_FLASH := uf2 picotool openocd pyocd
BOARD_DRIVE := RP2350
BOARD_UF2 := rp2350
BOARD_OPENOCD := interface/cmsis-dap.cfg target/rp2350.cfg
BOARD_OPENOCD_KHZ := 5000
BOARD_PYOCD := rp2350
BOARD_RUN_STATE := built, not run
