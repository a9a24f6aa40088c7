# boards/apps/interop/app.mk - grpc.testing.TestService, for gRPC's interop cases: make run-BOARD APP=interop.
# Layer: application.
# SPDX-License-Identifier: Apache-2.0
APP_SRC := boards/apps/interop/server.c boards/apps/interop/client.c
APP_PROTO := grpc/testing/empty grpc/testing/messages grpc/testing/test interop/driver
APP_BOARDS := linux host-sim lm3s6965evb mps2_an385
# The status message of special_status_message has 88 bytes on the wire. The two echo keys, there and back: 140 bytes.
APP_CONFIG := -DAPP_TITLE=\"TestService\" -DAPP_POLLS=1 -DNRPC_STATUS_MESSAGE_MAX=126 -DNRPC_METADATA_BYTES=256 -DNRPC_PIECES=1 \
    -DNRPC_COMPRESSION=1 -DNRPC_CLIENT=1 -DNRPC_BACKOFF_MIN_MS=50
# What is compressed must fit into a block: where there is room, the largest body.
APP_CONFIG_linux := -DINTEROP_CONNECTIONS=16 -DNRPC_MAX_STREAMS=32 -DNRPC_LARGE_MESSAGES=1 -DINTEROP_BYTES=320000
APP_CONFIG_host-sim := -DINTEROP_CONNECTIONS=16 -DNRPC_MAX_STREAMS=32 -DNRPC_LARGE_MESSAGES=1 -DINTEROP_BYTES=320000 \
    -DNRPC_LWIP_SOCKETS_BUFFER_BYTES=1024
APP_CONFIG_lm3s6965evb := -DNRPC_LWIP_CONNECTIONS=3 -DNRPC_LWIP_DIALS=1 -DNRPC_LWIP_SEND_BYTES=1152
APP_CONFIG_mps2_an385 := -DNRPC_LWIP_CONNECTIONS=3 -DNRPC_LWIP_DIALS=1 -DNRPC_LWIP_SEND_BYTES=1152
