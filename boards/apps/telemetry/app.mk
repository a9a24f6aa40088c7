# boards/apps/telemetry/app.mk - other tasks that push into streams and call servers: make run-BOARD APP=telemetry.
# Layer: application.
# SPDX-License-Identifier: Apache-2.0
# It needs an RTOS and lwIP's sockets: a freertos board, or make sim APP=telemetry ARGS="--api sockets".
APP_SRC := boards/apps/telemetry/telemetry.c boards/apps/telemetry/tasks.c
APP_PROTO := telemetry simpletest helloworld/greeter
APP_BOARDS := host-sim freertos_an385
APP_CONFIG := -DAPP_TITLE=\"Telemetry\" -DAPP_POLLS=1 -DAPP_TICKS=1 -DNRPC_CLIENT=1 -DNRPC_BACKOFF_MIN_MS=50
APP_CONFIG_host-sim := -DTELEMETRY_CONNECTIONS=8
APP_CONFIG_freertos_an385 := -DNRPC_LWIP_SOCKETS_CONNECTIONS=3 -DNRPC_LWIP_SOCKETS_DIALS=1 -DAPP_DIALS=1 -DAPP_TASKS=5 \
    -DAPP_SEMS=5 -DAPP_MBOXES=1 -DAPP_STACKS_BYTES=4864
