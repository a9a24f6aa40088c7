# Makefile - builds, runs, tests and measures nanorpc. Every rule is here; board.mk and boards/apps/*/app.mk only assign.
# Layer: build.
# SPDX-License-Identifier: Apache-2.0
#
# V=1 shows the commands; APP=name chooses the application of `make NAME`, `make run-NAME`, `make flash-NAME`,
# `make debug-NAME` and `make sim`; PORT=n moves the forwarded port; TTY=device and BAUD=n are the serial port of
# `make monitor-NAME`; ARGS="..." goes to `make sim`, `make bench` and others.

MAKEFLAGS += -r
.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:

B := build
PORT ?= 50051
BAUD ?= 115200
APP ?= greeter
VENV := .venv
PYTHON := $(VENV)/bin/python
LWIP_DIR ?= $(B)/third/lwip
NANOPB_DIR ?= $(B)/third/nanopb
MBEDTLS_DIR ?= $(B)/third/mbedtls
PICO_SDK_DIR ?= $(B)/third/pico-sdk
TINYUSB_DIR ?= $(B)/third/tinyusb
FREERTOS_DIR ?= $(B)/third/freertos
V ?= 0
Q := $(if $(filter 0,$(V)),@)
comma := ,
$(if $(filter 50051,$(PORT)),,$(if $(shell [ '$(PORT)' -ge 0 ] 2>/dev/null && [ '$(PORT)' -le 65535 ] && echo yes),,\
    $(error PORT=$(PORT): a port is a number from 0 to 65535)))
say = $(if $(filter 0,$(V)),@printf '  %-6s %s\n' "$1" "$2")

.DEFAULT_GOAL := all

# --- Boards ---------------------------------------------------------------------------------------
# What a board.mk assigns, BOARD_CC and so on, is kept as NAME_CC and so on.

BOARD_VARS := DIR CC CFLAGS LDFLAGS LIBS SRC SDK USB PORT RTOS KERNEL CONFIG EMULATOR FLASH_KB RAM_KB RUN_STATE \
    FLASH DRIVE UF2 OPENOCD OPENOCD_KHZ PYOCD STFLASH
BOARD_DIRS := $(patsubst %/board.mk,%,$(wildcard boards/*/board.mk host-sim/board.mk))
BOARDS := $(notdir $(BOARD_DIRS))
# In a BOARD_EMULATOR this stands for the image until it is known.
IMAGE := {image}
emulate = $(subst {image},$2,$($1_EMULATOR)) # $1: board, $2: image

# What makes an image smallest with GCC, on top of -Os: one look at the whole program, and without four
# optimisations that make it larger instead (measured: make size).
SMALLEST := -flto -flto-partition=one -fno-move-loop-invariants -fno-schedule-insns2 -fno-jump-tables -fno-if-conversion

define assign # $1: names, $2: prefix assigned to, $3: prefix assigned from
$(foreach v,$1,$2_$v := $(if $3,$$($3_$v))
)
endef
$(foreach d,$(BOARD_DIRS),$(eval $(call assign,$(BOARD_VARS),BOARD))$(eval BOARD_DIR := $d)\
    $(eval include $d/board.mk)$(eval $(call assign,$(BOARD_VARS),$(notdir $d),BOARD)))

# --- Applications: what the boards can run ----------------------------------------------------------
# What a boards/apps/NAME/app.mk assigns, APP_SRC and so on, is kept as app-NAME_SRC and so on:
#   SRC             its sources, with the server that boards/main.c and the others start
#   PROTO           what it links of proto/, without the ending
#   CONFIG          limits for it on every board, each -DNAME=VALUE, which replaces the board's own of that NAME; -include FILE
#   CONFIG_<board>  the same on one board
#   TLS             with TLS: the profile of ports/mbedtls that its Mbed TLS has; TLS_<board>: another one there
#   BOARDS          which boards have it

APPS := $(patsubst boards/apps/%/app.mk,%,$(wildcard boards/apps/*/app.mk))
APP_VARS := SRC PROTO CONFIG TLS BOARDS $(foreach v,CONFIG TLS,$(addprefix $v_,$(BOARDS)))
$(foreach a,$(APPS),$(eval $(call assign,$(APP_VARS),APP))\
    $(eval include boards/apps/$a/app.mk)$(eval $(call assign,$(APP_VARS),app-$a,APP)))
$(if $(filter $(APP),$(APPS)),,$(error APP=$(APP): the applications are: $(APPS)))

# --- Tools: what is missing is installed by .ci/setup, once, before anything else ------------------

# $1: a program, looked for without starting a process.
on_path = $(firstword $(wildcard $(addsuffix /$1,$(subst :, ,$(PATH)))))
lacks = $(strip $(foreach t,$1,$(if $(call on_path,$t),,$t)))
header = $(wildcard /usr/include/$1 /usr/include/*-linux-gnu/$1)

LACKS_python := $(if $(wildcard $(PYTHON)),,venv)
LACKS_third := $(if $(and $(wildcard $(LWIP_DIR)/src $(NANOPB_DIR)/pb.h),$(wildcard $(MBEDTLS_DIR)/include)),,third)
LACKS_freertos := $(if $(wildcard $(FREERTOS_DIR)/tasks.c),,$(call lacks,cargo))
LACKS_certs := $(call lacks,openssl)
LACKS_host := $(call lacks,gcc)$(if $(call header,stdio.h),,libc)
LACKS_arm := $(call lacks,arm-none-eabi-gcc)$(if $(wildcard /usr/lib/arm-none-eabi/include/stdio.h),,newlib)\
    $(if $(wildcard /usr/lib/picolibc/arm-none-eabi/include/stdio.h),,picolibc)
LACKS_riscv := $(call lacks,riscv64-unknown-elf-gcc)\
    $(if $(wildcard /usr/lib/picolibc/riscv64-unknown-elf/include/stdio.h),,picolibc)
LACKS_avr := $(call lacks,avr-gcc)$(if $(wildcard /usr/lib/avr/include/avr/io.h),,libc)
LACKS_simavr := $(if $(wildcard /usr/include/simavr/sim_avr.h),,simavr)
LACKS_qemu := $(call lacks,qemu-system-arm)
LACKS_qemu-riscv := $(call lacks,qemu-system-riscv32)
LACKS_slirp := $(if $(call header,slirp/libslirp.h),,slirp)
LACKS_test := $(call lacks,clang valgrind nghttp curl protoc g++ cmake ninja)\
    $(if $(wildcard /usr/lib/python3/dist-packages/google/protobuf),,protobuf)$(if $(call header,google/protobuf/any.proto),,protobuf)\
    $(if $(wildcard /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.asan-*.a),,sanitizers)
LACKS_bench := $(call lacks,valgrind h2load g++ protoc grpc_cpp_plugin pkg-config)\
    $(if $(call header,grpcpp/grpcpp.h),,grpc)
LACKS_node := $(call lacks,node npm)
LACKS_go := $(call lacks,go)
LACKS_openocd := $(call lacks,openocd)
LACKS_gdb := $(if $(call on_path,gdb-multiarch)$(call on_path,arm-none-eabi-gdb),,gdb)
LACKS_docs := $(call lacks,doxygen)

BASE_GROUPS := python third host certs
GROUPS_all := $(BASE_GROUPS) arm avr riscv slirp freertos
GROUPS_test := $(GROUPS_all) qemu qemu-riscv simavr gdb test node go docs
GROUPS_fuzz := $(BASE_GROUPS)
GROUPS_interop := $(GROUPS_all) qemu node
GROUPS_h2spec := $(GROUPS_all) qemu go
GROUPS_size := $(BASE_GROUPS) arm riscv
GROUPS_bench := $(GROUPS_all) bench
GROUPS_readme := $(GROUPS_test)
GROUPS_sim := $(BASE_GROUPS) slirp
GROUPS_host-sim := $(GROUPS_sim)
GROUPS_third := third
GROUPS_venv := python
GROUPS_format := python
GROUPS_format-check := python
GROUPS_gen := python third
GROUPS_certs := certs
GROUPS_dist := python
GROUPS_docs := python docs
GROUPS_$(B)/node/ready := node
GROUPS_$(B)/go/client :=
GROUPS_$(B)/h2spec/h2spec := go
# Of a board's tools to write it those that copy a file to its drive are always there. $1: board
has_flash_tool = $(if $(filter openocd,$($1_FLASH)),$(strip $(filter uf2 hex bin,$($1_FLASH)) $(foreach t,$($1_FLASH),$(call on_path,$t))),none)
# What a compiler's prefix and an emulator need.
CC_GROUP_arm-none-eabi- := arm
CC_GROUP_riscv64-unknown-elf- := riscv
CC_GROUP_avr- := avr
EMULATOR_GROUP_qemu-system-arm := qemu
EMULATOR_GROUP_qemu-system-riscv32 := qemu-riscv
EMULATOR_GROUP_node := node qemu
EMULATOR_GROUP_$(B)/simavr/simavr-run := simavr
GROUPS_$(B)/rp2040js/ready := node
$(foreach b,$(BOARDS),$(eval GROUPS_$b ?= $(BASE_GROUPS) $(CC_GROUP_$($b_CC)) $($b_RTOS))\
    $(eval GROUPS_run-$b := $$(GROUPS_$b) $(EMULATOR_GROUP_$(firstword $($b_EMULATOR))))\
    $(eval GROUPS_monitor-$b := $(if $(TTY),python,$$(GROUPS_run-$b)))\
    $(eval GROUPS_debug-$b := $$(GROUPS_run-$b) gdb)\
    $(eval GROUPS_flash-$b := $$(GROUPS_$b) $(if $(call has_flash_tool,$b),,openocd)))
DEMO_BOARD := lm3s6965evb
DEMO_ON := $(or $(BOARD),$(DEMO_BOARD))
ifneq ($(filter demo,$(MAKECMDGOALS)),)
$(if $(strip $($(DEMO_ON)_EMULATOR)),,$(error BOARD=$(DEMO_ON): the boards that an emulator runs are: \
    $(strip $(foreach b,$(BOARDS),$(if $(strip $($b_EMULATOR)),$b)))))
endif
GROUPS_demo := python third $(CC_GROUP_$($(DEMO_ON)_CC)) $($(DEMO_ON)_RTOS) $(EMULATOR_GROUP_$(firstword $($(DEMO_ON)_EMULATOR)))
GROUPS_clean :=
GROUPS_help :=
GROUPS_boards :=

# A goal that is a file below build/NAME/ needs what board NAME needs.
goal_groups = $(if $(filter undefined,$(flavor GROUPS_$1)),$(BASE_GROUPS) $(GROUPS_$(word 2,$(subst /, ,$1))),$(GROUPS_$1))
MISSING := $(strip $(foreach g,$(sort $(foreach t,$(or $(MAKECMDGOALS),all),$(call goal_groups,$t))),\
    $(if $(strip $(LACKS_$g)),$g)))
SETUP := $(if $(MISSING),install-tools)

.PHONY: install-tools
install-tools:
	@.ci/setup $(MISSING)

# --- Third-party sources and Python ----------------------------------------------------------------

LWIP_CORE_SRC := $(addprefix src/core/,def dns inet_chksum init ip mem memp netif pbuf raw stats sys tcp tcp_in \
    tcp_out timeouts udp ipv4/acd ipv4/autoip ipv4/dhcp ipv4/etharp ipv4/icmp ipv4/igmp ipv4/ip4 \
    ipv4/ip4_addr ipv4/ip4_frag) src/netif/ethernet
LWIP_API_SRC := $(addprefix src/api/,api_lib api_msg err if_api netbuf netdb netifapi sockets tcpip)
LWIP_UNIX_SRC := contrib/ports/unix/port/sys_arch
NANOPB_SRC := pb_common pb_decode pb_encode
LWIP_FILES := $(patsubst %,$(LWIP_DIR)/%.c,$(LWIP_CORE_SRC) $(LWIP_API_SRC) $(LWIP_UNIX_SRC))
# All that one of the profiles needs; what a profile does not have compiles to nothing.
MBEDTLS_SRC := aes asn1parse asn1write bignum bignum_core block_cipher cipher cipher_wrap constant_time ctr_drbg ecdh \
    ecdsa ecp ecp_curves gcm hkdf md oid pk pk_ecc pk_wrap pkparse platform platform_util psa_crypto psa_crypto_aead \
    psa_crypto_cipher psa_crypto_client psa_crypto_driver_wrappers_no_static psa_crypto_ecp psa_crypto_hash \
    psa_crypto_mac psa_crypto_rsa psa_crypto_slot_management psa_util rsa rsa_alt_helpers sha256 sha512 ssl_ciphersuites ssl_client ssl_msg ssl_ticket ssl_tls \
    ssl_tls12_client ssl_tls12_server ssl_tls13_client ssl_tls13_generic ssl_tls13_keys ssl_tls13_server x509 x509_crt
MBEDTLS_FILES := $(patsubst %,$(MBEDTLS_DIR)/library/%.c,$(MBEDTLS_SRC))
# The kernel of an RTOS; a board names its own port of it, BOARD_KERNEL.
FREERTOS_SRC := list queue tasks
GCC/ARM_CM0_PORT := port portasm # the latter without -flto, which leaves its literals too far away
FREERTOS_PORT = $(if $($1_KERNEL),$(patsubst %,portable/$($1_KERNEL)/%,$(or $($($1_KERNEL)_PORT),port))) # $1: board
FREERTOS_FILES = $(patsubst %,$(FREERTOS_DIR)/%.c,$(sort $(FREERTOS_SRC) $(foreach b,$(BOARDS),$(call FREERTOS_PORT,$b))))
NANOPB_FILES := $(patsubst %,$(NANOPB_DIR)/%.c,$(NANOPB_SRC)) $(NANOPB_DIR)/generator/protoc-gen-nanopb

# The Pico SDK by chip (BOARD_SDK): its start-up and drivers, and what says where its headers are. None that has a heap.
PICO_SDK_SRC := $(addprefix common/,hardware_claim/claim) $(addprefix rp2_common/,hardware_clocks/clocks hardware_flash/flash \
    hardware_gpio/gpio hardware_irq/irq hardware_irq/irq_handler_chain hardware_pll/pll hardware_sync/sync \
    hardware_sync_spin_lock/sync_spin_lock hardware_ticks/ticks hardware_timer/timer hardware_uart/uart \
    hardware_watchdog/watchdog hardware_xip_cache/xip_cache hardware_xosc/xosc pico_bootrom/bootrom \
    pico_clib_interface/picolibc_interface pico_crt0/crt0 pico_runtime/runtime \
    pico_runtime_init/runtime_init pico_runtime_init/runtime_init_clocks pico_runtime_init/runtime_init_stack_guard \
    pico_standard_binary_info/standard_binary_info pico_unique_id/unique_id)
rp2040_SDK_SRC := $(PICO_SDK_SRC) rp2040/pico_platform/platform \
    rp2_common/pico_fix/rp2040_usb_device_enumeration/rp2040_usb_device_enumeration
rp2350_SDK_SRC := $(PICO_SDK_SRC) rp2350/pico_platform/platform rp2_common/pico_bootrom/bootrom_lock \
    rp2_common/hardware_boot_lock/boot_lock
PICO_SDK_HEADERS := $(addprefix common/,boot_picobin_headers boot_picoboot_headers hardware_claim pico_base_headers \
    pico_binary_info pico_sync pico_time pico_util) $(addprefix rp2_common/,boot_bootrom_headers cmsis hardware_base \
    hardware_boot_lock hardware_clocks hardware_dcp hardware_exception hardware_flash hardware_gpio hardware_irq hardware_pll \
    hardware_rcp hardware_resets hardware_sync hardware_sync_spin_lock hardware_ticks hardware_timer hardware_uart \
    hardware_vreg hardware_watchdog hardware_xip_cache hardware_xosc pico_bootrom pico_flash pico_fix/rp2040_usb_device_enumeration \
    pico_platform_compiler pico_platform_panic pico_platform_sections pico_runtime pico_runtime_init pico_stdio \
    pico_time_adapter pico_unique_id)
PICO_SDK_CHIP := boot_stage2 hardware_regs hardware_structs pico_platform
# TinyUSB by what the board is to its host (BOARD_USB).
TINYUSB_SRC := src/tusb src/common/tusb_fifo src/device/usbd src/device/usbd_control \
    src/portable/raspberrypi/rp2040/dcd_rp2040 src/portable/raspberrypi/rp2040/rp2040_usb
cdc_USB_SRC := $(TINYUSB_SRC) src/class/cdc/cdc_device
ncm_USB_SRC := $(TINYUSB_SRC) src/class/net/ncm_device lib/networking/dhserver
PICO_SDK_FILES := $(addprefix $(PICO_SDK_DIR)/src/,$(patsubst %/irq_handler_chain.c,%/irq_handler_chain.S,$(patsubst \
    %/crt0.c,%/crt0.S,$(addsuffix .c,$(sort $(rp2040_SDK_SRC) $(rp2350_SDK_SRC))))) rp2040/boot_stage2/compile_time_choice.S)
TINYUSB_FILES := $(patsubst %,$(TINYUSB_DIR)/%.c,$(sort $(cdc_USB_SRC) $(ncm_USB_SRC)))

# Fetched only where the user has not named a folder of their own.
LWIP_READY := $(LWIP_DIR)/src/include/lwip/init.h
NANOPB_READY := $(NANOPB_DIR)/pb.h
MBEDTLS_READY := $(MBEDTLS_DIR)/include/mbedtls/ssl.h
PICO_SDK_READY := $(PICO_SDK_DIR)/pico_sdk_version.cmake
TINYUSB_READY := $(TINYUSB_DIR)/src/tusb.h
FREERTOS_READY := $(FREERTOS_DIR)/tasks.c
$(B)/third/lwip/src/include/lwip/init.h: .ci/fetch | $(SETUP)
	@.ci/fetch lwip $(B)/third/lwip && touch $@
$(B)/third/nanopb/pb.h: .ci/fetch | $(SETUP)
	@.ci/fetch nanopb $(B)/third/nanopb && touch $@
$(B)/third/mbedtls/include/mbedtls/ssl.h: .ci/fetch | $(SETUP)
	@.ci/fetch mbedtls $(B)/third/mbedtls && touch $@
$(B)/third/pico-sdk/pico_sdk_version.cmake: .ci/fetch | $(SETUP)
	@.ci/fetch pico-sdk $(B)/third/pico-sdk && touch $@
$(B)/third/tinyusb/src/tusb.h: .ci/fetch | $(SETUP)
	@.ci/fetch tinyusb $(B)/third/tinyusb && touch $@
$(B)/third/freertos/tasks.c: .ci/fetch | $(SETUP)
	@.ci/fetch freertos $(B)/third/freertos && touch $@
$(foreach v,LWIP NANOPB MBEDTLS PICO_SDK TINYUSB FREERTOS,$(if $(filter $(B)/third/%,$($v_DIR))$(wildcard $($v_READY)),,\
    $(error $v_DIR=$($v_DIR): there is no $($v_READY))))
$(LWIP_FILES): | $(LWIP_READY) ;
$(NANOPB_FILES): | $(NANOPB_READY) ;
$(MBEDTLS_FILES): | $(MBEDTLS_READY) ;
$(PICO_SDK_FILES): | $(PICO_SDK_READY) ;
$(TINYUSB_FILES): | $(TINYUSB_READY) ;
$(filter-out $(FREERTOS_READY),$(FREERTOS_FILES)): | $(FREERTOS_READY) ;

# The stamp counts only while the interpreter is there.
VENV_READY := $(VENV)/ready
.PHONY: venv-lost
$(VENV_READY): requirements.txt $(if $(wildcard $(PYTHON)),,venv-lost) | $(SETUP)
	@echo "set-up: Python packages into $(VENV) (see requirements.txt)"
	@rm -rf $(VENV) && python3 -m venv $(VENV) || { echo "set-up: ERROR: python3 -m venv failed;" \
	    "on Debian: apt-get install python3-venv"; exit 1; }
	@$(PYTHON) -m pip install --disable-pip-version-check --progress-bar on -r requirements.txt || { \
	    echo "set-up: ERROR: pip could not install requirements.txt (its message is above; is there a network?)." \
	    "Run make again when that is mended."; exit 1; }
	@touch $@

# Node's packages, for the grpc-js client of the interop cases: exactly what the lock file names.
NODE_READY := $(B)/node/ready
NODE_FILES := tests/interop/package.json tests/interop/package-lock.json
$(NODE_READY): $(NODE_FILES) | $(SETUP)
	@echo "set-up: Node's packages into $(@D) (see tests/interop/package.json)"
	@mkdir -p $(@D) && cp $(NODE_FILES) $(@D)
	@cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error || { \
	    echo "set-up: ERROR: npm could not install tests/interop/package-lock.json (its message is above; is there a" \
	    "network?). Run make again when that is mended."; exit 1; }
	@touch $@

# The emulator of the AVR boards, and of unit tests: simavr, by a program of ours.
SIMAVR_RUN := $(B)/simavr/simavr-run
EMULATOR_READY_$(SIMAVR_RUN) := $(SIMAVR_RUN)
$(SIMAVR_RUN): boards/avr/simavr.c | $(SETUP)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)gcc -std=c99 $(WARNINGS) -O2 -o $@ $< -lsimavr

# The emulator of the RP2040 boards: rp2040js, exactly what the lock file names, and a mask ROM, which it has not.
EMULATOR_READY_node := $(B)/rp2040js/ready $(B)/rp2040js/rom.bin
RP2040JS_FILES := $(addprefix boards/rp2/emulator/,package.json package-lock.json)
$(B)/rp2040js/ready: $(RP2040JS_FILES) | $(SETUP)
	@echo "set-up: rp2040js into $(@D) (see boards/rp2/emulator/package.json)"
	@mkdir -p $(@D) && cp $(RP2040JS_FILES) $(@D)
	@cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error || { \
	    echo "set-up: ERROR: npm could not install boards/rp2/emulator/package-lock.json (its message is above; is there a" \
	    "network?). Run make again when that is mended."; exit 1; }
	@touch $@
$(B)/rp2040js/rom.bin: boards/rp2/emulator/rom.c boards/rp2/emulator/rom.ld | $(SETUP)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)arm-none-eabi-gcc -std=c99 $(WARNINGS) -Os -ffreestanding -fno-builtin -mcpu=cortex-m0plus -mthumb -nostdlib \
	    -Wl,-Tboards/rp2/emulator/rom.ld -o $(@:.bin=.elf) $<
	$(Q)arm-none-eabi-objcopy -O binary $(@:.bin=.elf) $@

EMULATORS_READY = $(sort $(foreach b,$(BOARDS),$(EMULATOR_READY_$(firstword $($b_EMULATOR)))))

# Clients in Go: gRPC's own for the interop cases, and grpcurl. Not a part of the set-up: for those who have Go.
GO_client := google.golang.org/grpc/interop/client@v1.68.0
GO_grpcurl := github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3
$(B)/go/client $(B)/go/grpcurl:
	@command -v go >/dev/null || { echo "$@: there is no Go (1.22 or newer) here"; exit 1; }
	$(Q)GOBIN=$(abspath $(@D)) go install $(GO_$(@F))

# h2spec, from the Go modules that tests/conformance/go.mod and go.sum pin. Without them nothing fails here: $(H2SPEC)
# is not there, the file "missing" beside it says why, `make test` skips what needs it, and the next make tries again.
H2SPEC := $(B)/h2spec/h2spec
H2SPEC_PROGRAMS := $(addprefix github.com/summerwind/h2spec/cmd/,h2spec h2specd)
$(H2SPEC): tests/conformance/go.mod tests/conformance/go.sum | $(SETUP)
	@echo "set-up: h2spec (see tests/conformance/go.mod)"
	@mkdir -p $(@D)
	@cd tests/conformance && export GOFLAGS=-mod=readonly GOTOOLCHAIN=local CGO_ENABLED=0 && \
	    if timeout 600 go build -o $(abspath $(@D))/ $(H2SPEC_PROGRAMS) >$(abspath $(@D))/missing 2>&1; then \
	    touch $(abspath $@) && rm $(abspath $(@D))/missing; else cat $(abspath $(@D))/missing; \
	    echo "set-up: h2spec could not be built (go's message is above; is there a network?): its tests are skipped"; fi

# --- Generated sources -----------------------------------------------------------------------------

OUR_PROTOS := $(patsubst proto/%.proto,%,$(wildcard $(addprefix proto/,$(addsuffix .proto,* */* */*/* */*/*/*))))
# Those of google/protobuf/ come with protoc, and are generated where a file of ours imports them, directly or not. Before
# protoc is there they cannot be read: then make gets it, reads all of this again, and goes on.
PROTOC_PROTOS := $(wildcard $(VENV)/lib/python3*/site-packages/grpc_tools/_proto)
ifeq ($(PROTOC_PROTOS)$(findstring n,$(firstword -$(MAKEFLAGS))),)
ifneq ($(filter python,$(foreach t,$(or $(MAKECMDGOALS),all),$(call goal_groups,$t))),)
include $(B)/python.mk
endif
endif
$(B)/python.mk: $(VENV_READY) # says nothing; make reads all anew when it has come
	@mkdir -p $(@D) && : > $@
# FILE>IMPORT, without their endings.
IMPORTS := $(shell awk -v root=proto/ -f proto/imports.awk $(patsubst %,proto/%.proto,$(OUR_PROTOS))) \
    $(if $(PROTOC_PROTOS),$(shell awk -v root=$(PROTOC_PROTOS)/ -f proto/imports.awk $(wildcard $(PROTOC_PROTOS)/google/protobuf/*.proto)))
# $1: files. They, and all that they import.
with_imports = $(call with_imports_,$1,$(sort $1 $(foreach p,$1,$(patsubst $p>%,%,$(filter $p>%,$(IMPORTS))))))
with_imports_ = $(if $(filter-out $1,$2),$(call with_imports,$2),$1)
# Those that are there for their options alone are for protoc and for Python.
IN_C := $(filter-out $(patsubst !%,%,$(filter !%,$(IMPORTS))),$(OUR_PROTOS))
# nanopb includes nothing of descriptor.proto, which those import that declare options, and could not bound it.
PROTOS := $(sort $(IN_C) $(filter-out google/protobuf/descriptor,$(filter google/protobuf/%,$(call with_imports,$(IN_C)))))
GENERATOR ?= proto/protoc-gen-nanorpc
PROTOC := PATH="$(CURDIR)/$(VENV)/bin:$$PATH" NANOPB_DIR="$(abspath $(NANOPB_DIR))" $(PYTHON) -m grpc_tools.protoc -Iproto
# What the generators write of one .proto file.
GEN_KINDS := pb.c pb.h nrpc.c nrpc.h client.c client.h desc.c
gen_files = $(addprefix $(B)/gen/$1.,$(GEN_KINDS))
GEN_C := $(filter %.c,$(foreach p,$(PROTOS),$(call gen_files,$p)))
GEN_H := $(filter %.h,$(foreach p,$(PROTOS),$(call gen_files,$p)))
# Python brings gRPC's own of health and reflection, and Google's.
GEN_PY := $(foreach p,$(filter-out grpc/health/% grpc/reflection/% google/%,$(sort $(OUR_PROTOS) $(PROTOS))),$(B)/py/$p_pb2.py $(B)/py/$p_pb2_grpc.py)

# nanopb's generator writes its own parser when it first runs: once, before several run at a time.
GENERATOR_READY := $(B)/gen/ready
$(GENERATOR_READY): $(VENV_READY) | $(NANOPB_READY)
	@mkdir -p $(@D)
	@$(PYTHON) $(NANOPB_DIR)/generator/nanopb_generator.py --version > $@

define proto_rules # $1: a .proto file's path below proto/, without its ending
$(call gen_files,$1) &: \
    $(wildcard $(foreach p,$(call with_imports,$1),proto/$p.proto proto/$p.options)) $(GENERATOR) $(wildcard proto/nanorpc_generator/*.py proto/nanorpc_generator/google/protobuf/*.options) $(GENERATOR_READY)
	$(call say,GEN,$1.pb.c $1.nrpc.c)
	$(Q)mkdir -p $(B)/gen
	$(Q)$$(PROTOC) --plugin=protoc-gen-nanopb=$(GENERATOR) \
	    --nanopb_out=$(B)/gen --nanopb_opt=-Iproto --nanopb_opt=--messages \
	    --plugin=protoc-gen-nanorpc=$(GENERATOR) --nanorpc_opt=-Iproto --nanorpc_opt=--no-imports --nanorpc_out=$(B)/gen $1.proto
	$(Q)touch $(call gen_files,$1)
$(B)/py/$1_pb2.py $(B)/py/$1_pb2_grpc.py &: $(wildcard $(foreach p,$(call with_imports,$1),proto/$p.proto)) $(VENV_READY)
	$(call say,GEN,$1_pb2.py $1_pb2_grpc.py)
	$(Q)mkdir -p $(B)/py
	$(Q)$$(PROTOC) --python_out=$(B)/py --grpc_python_out=$(B)/py $1.proto
endef
$(foreach p,$(sort $(OUR_PROTOS) $(PROTOS)),$(eval $(call proto_rules,$p)))

# --- Certificates for tests: new keys each time --------------------------------------------------------

CERTS_READY := $(B)/certs/certs.h
$(CERTS_READY): tests/certs.py | $(SETUP)
	$(call say,GEN,$@)
	$(Q)python3 -B tests/certs.py $(@D)

# --- Flags -----------------------------------------------------------------------------------------

WARNINGS := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror
CFLAGS_OURS := -std=c99 -ffunction-sections -fdata-sections -DPB_NO_ERRMSG=1 -DPB_BUFFER_ONLY=1 \
    -I. -Iboards -I$(B)/gen -isystem $(NANOPB_DIR)
CFLAGS_ALL := $(CFLAGS_OURS) -g -MMD -MP
CFLAGS_LWIP := -isystem $(LWIP_DIR)/src/include
# $1: profile. All files of an image, as NRPC_TLS changes the layout of structs.
CFLAGS_TLS = -DNRPC_TLS=1 -DMBEDTLS_CONFIG_FILE=\"ports/mbedtls/nrpc_profile_$1.h\" -I$(B)/certs \
    -isystem $(MBEDTLS_DIR)/include
# Third-party files are compiled as they come, with the compiler's own warnings alone. What later compilers refuse is
# refused by all: -w would hide it from those that only warn.
CFLAGS_THIRD := -std=gnu99 -Werror=implicit-function-declaration -Werror=implicit-int -Werror=int-conversion \
    -Werror=incompatible-pointer-types

# The Pico SDK's, by chip. Its headers are a system's to the compiler; build/pico-sdk/ has the one that its CMake makes.
CFLAGS_PICO = -Iboards/rp2 -I$(B)/pico-sdk $(patsubst %,-isystem $(PICO_SDK_DIR)/src/%/include,$(PICO_SDK_HEADERS) \
    $(addprefix $1/,$(PICO_SDK_CHIP)) boards) -isystem $(TINYUSB_DIR)/src -isystem $(TINYUSB_DIR)/lib/networking -DNDEBUG \
    -Dstatic_assert="__extension__ _Static_assert" -DPICO_BUILD=1 -DPICO_ON_DEVICE=1 -DPICO_NO_HARDWARE=0 -DPICO_32BIT=1 -DPICO_HEAP_SIZE=0 -DPICO_STACK_SIZE=BOARD_STACK_BYTES -DPICO_NO_BI_PROGRAM_BUILD_DATE=1 \
    -DPICO_RUNTIME_SKIP_INIT_PER_CORE_TLS_SETUP=1 -DPICO_TIME_DEFAULT_ALARM_POOL_DISABLED=1
cdc_CFLAGS := -DBOARD_USB_CDC=1
ncm_CFLAGS := -DBOARD_USB_NCM=1
rp2040_CFLAGS = $(call CFLAGS_PICO,rp2040) -DPICO_RP2040=1
rp2350_CFLAGS = $(call CFLAGS_PICO,rp2350) -DPICO_RP2350=1
SDK_READY := $(PICO_SDK_READY) $(TINYUSB_READY) $(B)/pico-sdk/pico/version.h
$(B)/pico-sdk/pico/version.h: $(PICO_SDK_READY)
	$(call say,GEN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)sed -n 's/^set(\(PICO_SDK_VERSION_[A-Z]*\) \([0-9]*\))$$/#define \1 \2/p' $< > $@

# No heap on a board: a reference to any of these that is still there after --gc-sections becomes an
# undefined __wrap_ symbol, and the linker names the function that made it.
HEAP := malloc free calloc realloc memalign _malloc_r _free_r _calloc_r _realloc_r sbrk _sbrk _sbrk_r
NO_HEAP := $(patsubst %,-Wl$(comma)--wrap=%,$(HEAP))

# --- Images: one object tree a board, and one more for each application that has limits of its own ----

CORE_SRC := $(sort $(wildcard $(patsubst %,nanorpc/%/*.c,hpack http2 grpc server client)))
SERVICES_SRC := $(sort $(wildcard nanorpc/services/*.c)) # an application names those that it has
HEADERS_READY := $(GEN_H) $(NANOPB_READY)

# What a port needs beside the core; a board names one or more.
PORT_lwip-raw_SRC := ports/lwip/nrpc_lwip.c ports/lwip/nrpc_lwip_dial.c
PORT_lwip-raw_LWIP := $(LWIP_CORE_SRC)
PORT_lwip-raw_MAIN := boards/where.c boards/lwip.c
PORT_serial_SRC := $(sort $(wildcard ports/serial/*.c))
PORT_serial_MAIN := boards/serial.c
PORT_lwip-sockets_SRC := $(addprefix ports/lwip/nrpc_lwip_sockets,.c _dial.c _tasks.c)
PORT_lwip-sockets_LWIP := $(LWIP_CORE_SRC) $(LWIP_API_SRC)
PORT_lwip-sockets_MAIN := boards/where.c boards/freertos/link.c
# What an RTOS needs beside its kernel; a board names one, or none.
RTOS_freertos_SRC := boards/freertos/start.c boards/freertos/sys_arch.c
RTOS_freertos_KERNEL = $(FREERTOS_SRC) $(FREERTOS_PORT)
TLS_SRC := $(sort $(wildcard ports/mbedtls/*.c))
TLS_PROFILES := $(wildcard ports/mbedtls/nrpc_profile*.h) # a system header includes them, so -MMD does not name them
PORT_posix_SRC := $(sort $(wildcard ports/posix/*.c))

port_flags = $(if $(uses_lwip),$(CFLAGS_LWIP)) $($($1_SDK)_CFLAGS) $($($1_USB)_CFLAGS) \
    $(if $($1_RTOS),$(foreach d,include portable/$($1_KERNEL),-isystem $(FREERTOS_DIR)/$d))
is_cross = $(filter %-,$($1_CC))
compiler = $(if $(is_cross),$($1_CC)gcc,$(or $($1_CC),cc))
uses_lwip = $(filter lwip-%,$($1_PORT))

# $1: board, $2: application
image = $(B)/$1/$2$(if $(is_cross),.elf)
app_tls = $(or $(app-$2_TLS_$1),$(app-$2_TLS))
app_config = $(strip $(app-$2_CONFIG) $(app-$2_CONFIG_$1) $(if $(app_tls),$(call CFLAGS_TLS,$(app_tls))))
config = $(filter-out $(foreach d,$(app_config),$(firstword $(subst =, ,$d))=%),$($1_CONFIG)) $(app_config)
tree = $1$(if $(app_config),-$2)
boards_apps = $(foreach a,$(APPS),$(if $(filter $1,$(app-$a_BOARDS)),$a))
ALL_IMAGES = $(foreach b,$(BOARDS),$(foreach a,$(call boards_apps,$b),$(call image,$b,$a)))

board_src = $(sort $(CORE_SRC) $(app-$2_SRC) $(if $(is_cross),boards/main.c boards/memory.c boards/text.c $(PORT_$($1_PORT)_MAIN)) $($1_SRC) \
    $(RTOS_$($1_RTOS)_SRC) $(foreach p,$($1_PORT),$(PORT_$p_SRC)) $(if $(app_tls),$(TLS_SRC)))
board_lwip = $(sort $(foreach p,$($1_PORT),$(PORT_$p_LWIP)) $(if $(is_cross),,$(if $(uses_lwip),$(LWIP_UNIX_SRC))))
board_obj = $(addprefix $(B)/$(tree)/,$(board_src:.c=.o) $(foreach p,$(app-$2_PROTO),$(patsubst %.c,gen/$p.%.o,$(filter %.c,$(GEN_KINDS)))) \
    $(patsubst %,nanopb/%.o,$(NANOPB_SRC)) $(patsubst %,lwip/%.o,$(board_lwip)) $(patsubst %,freertos/%.o,$(RTOS_$($1_RTOS)_KERNEL)) \
    $(patsubst %,pico-sdk/%.o,$($($1_SDK)_SDK_SRC) $(if $(filter rp2040,$($1_SDK)),boot2)) $(patsubst %,tinyusb/%.o,$($($1_USB)_USB_SRC)) \
    $(if $(app_tls),$(patsubst %,mbedtls/%.o,$(MBEDTLS_SRC))))

# A tree is compiled anew when its flags change, not whenever this file does: build/TREE/flags is
# written, here and now, only if what it says has changed. (The strip: make 4.3 may leave the line's end.)
# $1: tree, $2: all that decides how it is compiled and linked.
keep_flags = $(if $(subst x$(strip $(file <$(B)/$1/flags))x,,x$(strip $2)x),$(shell mkdir -p $(B)/$1)$(file >$(B)/$1/flags,$(strip $2)))

# Settings that headers include which are a system's to the compiler (lwIP's, TinyUSB's), so -MMD does not name them. $1: flags
lwipopts = $(wildcard $(foreach d,$(patsubst -I%,%,$(filter -I%,$1)),$d/lwipopts.h $d/tusb_config.h))

# Compile rules of one object tree. $1: its folder below build/, $2: compiler, $3: flags, $4: flags to link
define tree_rules
$(call keep_flags,$1,$2 $(CFLAGS_ALL) $(WARNINGS) $(CFLAGS_THIRD) $3 $4)
$(B)/$1/%.o: %.c $(B)/$1/flags $(call lwipopts,$3) $(if $(findstring $(MBEDTLS_DIR),$3),$(TLS_PROFILES)) | $(HEADERS_READY) $(if $(findstring $(LWIP_DIR),$3),$(LWIP_READY)) $(if $(findstring $(FREERTOS_DIR),$3),$(FREERTOS_READY)) \
    $(if $(findstring $(MBEDTLS_DIR),$3),$(MBEDTLS_READY) $(CERTS_READY)) $(if $(findstring $(PICO_SDK_DIR),$3),$(SDK_READY)) $(SETUP)
	$$(call say,CC,$1/$$*.c)
	$(Q)mkdir -p $$(@D)
	$(Q)$2 $(CFLAGS_ALL) $(WARNINGS) $3 -c -o $$@ $$<
$(B)/$1/gen/%.o: $(B)/gen/%.c $(B)/$1/flags | $(HEADERS_READY) $(SETUP)
	$$(call say,CC,$1/gen/$$*.c)
	$(Q)mkdir -p $$(@D)
	$(Q)$2 $(CFLAGS_ALL) $(WARNINGS) $3 -c -o $$@ $$<
$(B)/$1/nanopb/%.o: $(NANOPB_DIR)/%.c $(B)/$1/flags | $(NANOPB_READY) $(SETUP)
	$$(call say,CC,$1/nanopb/$$*.c)
	$(Q)mkdir -p $$(@D)
	$(Q)$2 $(CFLAGS_ALL) $(CFLAGS_THIRD) $3 -c -o $$@ $$<
$(B)/$1/lwip/%.o: $(LWIP_DIR)/%.c $(B)/$1/flags $(call lwipopts,$3) | $(LWIP_READY) $(HEADERS_READY) $(SETUP)
	$$(call say,CC,$1/lwip/$$*.c)
	$(Q)mkdir -p $$(@D)
	$(Q)$2 $(CFLAGS_ALL) $(CFLAGS_THIRD) $3 -c -o $$@ $$<
$(B)/$1/freertos/%.o: $(FREERTOS_DIR)/%.c $(B)/$1/flags | $(FREERTOS_READY) $(SETUP)
	$$(call say,CC,$1/freertos/$$*.c)
	$(Q)mkdir -p $$(@D)
	$(Q)$2 $(CFLAGS_ALL) $(CFLAGS_THIRD) $$(filter-out $$(if $$(filter %/portasm,$$*),-flto%),$3) -c -o $$@ $$<
$(B)/$1/mbedtls/%.o: $(MBEDTLS_DIR)/library/%.c $(B)/$1/flags $(TLS_PROFILES) | $(MBEDTLS_READY) $(SETUP)
	$$(call say,CC,$1/mbedtls/$$*.c)
	$(Q)mkdir -p $$(@D)
	$(Q)$2 $(CFLAGS_ALL) $(CFLAGS_THIRD) -I$(MBEDTLS_DIR)/library $(if $(findstring -Os,$3),,-O2) \
	    $(filter-out -O1 -fsanitize% -fno-sanitize%,$3) -c -o $$@ $$<
endef

# The same of the Pico SDK and TinyUSB; without -flto, which the SDK is not made for: what it places in RAM must stay there.
# boot2, the second stage that the RP2040's ROM looks for at the start of flash, is a program of its own with a checksum.
BOOT2_DIR := $(PICO_SDK_DIR)/src/rp2040/boot_stage2
define sdk_rules # $1: its folder below build/, $2: compiler, $3: flags
$(foreach s,c S,$(B)/$1/pico-sdk/%.o: $(PICO_SDK_DIR)/src/%.$s $(B)/$1/flags | $(SDK_READY) $(SETUP)
	$$(call say,CC,$1/pico-sdk/$$*.$s)
	$(Q)mkdir -p $$(@D)
	$(Q)$2 $(CFLAGS_ALL) $(CFLAGS_THIRD) -Wa,--no-warn $(filter-out -flto%,$3) -c -o $$@ $$<
)
$(B)/$1/tinyusb/%.o: $(TINYUSB_DIR)/%.c $(B)/$1/flags $(call lwipopts,$3) | $(SDK_READY) $(if $(findstring $(LWIP_DIR),$3),$(LWIP_READY)) $(SETUP)
	$$(call say,CC,$1/tinyusb/$$*.c)
	$(Q)mkdir -p $$(@D)
	$(Q)$2 $(CFLAGS_ALL) $(CFLAGS_THIRD) $(filter-out -flto%,$3) -c -o $$@ $$<
$(B)/$1/pico-sdk/boot2.o: $(BOOT2_DIR)/compile_time_choice.S $(B)/$1/flags | $(SDK_READY) $(SETUP)
	$$(call say,LINK,$$@)
	$(Q)mkdir -p $$(@D)
	$(Q)$2 $(filter-out -flto% --specs=%,$3) -isystem $(BOOT2_DIR)/asminclude -nostdlib -T $(BOOT2_DIR)/boot_stage2.ld -o $$(@:.o=.elf) $$<
	$(Q)$(patsubst %gcc,%objcopy,$2) -O binary $$(@:.o=.elf) $$(@:.o=.bin)
	$(Q)python3 $(BOOT2_DIR)/pad_checksum -s 0xffffffff $$(@:.o=.bin) $$(@:.o=.S)
	$(Q)$2 $(filter -mcpu=% -mthumb,$3) -c -o $$@ $$(@:.o=.S)
endef

# What clang calls it, where that is not the prefix.
CC_TARGET_riscv64-unknown-elf- := riscv32-unknown-elf
CC_LIBC_avr- := -nostdlibinc -isystem /usr/lib/avr/include
# $1: board, $2: tree, $3: limits
lint_flags = $(CFLAGS_ALL) $(WARNINGS) -I$($1_DIR) $(port_flags) $3 \
    $(filter-out --specs=% -Wl$(comma)% -fno-% -flto% -fcallgraph%,$($1_CFLAGS)) \
    $(if $(is_cross),--target=$(or $(CC_TARGET_$($1_CC)),$($1_CC:-=)) $(or $(CC_LIBC_$($1_CC)),-isystem /usr/lib/picolibc/$($1_CC:-=)/include))

# All that a board compiles is shown to clang for the first board of each compiler and port, for the others what is theirs.
lint_kind = $($1_CC)/$(subst $() ,/,$($1_PORT))
LINT_WHOLE := $(foreach k,$(sort $(foreach b,$(BOARDS),$(call lint_kind,$b))),\
    $(firstword $(foreach b,$(BOARDS),$(if $(filter $k,$(call lint_kind,$b)),$b))))
linted = $(if $(filter $1,$(LINT_WHOLE)),$(board_src),$(filter-out boards/apps/%,$(filter boards/%,$(board_src))))

define board_tree # $1: board, $2: tree, $3: limits
$(call tree_rules,$2,$(call compiler,$1),$(if $(call is_cross,$1),-Os,-O2) -I$($1_DIR) \
    $(call port_flags,$1) $3 $($1_CFLAGS),$(if $(call is_cross,$1),$(NO_HEAP)) $($1_LDFLAGS) $($1_LIBS))
$(if $($1_SDK),$(call sdk_rules,$2,$(call compiler,$1),-Os -I$($1_DIR) $(call port_flags,$1) $3 $($1_CFLAGS)))
# What our sources say to clang, as the board compiles them.
$(B)/lint/$2/%.ok: %.c $(B)/$2/flags | $(HEADERS_READY) $(if $(call uses_lwip,$1),$(LWIP_READY)) \
    $(if $(findstring $(MBEDTLS_DIR),$3),$(MBEDTLS_READY) $(CERTS_READY)) $(if $($1_SDK),$(SDK_READY)) $(SETUP)
	$$(call say,LINT,$2/$$*.c)
	$(Q)mkdir -p $$(@D)
	$(Q)clang -fsyntax-only -MT $$@ -MF $$(@:.ok=.d) $(call lint_flags,$1,$2,$3) $$< && touch $$@
endef

# Refuses an image that its chip would not start; writes its .uf2.
IMAGE_PY := boards/tools/image.py
# Links, and says in one line by how much an image is too large.
FIT_PY := boards/tools/fit.py
define image_rules # $1: board, $2: application
$1-$2_OBJ := $(call board_obj,$1,$2)
$1-$2_LINT := $(patsubst %.c,$(B)/lint/$(call tree,$1,$2)/%.ok,$(call linted,$1,$2))
$(call image,$1,$2): $$($1-$2_OBJ) $(B)/$(call tree,$1,$2)/flags $(wildcard $($1_DIR)/*.ld boards/*/*.ld) $(if $(call is_cross,$1),$(IMAGE_PY) $(FIT_PY))
	$$(call say,LINK,$$@)
	$(Q)mkdir -p $$(@D)
	$(Q)$(if $(call is_cross,$1),python3 -B $(FIT_PY) $$@ --flash-kb $($1_FLASH_KB) --ram-kb $($1_RAM_KB) --) \
	    $(call compiler,$1) -Wl,--gc-sections -Wl,-Map=$$@.map $(if $(call is_cross,$1),$(NO_HEAP)) \
	    $($1_CFLAGS) $($1_LDFLAGS) -o $$@ $$($1-$2_OBJ) $($1_LIBS)
	$(if $(call is_cross,$1),$(Q)python3 -B $(IMAGE_PY) $$@ --flash-kb $($1_FLASH_KB) --ram-kb $($1_RAM_KB) \
	    $(if $($1_UF2),--uf2-of $($1_UF2) $$(@:.elf=.uf2)))
	$(if $(call is_cross,$1),$(Q)$($1_CC)objcopy -O binary $$@ $$(@:.elf=.bin) && $($1_CC)objcopy -O ihex $$@ $$(@:.elf=.hex))
-include $$($1-$2_LINT:.ok=.d)
-include $$($1-$2_OBJ:.o=.d)
endef

# What board.mk says of the tools that write it. $1: board, $2: image
tools = $1 $2 --tools "$($1_FLASH)" --drive "$($1_DRIVE)" --openocd "$($1_OPENOCD)" --openocd-khz "$($1_OPENOCD_KHZ)" \
    --pyocd "$($1_PYOCD)" --stflash "$($1_STFLASH)"

define board_rules # $1: board
$(call board_tree,$1,$1,$($1_CONFIG))
$(foreach a,$(call boards_apps,$1),$(if $(call app_config,$1,$a),$(call board_tree,$1,$1-$a,$(call config,$1,$a)))
$(call image_rules,$1,$a))
.PHONY: $1 run-$1 flash-$1 debug-$1 monitor-$1
$1: $(call image,$1,$(APP))
run-$1: $(call image,$1,$(APP)) $(EMULATOR_READY_$(firstword $($1_EMULATOR)))
	$(if $(call is_cross,$1),@$(if $($1_EMULATOR),python3 -B boards/tools/port.py run-$1 $(PORT) && echo "run-$1: $(if $(filter serial,$($1_PORT)),socket://127.0.0.1:$(PORT) is the board's UART (docs/serial.md); Ctrl-C,127.0.0.1:$(PORT) is forwarded to the board; Ctrl-A X) ends it",\
	    echo "run-$1: no emulator runs this board"; exit 1))
	$(Q)$(if $(call is_cross,$1),$(call emulate,$1,$$<),$$< $(ARGS))
flash-$1: $(call image,$1,$(APP))
	@python3 -B boards/tools/flash.py $(call tools,$1,$$<) $(ARGS)
debug-$1: $(call image,$1,$(APP)) $(EMULATOR_READY_$(firstword $($1_EMULATOR)))
	@python3 -B boards/tools/debug.py $(call tools,$1,$$<) --prefix "$(filter %-,$($1_CC))" --emulator '$(call emulate,$1,$$<)' $(ARGS)
# With a TTY it is the hardware's own, whatever image that has.
monitor-$1: $(if $(TTY),$(VENV_READY),$(call image,$1,$(APP)) $(EMULATOR_READY_$(firstword $($1_EMULATOR))))
	@$$(RUN_PYTHON) -B boards/tools/monitor.py $1 --folder $(B)/$1 --tty "$(TTY)" --baudrate $(BAUD) --port $(PORT) \
	    $(if $(filter serial,$($1_PORT)),--serial) --emulator '$(call emulate,$1,$(call image,$1,$(APP)))' $(ARGS)
endef
$(foreach b,$(BOARDS),$(eval $(call board_rules,$b)))

# An application that a board of the goals does not have is refused by name.
goal_board = $(patsubst sim,host-sim,$(patsubst monitor-%,%,$(patsubst debug-%,%,$(patsubst flash-%,%,$(patsubst run-%,%,$1)))))
$(foreach g,$(MAKECMDGOALS),$(foreach b,$(filter $(call goal_board,$g),$(BOARDS)),$(if $(filter $b,$(app-$(APP)_BOARDS)),,\
    $(error APP=$(APP) is not for $b: its applications are: $(strip $(call boards_apps,$b)); the boards that have it: $(app-$(APP)_BOARDS)))))

all: $(ALL_IMAGES) $(GEN_PY)

# --- Unit tests: the same sources in several trees, one program a test_*.c -----------------------------
# gcc with a server alone; clang with NRPC_FAST, as on Linux; gzip with compression; the Cortex-M3 without metadata.

UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
UNIT_SUPPORT := $(filter-out tests/unit/host.c $(UNIT_SRC),$(sort $(wildcard tests/unit/*.c)))
SANITIZE := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

VECTORS_H := $(B)/vectors/hpack_vectors.h
$(VECTORS_H): $(wildcard tests/vectors/*.py tests/vectors/*.txt) $(VENV_READY)
	$(call say,GEN,$(@F))
	$(Q)mkdir -p $(@D)
	$(Q)$(PYTHON) -B tests/vectors/make_hpack.py -o $@
COMPRESS_VECTORS_H := $(B)/vectors/compress_vectors.h
$(COMPRESS_VECTORS_H): tests/vectors/make_compress.py $(VENV_READY)
	$(call say,GEN,$(@F))
	$(Q)mkdir -p $(@D)
	$(Q)$(PYTHON) -B $< -o $@

UNIT_TREES := unit-gcc unit-clang unit-gzip unit-many unit-m3 unit-avr
unit-gcc_CC := gcc
unit-gcc_CFLAGS := $(SANITIZE) -DNRPC_GAPS=1 -DNRPC_METADATA_BYTES=128
unit-gcc_SUPPORT := tests/unit/host.c
unit-gcc_WITHOUT := $(patsubst %,$(B)/gen/%.nrpc.c,blobs grpc/testing/test)
unit-clang_CC := clang
unit-clang_CFLAGS := $(SANITIZE) -DNRPC_FAST=1 -DNRPC_METADATA_BYTES=256 -DNRPC_PIECES=1 -DNRPC_CLIENT=1
unit-clang_SUPPORT := tests/unit/host.c
# With compression and several receive blocks; a few programs only, as the others know how large they are without.
unit-gzip_CC := clang
unit-gzip_CFLAGS := $(SANITIZE) -DNRPC_RX_BLOCKS=3 -DNRPC_FAST=1 -DNRPC_METADATA_BYTES=128 -DNRPC_COMPRESSION=1 -DNRPC_PIECES=1 -DNRPC_CLIENT=1
unit-gzip_SUPPORT := tests/unit/host.c
unit-gzip_SRC := $(patsubst %,tests/unit/test_%.c,blocks calls client_compression compression mutations produced reflection streamed streamed_client streamed_zip typed)
# With more slots than are all asked (NRPC_MANY_STREAMS), not a power of two, without NRPC_FAST; not those programs that count slots.
unit-many_CC := clang
unit-many_CFLAGS := $(SANITIZE) -DNRPC_MAX_STREAMS=100 -DNRPC_PIECES=1 -DNRPC_CLIENT=1
unit-many_SUPPORT := tests/unit/host.c
unit-many_SRC := $(patsubst %,tests/unit/test_%.c,attacks both calls client client_goaway client_life deadlines ends flow life mutations \
    slots timers)
unit-m3_CC := arm-none-eabi-
unit-m3_CFLAGS := -Os -mcpu=cortex-m3 -mthumb --specs=picolibc.specs -DNRPC_PIECES=1 -DNRPC_CLIENT=1
unit-m3_LDFLAGS := -nostartfiles -T tests/target/link.ld $(NO_HEAP)
unit-m3_SUPPORT := tests/target/semihost.c boards/memory.c
unit-m3_ENDING := .elf
# Where int has 16 bits: an ATmega2560 with 64 KB of memory, most of it outside of the chip, in simavr. The others are
# named below: those that need more memory (single tests of these here, too, which say so: RUN_LARGE), and those of other
# processors and ports.
unit-avr_SRC := $(patsubst %,tests/unit/test_%.c,blocks both calls client client_ends client_goaway client_life client_starts conn \
    deadlines details dial ends enums frame health hpack_fields hpack_none hpack_small huffman interceptors life match metadata \
    produced reflection refs slots streamed streamed_client streams timers typed walk)
unit-avr_LARGE := attacks client_compression clients compress compression flow headers hpack mutations peers streamed_mutations \
    streamed_zip texts
unit-avr_ELSEWHERE := admission checksum decode_cost memory
unit-avr_CC := avr-
unit-avr_CFLAGS := -Os -mmcu=atmega2560 -DNRPC_METADATA_BYTES=128 -DNRPC_PIECES=1 -DNRPC_CLIENT=1
unit-avr_LDFLAGS := -Wl,--defsym=__stack=0xffff -Wl,--defsym=__DATA_REGION_LENGTH__=0xfe00
unit-avr_SUPPORT := tests/target/avr.c
unit-avr_ENDING := .elf

# TLS, one tree a profile: the programs of tests/tls. Who takes memory, and whether it gets any, is the tests' business.
UNIT_TREES += tls-gcc tls-clang tls-m3 tls-public
TLS_TEST_SRC := $(sort $(wildcard tests/tls/test_*.c))
tls-gcc_CC := gcc
tls-gcc_CFLAGS := $(SANITIZE) -DNRPC_PIECES=1 -DNRPC_CLIENT=1
tls-gcc_SUPPORT := tests/unit/host.c
tls-gcc_TLS := conformant
tls-clang_CC := clang
tls-clang_CFLAGS := $(SANITIZE) -DNRPC_FAST=1 -DNRPC_PIECES=1 -DNRPC_CLIENT=1
tls-clang_SUPPORT := tests/unit/host.c
tls-clang_TLS := tls13
tls-m3_CC := arm-none-eabi-
tls-m3_CFLAGS := $(unit-m3_CFLAGS)
tls-m3_LDFLAGS := $(unit-m3_LDFLAGS)
tls-m3_SUPPORT := tests/target/semihost.c boards/memory.c
tls-m3_ENDING := .elf
tls-m3_TLS := small
tls-public_CC := clang
tls-public_CFLAGS := $(tls-clang_CFLAGS) -DNRPC_TLS_SERVER=1
tls-public_SUPPORT := tests/unit/host.c
tls-public_TLS := public
$(foreach t,$(filter tls-%,$(UNIT_TREES)),$(eval $t_DIR := tests/tls)$(eval $t_SRC := $(TLS_TEST_SRC))\
    $(eval $t_SUPPORT += tests/tls/pair.c tests/tls/client_memory.c)$(eval $t_CFLAGS += $(call CFLAGS_TLS,$($t_TLS)) -DNRPC_TLS_MEMORY_BYTES=524288)\
    $(eval $t_LDFLAGS += -Wl$(comma)--wrap=nrpc_tls_calloc -Wl$(comma)--wrap=nrpc_tls_free))

define unit_rules # $1: tree
$(call tree_rules,$1,$(call compiler,$1),-Itests/unit -I$(B)/vectors $($1_CFLAGS),$($1_LDFLAGS))
$1_LIB := $(patsubst %.c,$(B)/$1/%.o,$(CORE_SRC) $(SERVICES_SRC) $(UNIT_SUPPORT)) \
    $(patsubst $(B)/gen/%.c,$(B)/$1/gen/%.o,$(filter-out $($1_WITHOUT),$(GEN_C))) \
    $(patsubst %,$(B)/$1/nanopb/%.o,$(NANOPB_SRC)) \
    $(if $($1_TLS),$(patsubst %.c,$(B)/$1/%.o,$(TLS_SRC)) $(patsubst %,$(B)/$1/mbedtls/%.o,$(MBEDTLS_SRC)))
$1_SUPPORT_OBJ := $(patsubst %.c,$(B)/$1/%.o,$($1_SUPPORT))
$1_PROGRAMS := $(patsubst $(or $($1_DIR),tests/unit)/%.c,$(B)/$1/%$($1_ENDING),$(or $($1_SRC),$(UNIT_SRC)))
$(patsubst %.c,$(B)/$1/%.o,$(UNIT_SRC)): | $(VECTORS_H) $(COMPRESS_VECTORS_H)
$(B)/$1/libnanorpc.a: $$($1_LIB)
	$(Q)rm -f $$@ && ar rc $$@ $$($1_LIB)
$$($1_PROGRAMS): $(B)/$1/%$($1_ENDING): $(B)/$1/$(or $($1_DIR),tests/unit)/%.o $$($1_SUPPORT_OBJ) $(B)/$1/libnanorpc.a $(B)/$1/flags \
    $(wildcard tests/target/*.ld)
	$$(call say,LINK,$$@)
	$(Q)$(call compiler,$1) -Wl,--gc-sections $($1_CFLAGS) $($1_LDFLAGS) -o $$@ $$(filter %.o %.a,$$^)
-include $$($1_LIB:.o=.d) $(patsubst %.c,$(B)/$1/%.d,$(or $($1_SRC),$(UNIT_SRC)) $($1_SUPPORT))
endef
$(foreach t,$(UNIT_TREES),$(eval $(call unit_rules,$t)))

# For the test that a use of the heap does not link: HEAP_SOURCE as a unit test on the Cortex-M3.
.PHONY: heap-check
heap-check: $(unit-m3_SUPPORT_OBJ) $(B)/unit-m3/libnanorpc.a
	$(Q)$(call compiler,unit-m3) -Wl,--gc-sections $(unit-m3_CFLAGS) $(unit-m3_LDFLAGS) -o $(HEAP_ELF) $(HEAP_SOURCE) $^

# --- Fuzzing: tests/fuzz, on the sources of the unit tests with everything on ---------------------------
# For `make test` in unit-gzip's tree, with a driver that runs files; for `make fuzz` with libFuzzer where there is clang, and without NRPC_FAST,
# as on a board.

fuzz_FUZZ_NAMES := $(filter-out tls,$(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c))))
unit-gzip_FUZZ_NAMES := $(fuzz_FUZZ_NAMES)
SECONDS ?= 60
fuzz_CC := $(if $(call on_path,clang),clang,gcc)
fuzz_CFLAGS := -DNRPC_GAPS=1 $(filter-out -DNRPC_FAST%,$(unit-gzip_CFLAGS)) $(if $(filter clang,$(fuzz_CC)),-fsanitize=fuzzer-no-link)
fuzz_SUPPORT := tests/unit/host.c
fuzz_DRIVER := $(if $(filter clang,$(fuzz_CC)),,$(B)/fuzz/tests/fuzz/driver.o)
unit-gzip_DRIVER := $(B)/unit-gzip/tests/fuzz/driver.o
$(eval $(call unit_rules,fuzz))

define fuzz_rules # $1: tree, $2: flags to link
$1_FUZZ := $(patsubst %,$(B)/$1/fuzz_%,$($1_FUZZ_NAMES))
$$($1_FUZZ): $(B)/$1/fuzz_%: $(B)/$1/tests/fuzz/fuzz_%.o $(patsubst %,$(B)/$1/tests/fuzz/%.o,conversation judge) $($1_DRIVER) $($1_SUPPORT_OBJ) \
    $(B)/$1/libnanorpc.a $(B)/$1/flags
	$$(call say,LINK,$$@)
	$(Q)$(call compiler,$1) -Wl,--gc-sections $($1_CFLAGS) $($1_LDFLAGS) $2 -o $$@ $$(filter %.o %.a,$$^)
-include $(wildcard $(B)/$1/tests/fuzz/*.d)
endef
$(eval $(call fuzz_rules,unit-gzip))
$(eval $(call fuzz_rules,fuzz,$(if $(fuzz_DRIVER),,-fsanitize=fuzzer)))

# fuzz_tls has Mbed TLS under it, which the sanitizers do not see.
tls-clang_FUZZ_NAMES := tls
tls-clang_DRIVER := $(B)/tls-clang/tests/fuzz/driver.o
fuzz-tls_FUZZ_NAMES := tls
fuzz-tls_DRIVER := $(if $(fuzz_DRIVER),$(B)/fuzz-tls/tests/fuzz/driver.o)
fuzz-tls_CC := $(fuzz_CC)
fuzz-tls_CFLAGS := $(tls-clang_CFLAGS) $(if $(filter clang,$(fuzz_CC)),-fsanitize=fuzzer-no-link)
fuzz-tls_LDFLAGS := $(tls-clang_LDFLAGS)
fuzz-tls_SUPPORT := $(tls-clang_SUPPORT)
fuzz-tls_TLS := $(tls-clang_TLS)
fuzz-tls_DIR := tests/tls
fuzz-tls_SRC := $(TLS_TEST_SRC)
$(eval $(call unit_rules,fuzz-tls))
$(eval $(call fuzz_rules,tls-clang))
$(eval $(call fuzz_rules,fuzz-tls,$(if $(fuzz_DRIVER),,-fsanitize=fuzzer)))
fuzz_FUZZ += $(fuzz-tls_FUZZ)

# fuzz_world once more, with limits that are not the default ones: of the core alone, so it needs little time.
unit-odd_CC := $(fuzz_CC)
unit-odd_CFLAGS := $(SANITIZE) -DNRPC_CLIENT=1 -DNRPC_PIECES=1 -DNRPC_MAX_STREAMS=3 -DNRPC_RX_BLOCKS=3 -DNRPC_METADATA_BYTES=2048 \
    -DNRPC_HPACK_ENTRIES=64 -DNRPC_HEADER_BLOCK_MAX=65535 -DNRPC_HEADER_LIST_MAX=65535 -DNRPC_KEEPALIVE_MS=3000 \
    -DNRPC_MAX_AGE_MS=3600000 -DNRPC_MAX_IDLE_MS=600000
unit-odd_SRC := $(patsubst %,tests/fuzz/%.c,fuzz_world conversation judge driver)
fuzz-odd_CC := $(fuzz_CC)
fuzz-odd_CFLAGS := $(unit-odd_CFLAGS) $(if $(filter clang,$(fuzz_CC)),-fsanitize=fuzzer-no-link)
fuzz-odd_SRC := $(patsubst %,tests/fuzz/%.c,fuzz_world conversation judge $(if $(fuzz_DRIVER),driver))
define world_rules # $1: tree, $2: flags to link
$(call tree_rules,$1,$(call compiler,$1),-Itests/unit $($1_CFLAGS))
$1_OBJ := $(patsubst %.c,$(B)/$1/%.o,$(CORE_SRC) $(patsubst %,tests/unit/%.c,host raw_service test wire wire_text) $($1_SRC)) \
    $(patsubst %,$(B)/$1/nanopb/%.o,$(NANOPB_SRC))
$(B)/$1/fuzz_world: $$($1_OBJ) $(B)/$1/flags
	$$(call say,LINK,$$@)
	$(Q)$(call compiler,$1) -Wl,--gc-sections $($1_CFLAGS) $2 -o $$@ $$($1_OBJ)
-include $$($1_OBJ:.o=.d)
endef
$(eval $(call world_rules,unit-odd))
# What needs them, too: without compression the limit of a message stands elsewhere.
$(B)/unit-odd/test_blocks: $(filter-out %/fuzz_world.o %/driver.o,$(unit-odd_OBJ)) $(B)/unit-odd/tests/unit/test_blocks.o $(B)/unit-odd/flags
	$(call say,LINK,$@)
	$(Q)$(call compiler,unit-odd) -Wl,--gc-sections $(unit-odd_CFLAGS) -o $@ $(filter %.o,$^)
-include $(B)/unit-odd/tests/unit/test_blocks.d
$(eval $(call world_rules,fuzz-odd,$(if $(fuzz_DRIVER),,-fsanitize=fuzzer)))
fuzz_FUZZ += $(B)/fuzz-odd/fuzz_world

SEEDS_READY := $(B)/fuzz/seeds/ready
# What the unit tests give to connections, too, where there is clang, or will be: `make test` installs it.
WIRE_TESTS := $(if $(or $(call on_path,clang),$(filter test,$(MAKECMDGOALS))),$(patsubst tests/unit/%.c,$(B)/unit-clang/%,$(shell grep -l wire_expect $(UNIT_SRC))))
$(SEEDS_READY): tests/fuzz/seeds.py $(WIRE_TESTS) | $(SETUP)
	$(call say,GEN,$(@D))
	$(Q)python3 -B $< $(@D) $(WIRE_TESTS) && touch $@

UNIT_PROGRAMS := $(unit-gzip_FUZZ) $(tls-clang_FUZZ) $(B)/unit-odd/fuzz_world $(B)/unit-odd/test_blocks $(SEEDS_READY) $(foreach t,$(UNIT_TREES),$(B)/$t/libnanorpc.a $($t_SUPPORT_OBJ) $($t_PROGRAMS))

include $(wildcard tests/bench/bench.mk)

# --- Targets ---------------------------------------------------------------------------------------

RUN_PYTHON := PYTHONPATH=$(B)/py:ports/python:tests/e2e:tests/interop $(PYTHON)
PYTEST := $(RUN_PYTHON) -B -m pytest -p no:cacheprovider --timeout 600 -q -rfEs
# A file's tests share servers, so they stay together; so many files at a time.
TEST_JOBS ?= $(shell nproc)

.PHONY: all boards demo test test-target fuzz interop h2spec lint format size bench cost abuse readme sim venv third certs gen dist docs clean help
all: $(ALL_IMAGES) $(GEN_PY) ## build all that the boards, the simulator and Linux run (the default)

boards: ## print all boards: core, link, size, how each runs, and what its last tests said
	@python3 -B boards/tools/boards.py

demo: $(call image,$(DEMO_ON),greeter) $(GEN_PY) $(EMULATOR_READY_$(firstword $($(DEMO_ON)_EMULATOR))) ## boot the firmware in an emulator and greet it from Python; BOARD=name: of another board
	$(Q)$(RUN_PYTHON) tests/demo.py --port $(PORT) $(if $(BOARD),--board $(BOARD)) $(if $(filter serial,$($(DEMO_ON)_PORT)),--serial) -- $(call emulate,$(DEMO_ON),$<)

test: all lint $(UNIT_PROGRAMS) $(SIMAVR_RUN) $(NODE_READY) $(EMULATORS_READY) $(H2SPEC) $(BENCH_COUNTED) ##+ run every test; ends with "N passed, N failed"
	$(Q)NANOPB_DIR=$(NANOPB_DIR) $(PYTEST) -n $(TEST_JOBS) --dist loadfile tests $(ARGS)

test-target: $(unit-m3_PROGRAMS) ##+ run the unit tests on an emulated Cortex-M3 only
	$(Q)$(PYTEST) tests/test_units.py -k unit-m3

fuzz: $(fuzz_FUZZ) $(SEEDS_READY) ##+ search for inputs that break something, SECONDS=n for each target; prints what to do then
	$(Q)python3 -B tests/fuzz/fuzz.py --seconds $(SECONDS) $(if $(fuzz_DRIVER),--driver) $(ARGS) $(fuzz_FUZZ)

interop: $(foreach b,linux host-sim $(DEMO_BOARD),$(call image,$b,interop)) $(foreach b,linux host-sim,$(call image,$b,interop_tls)) $(GEN_PY) $(NODE_READY) ##+ run gRPC's interop cases and print the matrix
	$(Q)[ -x $(B)/go/client ] || ! command -v go >/dev/null || { echo "set-up: gRPC's own interop client in Go"; \
	    GOBIN=$(abspath $(B)/go) timeout 600 go install $(GO_client); } || echo "set-up: it could not be built (go's message is above)"
	$(Q)$(RUN_PYTHON) -B tests/interop/matrix.py $(ARGS)

h2spec: $(foreach b,linux host-sim $(DEMO_BOARD),$(call image,$b,greeter) $(call image,$b,caller)) $(call image,host-sim,tls) $(GEN_PY) $(H2SPEC) ##+ run all of h2spec and print the table
	$(Q)$(RUN_PYTHON) -B tests/conformance/h2spec.py $(ARGS)

lint: format-check $(sort $(foreach b,$(BOARDS),$(foreach a,$(call boards_apps,$b),$($b-$a_LINT)))) ##+ check the format of all files, and show our sources to clang as the boards compile them

.PHONY: format-check
format-check: $(VENV_READY)
	$(call say,LINT,the format)
	$(Q)$(PYTHON) -B tests/format.py

format: $(VENV_READY) ##+ bring all files into the project's format
	$(Q)$(PYTHON) -B tests/format.py --mend

SERIAL_BOARDS := lm3s811evb stm32vldiscovery
size: $(foreach a,greeter interop tls tls_conformant tls_13 caller_public,$(call image,$(DEMO_BOARD),$a)) $(foreach b,$(SERIAL_BOARDS),$(call image,$b,greeter)) $(GEN_H) ## measure flash, RAM and stack against tests/budgets.ini
	$(Q)$(PYTHON) tests/size.py --cflags "$(CFLAGS_OURS)" --warnings "$(WARNINGS)" --nanopb $(NANOPB_DIR) \
	    --lto "$(SMALLEST)" --image $< --interop $(call image,$(DEMO_BOARD),interop) \
	    --serial $(foreach b,$(SERIAL_BOARDS),$(call image,$b,greeter)) \
	    --tls small=$(call image,$(DEMO_BOARD),tls) conformant=$(call image,$(DEMO_BOARD),tls_conformant) \
	    tls13=$(call image,$(DEMO_BOARD),tls_13) public=$(call image,$(DEMO_BOARD),caller_public) --tls-flags "$(call CFLAGS_TLS,small)" $(ARGS)

bench: all $(BENCH_PROGRAMS) $(B)/tls-m3/test_cost.elf ##+ count instructions, bytes and requests a second, beside gRPC C++ and grpc-go
	$(Q)! command -v go >/dev/null || $(MAKE) -s $(B)/bench/greeter_go
	$(Q)$(RUN_PYTHON) tests/bench/bench.py $(ARGS)

cost: $(call image,$(DEMO_BOARD),greeter) $(GEN_PY) $(B)/bench/count_plugin.so ##+ count the instructions of a whole call on an emulated board, and whose they are
	$(Q)$(RUN_PYTHON) -B tests/bench/firmware.py --lwip $(LWIP_DIR) --nanopb $(NANOPB_DIR) --plugin $(B)/bench/count_plugin.so $(ARGS)

abuse: $(call image,$(DEMO_BOARD),greeter) $(GEN_PY) ##+ print what a client keeps of its rate on the emulated board while another one attacks; ARGS="--seconds S"
	$(Q)$(RUN_PYTHON) -B tests/bench/abuse.py $(ARGS)

readme: all $(BENCH_COUNTED) ##+ bring the transcript, the boards and the figures of README.md and docs/ up to date
	$(Q)$(RUN_PYTHON) -B tests/readme/readme.py $(ARGS)

sim: $(call image,host-sim,$(APP)) ## run the simulated device; ARGS="--help" shows what it can do
	$(Q)$< $(if $(findstring --port,$(ARGS)),,--port $(PORT)) $(ARGS)

venv: $(VENV_READY) ##+ make the Python environment in .venv
third: $(LWIP_READY) $(NANOPB_READY) $(MBEDTLS_READY) ##+ fetch the third-party sources that most boards need
certs: $(CERTS_READY) ##+ make a test CA, and good and bad certificates of it, below build/certs
dist: $(VENV_READY) | $(SETUP) ##+ make the source archive, build/dist/nanorpc-VERSION.tar.gz; the same commit gives the same bytes; and the Python package, build/dist/python/
	$(Q)$(PYTHON) -B tests/dist/dist.py
	$(Q)$(PYTHON) -B tests/dist/packages.py

docs: | $(SETUP) ## make HTML of the public headers, by task: build/docs/html/index.html
	$(Q)python3 -B tests/docs/docs.py

gen: $(GEN_C) $(GEN_H) $(GEN_PY) ##+ generate C and Python from proto/

clean: ## remove what was built (third-party sources and .venv stay)
	rm -rf $(filter-out $(B)/third,$(wildcard $(B)/*))

# $1: ## or ##+, for those who use nanorpc, and for those who work on it.
targets = sed -n 's/^\([a-z0-9-]*\):.* $1 /\1\t/p' Makefile | awk -F'\t' '{ printf "  make %-14s %s\n", $$1, $$2 }'
help: ## show this list
	@echo "To use it:"
	@$(call targets,##)
	@printf '  make %-14s %s\n' BOARD "build what a board runs" run-BOARD "the same, and run it: in an emulator, or here" \
	    flash-BOARD "the same, and write it to the hardware" \
	    debug-BOARD 'gdb on it, in the emulator; ARGS="--probe": on the hardware' \
	    monitor-BOARD "what it prints, in the emulator; TTY=/dev/ttyACM0: on the hardware"
	@echo "  Boards: $(BOARDS)."
	@echo "  Applications: $(APPS). APP=NAME with any of the last five, and with sim; without it, greeter."
	@echo "To work on it:"
	@$(call targets,##+)
