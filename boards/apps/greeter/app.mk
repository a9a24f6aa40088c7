# boards/apps/greeter/app.mk - the Greeter: what every board runs unless told otherwise.
# Layer: application.
# SPDX-License-Identifier: Apache-2.0
APP_SRC := boards/apps/greeter/greeter.c
APP_PROTO := helloworld helloworld/greeter simpletest
APP_BOARDS := $(BOARDS)
