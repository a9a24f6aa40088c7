# host-sim/board.mk - the host as one more board: lwIP on a simulated Ethernet, with weather; no root.
# Layer: board. Source: none.
# SPDX-License-Identifier: Apache-2.0
BOARD_CC := cc
# A simulator is there to find faults, so it always runs with the sanitizers.
BOARD_CFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer \
    -isystem $(LWIP_DIR)/contrib/ports/unix/port/include
BOARD_SRC := $(addprefix host-sim/,board.c capture.c fleet.c gateway.c main.c options.c serial.c weather.c wire.c)
BOARD_PORT := lwip-raw lwip-sockets serial
BOARD_CONFIG := -DNRPC_MAX_STREAMS=100 -DGREETER_CONNECTIONS=16 -DNRPC_LWIP_CONNECTIONS=16 \
    -DNRPC_LWIP_SEND_BYTES=8192 -DNRPC_LWIP_DIALS=16 -DNRPC_LWIP_SOCKETS_CONNECTIONS=16 -DNRPC_LWIP_SOCKETS_DIALS=16 \
    -DNRPC_SERIAL_SEND_BYTES=2048
# The wrap: --preempt.
BOARD_LIBS := -lslirp -pthread -Wl,--wrap=sys_lock_tcpip_core
BOARD_RUN_STATE := run: simulated
