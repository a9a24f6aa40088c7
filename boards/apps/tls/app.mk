# boards/apps/tls/app.mk - the Greeter over TLS: make run-BOARD APP=tls.
# Layer: application.
# SPDX-License-Identifier: Apache-2.0
APP_SRC := boards/apps/greeter/greeter.c boards/apps/tls/greeter_tls.c
APP_PROTO := helloworld helloworld/greeter simpletest
APP_BOARDS := linux host-sim lm3s6965evb nucleo_f767zi pico2_ethernet
APP_TLS := conformant
APP_TLS_lm3s6965evb := small
APP_CONFIG := -DAPP_STARTS=1 -DAPP_POLLS=1
APP_CONFIG_linux := -DGREETER_CONNECTIONS=64 -DNRPC_TLS_MEMORY_BYTES=2097152 -DMBEDTLS_PSA_KEY_SLOT_COUNT=128
APP_CONFIG_host-sim := -DNRPC_TLS_MEMORY_BYTES=1048576 -DMBEDTLS_PSA_KEY_SLOT_COUNT=64
# 64 KB of RAM: one connection. The board has no clock; nor entropy, so the image says that its keys are not secure.
APP_CONFIG_lm3s6965evb := -DGREETER_CONNECTIONS=1 -DNRPC_TLS_TEST_SEED=1 \
    -DNRPC_TLS_MEMORY_BYTES=16384 -DGREETER_TLS_UNDATED=1 -DBOARD_STACK_BYTES=3072
# These have a source of entropy, and no clock. Nothing runs them here: they are built alone.
APP_CONFIG_nucleo_f767zi := -DGREETER_CONNECTIONS=2 -DNRPC_LWIP_CONNECTIONS=2 -DNRPC_TLS_MEMORY_BYTES=65536 \
    -DGREETER_TLS_UNDATED=1 -DBOARD_STACK_BYTES=4096
APP_CONFIG_pico2_ethernet := $(APP_CONFIG_nucleo_f767zi)
