# boards/pico/board.mk - Raspberry Pi Pico: RP2040, Cortex-M0+, 2 MB of flash, 264 KB of RAM; a serial port at USB.
# Layer: board.
# SPDX-License-Identifier: Apache-2.0
BOARD_CC := arm-none-eabi-
BOARD_CFLAGS := $(SMALLEST) -mcpu=cortex-m0plus -mthumb --specs=picolibc.specs
BOARD_LDFLAGS := -nostartfiles -Lboards/rp2/rp2040 -L$(PICO_SDK_DIR)/src/rp2_common/pico_crt0/rp2040 -Tmemmap_default.ld
BOARD_SRC := boards/rp2/cpu.c boards/rp2/cdc.c boards/rp2/usb.c boards/rp2/entropy.c boards/rp2/sha256.c
BOARD_SDK := rp2040
BOARD_USB := cdc
BOARD_PORT := serial
BOARD_CONFIG := -DNRPC_MAX_STREAMS=4 -DGREETER_CONNECTIONS=2 -DBOARD_RING_BYTES=0 -DBOARD_BAUD=0 -DBOARD_STACK_BYTES=2048
BOARD_EMULATOR := node boards/rp2/emulator/emulate.mjs --usb-cdc 127.0.0.1:$(PORT),wait=off $(IMAGE)
BOARD_FLASH_KB := 2048
BOARD_RAM_KB := 264
BOARD_FLASH := uf2 picotool openocd pyocd
BOARD_DRIVE := RPI-RP2
BOARD_UF2 := rp2040
BOARD_OPENOCD := interface/cmsis-dap.cfg target/rp2040.cfg
BOARD_OPENOCD_KHZ := 5000
BOARD_PYOCD := rp2040
BOARD_RUN_STATE := emulated
