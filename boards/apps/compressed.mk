# boards/apps/compressed.mk - gRPC's compression cases: make run-BOARD APP=compressed.
# Layer: application.
# SPDX-License-Identifier: Apache-2.0
APP_SRC := tests/interop/compressed.c tests/interop/compressed_client.c
APP_PROTO :=
APP_BOARDS := linux host-sim lm3s6965evb
APP_CONFIG := -DAPP_TITLE=\"TestService\" -DAPP_POLLS=1 -DNRPC_COMPRESSION=1 -DNRPC_CLIENT=1
APP_CONFIG_linux := -DCOMPRESSED_BYTES=400000 -DNRPC_LARGE_MESSAGES=1 -DCOMPRESSED_CONNECTIONS=16
APP_CONFIG_host-sim := -DCOMPRESSED_BYTES=400000 -DNRPC_LARGE_MESSAGES=1 -DCOMPRESSED_CONNECTIONS=16
APP_CONFIG_lm3s6965evb := -DNRPC_MAX_STREAMS=2
