# boards/apps/reporter/app.mk - reports a reading every second to host-sim/collector.py: make run-BOARD APP=reporter.
# Layer: application.
# SPDX-License-Identifier: Apache-2.0
APP_SRC := boards/apps/reporter/reporter.c boards/apps/greeter/greeter.c
APP_PROTO := reporter helloworld helloworld/greeter simpletest
APP_BOARDS := linux host-sim lm3s6965evb mps2_an385
APP_CONFIG := -DAPP_POLLS=1 -DNRPC_CLIENT=1
APP_CONFIG_linux := -DREPORTER_HOST=\"127.0.0.1\"
APP_CONFIG_lm3s6965evb := -DNRPC_LWIP_CONNECTIONS=3 -DNRPC_LWIP_DIALS=1
APP_CONFIG_mps2_an385 := -DNRPC_LWIP_CONNECTIONS=3 -DNRPC_LWIP_DIALS=1
