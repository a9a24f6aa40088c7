# boards/apps/interop_tls/app.mk - the same as interop.mk, over TLS in both roles: make run-BOARD APP=interop_tls.
# Layer: application.
# SPDX-License-Identifier: Apache-2.0
APP_SRC := boards/apps/interop/server.c boards/apps/interop/client.c boards/apps/interop_tls/tls.c
APP_PROTO := $(app-interop_PROTO)
APP_BOARDS := linux host-sim
APP_TLS := conformant
APP_CONFIG := $(app-interop_CONFIG) -DAPP_STARTS=1 -DNRPC_TLS_MEMORY_BYTES=1048576 -DMBEDTLS_PSA_KEY_SLOT_COUNT=64
APP_CONFIG_linux := $(app-interop_CONFIG_linux)
APP_CONFIG_host-sim := $(app-interop_CONFIG_host-sim)
