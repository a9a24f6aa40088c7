# boards/apps/caller/app.mk - a device that makes calls to order, for tests: make run-BOARD APP=caller.
# Layer: application.
# SPDX-License-Identifier: Apache-2.0
APP_SRC := boards/apps/caller/caller.c
APP_PROTO := caller simpletest
APP_BOARDS := linux host-sim lm3s6965evb
APP_CONFIG := -DAPP_TITLE=\"Caller\" -DAPP_POLLS=1 -DNRPC_STATUS_MESSAGE_MAX=126 -DNRPC_METADATA_BYTES=128 \
    -DNRPC_CLIENT=1 -DNRPC_BACKOFF_MIN_MS=50
APP_CONFIG_lm3s6965evb := -DNRPC_LWIP_CONNECTIONS=3 -DNRPC_LWIP_DIALS=1
APP_CONFIG_linux := -DCALLER_CONNECTIONS=8
APP_CONFIG_host-sim := -DCALLER_CONNECTIONS=8
