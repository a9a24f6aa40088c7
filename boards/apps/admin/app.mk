# boards/apps/admin/app.mk - the Greeter, and another server on a port of its own: make run-BOARD APP=admin.
# Layer: application.
# SPDX-License-Identifier: Apache-2.0
APP_SRC := boards/apps/greeter/greeter.c boards/apps/admin/admin.c
APP_PROTO := helloworld helloworld/greeter simpletest
APP_BOARDS := linux lm3s6965evb
APP_CONFIG := -DAPP_STARTS=1 -DBOARD_LISTENERS=2 -DNRPC_LWIP_CONNECTIONS=3
APP_CONFIG_linux := -DADMIN_PORT=0
