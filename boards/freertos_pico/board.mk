# boards/freertos_pico/board.mk - pico_ethernet with FreeRTOS: lwIP's sockets, a task each; a network card at USB.
# Layer: board.
# SPDX-License-Identifier: Apache-2.0
BOARD_CC := arm-none-eabi-
# The kernel's exceptions have the names that the Pico SDK's crt0 gives them; it calls main, which starts the kernel.
BOARD_CFLAGS := $(SMALLEST) -mcpu=cortex-m0plus -mthumb --specs=picolibc.specs -Iboards/freertos -Iboards/net \
    -DBOARD_RTOS=1 -DBOARD_CLOCK_HZ=125000000 -DBOARD_IRQ=5 -DBOARD_MAIN=board_main \
    -Drtos_svcall=isr_svcall -Drtos_pendsv=isr_pendsv -Drtos_systick=isr_systick \
    -DMAIN_STACK_BYTES=3072 -DTCPIP_THREAD_STACKSIZE=2048 -DNET_STACK_BYTES=1536 \
    -DBOARD_IP=10,77,0,1 -DBOARD_GATEWAY=10,77,0,2 -DBOARD_DHCP_SERVER=1
BOARD_LDFLAGS := -nostartfiles -Lboards/rp2/rp2040 -L$(PICO_SDK_DIR)/src/rp2_common/pico_crt0/rp2040 -Tmemmap_default.ld
BOARD_SRC := boards/rp2/cpu.c boards/rp2/ethernet.c boards/rp2/usb.c boards/rp2/entropy.c boards/rp2/sha256.c \
    boards/net/net.c boards/net/checksum.c
BOARD_SDK := rp2040
BOARD_USB := ncm
BOARD_PORT := lwip-sockets
BOARD_RTOS := freertos
BOARD_KERNEL := GCC/ARM_CM0
BOARD_CONFIG := -DNRPC_MAX_STREAMS=4 -DGREETER_CONNECTIONS=4 -DNRPC_LWIP_SOCKETS_CONNECTIONS=4 -DBOARD_STACK_BYTES=1024
BOARD_EMULATOR := node boards/rp2/emulator/emulate.mjs --usb-ncm 127.0.0.1:$(PORT) $(IMAGE)
BOARD_FLASH_KB := 2048
BOARD_RAM_KB := 264
BOARD_FLASH := uf2 picotool openocd pyocd
BOARD_DRIVE := RPI-RP2
BOARD_UF2 := rp2040
BOARD_OPENOCD := interface/cmsis-dap.cfg target/rp2040.cfg
BOARD_OPENOCD_KHZ := 5000
BOARD_PYOCD := rp2040
BOARD_RUN_STATE := emulated
