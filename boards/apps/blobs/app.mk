# boards/apps/blobs/app.mk - blobs.Blobs: calls that carry more than the board has memory; make run-BOARD APP=blobs.
# Layer: application.
# SPDX-License-Identifier: Apache-2.0
APP_SRC := boards/apps/blobs/blobs.c
APP_PROTO := blobs
APP_BOARDS := linux host-sim lm3s6965evb
APP_CONFIG := -DAPP_TITLE=\"Blobs\" -DNRPC_PIECES=1
APP_CONFIG_host-sim := -DNRPC_RX_BLOCKS=8
APP_CONFIG_linux := -DNRPC_RX_BLOCKS=63
