# boards/apps/caller_public/app.mk - the caller, whose calls go to servers as on the public internet: over TLS.
# Layer: application.
# SPDX-License-Identifier: Apache-2.0
APP_SRC := boards/apps/caller/caller.c boards/apps/caller_public/public.c
APP_PROTO := $(app-caller_PROTO)
APP_BOARDS := lm3s6965evb
APP_TLS := public
# 64 KB of RAM: one connection in, one out, a call each. The board has no clock, nor entropy.
APP_CONFIG := $(app-caller_CONFIG) -DNRPC_LWIP_CONNECTIONS=2 -DNRPC_LWIP_DIALS=1 -DAPP_STARTS=1 -DCALLER_CONNECTIONS=1 \
    -DNRPC_MAX_STREAMS=1 -DNRPC_HPACK_ENTRIES=16 -DMBEDTLS_SSL_OUT_CONTENT_LEN=1024 -DNRPC_TLS_MEMORY_BYTES=35840 \
    -DNRPC_TLS_TEST_SEED=1 -DPUBLIC_TLS=caller_tls -DPUBLIC_UNDATED=1 -DBOARD_STACK_BYTES=4096
