# boards/apps/guarded/app.mk - the Greeter behind a token, with a log and counters: make run-BOARD APP=guarded.
# Layer: application.
# SPDX-License-Identifier: Apache-2.0
APP_SRC := boards/apps/guarded/guarded.c $(addprefix nanorpc/services/,nrpc_auth.c nrpc_counters.c nrpc_log.c nrpc_path.c)
APP_PROTO := helloworld
APP_BOARDS := linux host-sim lm3s6965evb
APP_CONFIG := -DNRPC_METADATA_BYTES=64
APP_CONFIG_linux := -DGUARDED_CONNECTIONS=64
APP_CONFIG_host-sim := -DGUARDED_CONNECTIONS=8
