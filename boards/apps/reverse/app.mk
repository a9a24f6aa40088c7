# boards/apps/reverse/app.mk - the Greeter that also dials a relay and serves its clients: make run-BOARD APP=reverse.
# Layer: application.
# SPDX-License-Identifier: Apache-2.0
APP_SRC := boards/apps/greeter/greeter.c boards/apps/reverse/reverse.c
APP_PROTO := helloworld helloworld/greeter simpletest
APP_BOARDS := lm3s6965evb mps2_an385
# Two links to the relay, and two clients that come by themselves.
APP_CONFIG := -DAPP_POLLS=1 -DGREETER_CONNECTIONS=4 -DNRPC_LWIP_CONNECTIONS=4 -DNRPC_LWIP_DIALS=2 -DBOARD_DNS=1
