# boards/linux/board.mk - Linux itself: the same Greeter on ports/posix, for gateways, tests and measuring.
# Layer: board. Source: none.
# SPDX-License-Identifier: Apache-2.0
BOARD_CC := cc
BOARD_CFLAGS := -flto -flto-partition=one
BOARD_SRC := boards/linux/main.c boards/linux/board.c
BOARD_PORT := posix
# Without NRPC_CHECKS, which programs here have by default: this is what is measured, and what a gateway would run.
BOARD_CONFIG := -DNRPC_CHECKS=0 -DNRPC_FAST=1 -DNRPC_MAX_STREAMS=128 -DGREETER_CONNECTIONS=1024
BOARD_LIBS := -pthread
BOARD_RUN_STATE := run: native
