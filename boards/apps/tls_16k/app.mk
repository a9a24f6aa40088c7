# boards/apps/tls_16k/app.mk - the Greeter over TLS as tls.mk has it on this board, but for records of 16 KB: for measuring.
# Layer: application.
# SPDX-License-Identifier: Apache-2.0
APP_SRC := $(app-tls_SRC)
APP_PROTO := $(app-tls_PROTO)
APP_BOARDS := lm3s6965evb
APP_TLS := small
APP_CONFIG := -DAPP_STARTS=1 -DAPP_POLLS=1 -DGREETER_CONNECTIONS=1 -DNRPC_TLS_TEST_SEED=1 \
    -DNRPC_TLS_MEMORY_BYTES=25600 -DGREETER_TLS_UNDATED=1 -DBOARD_STACK_BYTES=3072 -DMBEDTLS_SSL_IN_CONTENT_LEN=16384
