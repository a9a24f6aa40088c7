# boards/apps/services/app.mk - health, reflection and error details beside two small services: make run-BOARD APP=services.
# Layer: application.
# SPDX-License-Identifier: Apache-2.0
APP_SRC := boards/apps/services/services.c nanorpc/services/nrpc_health.c nanorpc/services/nrpc_reflection.c nanorpc/services/nrpc_field.c
APP_PROTO := helloworld helloworld/greeter grpc/health/v1/health grpc/reflection/v1/reflection \
    grpc/reflection/v1alpha/reflection google/rpc/error_details google/protobuf/duration
APP_BOARDS := linux host-sim lm3s6965evb mps2_an385
APP_CONFIG := -DAPP_TITLE=\"Services\" -DNRPC_METADATA_BYTES=256 -DNRPC_PIECES=1
APP_CONFIG_linux := -DSERVICES_CONNECTIONS=64
APP_CONFIG_host-sim := -DSERVICES_CONNECTIONS=8
