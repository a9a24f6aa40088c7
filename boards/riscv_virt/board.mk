# boards/riscv_virt/board.mk - QEMU's RISC-V machine "virt": RV32IMAC, virtio-net; 256 and 64 KB of it used.
# Layer: board.
# SPDX-License-Identifier: Apache-2.0
BOARD_CC := riscv64-unknown-elf-
BOARD_CFLAGS := $(SMALLEST) -march=rv32imac -mabi=ilp32 --specs=picolibc.specs -Iboards/net -DBOARD_IRQ=1 \
    -DVIRTIO_NET_AT=0x10001000u
BOARD_LDFLAGS := -nostartfiles -Tboards/riscv_virt/link.ld
BOARD_SRC := boards/riscv_virt/board.c boards/drivers/virtio_net.c boards/riscv/startup.c boards/net/net.c \
    boards/net/checksum.c boards/test_seed.c
BOARD_PORT := lwip-raw
BOARD_CONFIG := -DNRPC_MAX_STREAMS=4 -DGREETER_CONNECTIONS=2 -DNRPC_LWIP_CONNECTIONS=2
BOARD_EMULATOR := qemu-system-riscv32 -M virt -bios none -nographic -global virtio-mmio.force-legacy=false -device virtio-net-device,bus=virtio-mmio-bus.0,netdev=net -netdev user,id=net,hostfwd=tcp:127.0.0.1:$(PORT)-:50051 -kernel $(IMAGE)
BOARD_FLASH_KB := 256
BOARD_RAM_KB := 64
BOARD_FLASH :=
BOARD_RUN_STATE := emulated
