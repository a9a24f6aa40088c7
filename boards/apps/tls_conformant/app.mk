# boards/apps/tls_conformant/app.mk - the Greeter over TLS, with another profile than tls.mk has on this board.
# Layer: application.
# SPDX-License-Identifier: Apache-2.0
APP_SRC := $(app-tls_SRC)
APP_PROTO := $(app-tls_PROTO)
APP_BOARDS := lm3s6965evb
APP_TLS := conformant
APP_CONFIG := -DAPP_STARTS=1 -DAPP_POLLS=1 -DGREETER_CONNECTIONS=1 -DNRPC_TLS_TEST_SEED=1 \
    -DNRPC_TLS_MEMORY_BYTES=32768 -DGREETER_TLS_UNDATED=1 -DBOARD_STACK_BYTES=4096
