# boards/apps/greeter.mk - the Greeter: what every board runs unless told otherwise.
# Layer: application.
# SPDX-License-Identifier: Apache-2.0
APP_SRC := boards/greeter.c
APP_PROTO := helloworld helloworld/greeter simpletest
APP_BOARDS := $(BOARDS)
