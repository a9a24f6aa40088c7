# boards/apps/interop_public/app.mk - interop.mk's client, which calls servers as on the public internet: over TLS.
# Layer: application.
# SPDX-License-Identifier: Apache-2.0
APP_SRC := boards/apps/interop/server.c boards/apps/interop/client.c boards/apps/caller_public/public.c
APP_PROTO := $(app-interop_PROTO)
APP_BOARDS := linux
APP_TLS := public
APP_CONFIG := $(app-interop_CONFIG) -DAPP_STARTS=1 -DINTEROP_CALLS_TLS=1 -DPUBLIC_TLS=interop_channel_tls
APP_CONFIG_linux := $(app-interop_CONFIG_linux) -DNRPC_TLS_MEMORY_BYTES=49152
