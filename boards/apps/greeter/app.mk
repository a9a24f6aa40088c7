# boards/apps/greeter/app.mk - the Greeter: what every board runs unless told otherwise.
# Layer: application.
# SPDX-License-Identifier: Apache-2.0
APP_SRC := boards/apps/greeter/greeter.c
APP_PROTO := helloworld helloworld/greeter simpletest
APP_BOARDS := $(BOARDS)
# Its messages have single scalars alone, which matters where flash is small.
APP_CONFIG_lm3s811evb := -include nanorpc/scalars.h
APP_CONFIG_stm32vldiscovery := $(APP_CONFIG_lm3s811evb)
