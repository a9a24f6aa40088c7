# tests/bench/bench.mk - the programs that `make bench` measures; the Makefile includes it.
# Layer: build. Needs of the Makefile: B, DEMO_BOARD, NO_HEAP, SETUP, GEN_H, compiler, say, the boards' objects.
# SPDX-License-Identifier: Apache-2.0

BENCH_COUNTED := $(B)/bench/instructions $(B)/bench/device.elf
BENCH_PROGRAMS := $(BENCH_COUNTED) $(B)/bench/baseline $(B)/bench/raw_epoll
BENCH_PROTO := helloworld/greeter

# The objects of the Linux board, with this main instead of its own and without the port.
$(B)/bench/instructions: $(B)/linux/tests/bench/instructions.o \
    $(filter-out $(B)/linux/boards/linux/% $(B)/linux/ports/%,$(linux-greeter_OBJ))
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(linux_CC) $(linux_CFLAGS) -Wl,--gc-sections -o $@ $^

# The objects of a Cortex-M3 board, as it links them, without board and port, in the emulated machine of the unit tests.
$(B)/bench/device.elf: $(patsubst %,$(B)/$(DEMO_BOARD)/tests/%.o,bench/device target/semihost unit/test unit/check) \
    $(filter-out $(patsubst %,$(B)/$(DEMO_BOARD)/%,boards/main.o boards/lwip.o boards/text.o boards/test_seed.o boards/cortexm/% boards/net/% boards/drivers/% boards/$(DEMO_BOARD)/% ports/% lwip/%),$($(DEMO_BOARD)-greeter_OBJ))
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(call compiler,$(DEMO_BOARD)) -Wl,--gc-sections $(NO_HEAP) $($(DEMO_BOARD)_CFLAGS) -nostartfiles -T tests/target/link.ld -o $@ $^

# gRPC C++, from Debian's packages.
$(B)/bench/baseline: tests/bench/baseline.cc proto/$(BENCH_PROTO).proto | $(SETUP)
	$(call say,CXX,$@)
	$(Q)mkdir -p $(@D)/cc
	$(Q)protoc -Iproto --cpp_out=$(@D)/cc --grpc_out=$(@D)/cc \
	    --plugin=protoc-gen-grpc="$$(command -v grpc_cpp_plugin)" proto/$(BENCH_PROTO).proto
	$(Q)g++ -O2 -I$(@D)/cc -o $@ $< $(@D)/cc/$(BENCH_PROTO).pb.cc $(@D)/cc/$(BENCH_PROTO).grpc.pb.cc \
	    $$(pkg-config --cflags --libs grpc++ protobuf)

# The least that there can be.
$(B)/bench/raw_epoll: tests/bench/raw_epoll.c | $(SETUP)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(linux_CC) -std=c99 -O2 $(WARNINGS) -o $@ $<

# For `make cost`. The plugin API's version: 2 from QEMU 9 on.
$(B)/bench/count_plugin.so: tests/bench/count_plugin.c | $(SETUP)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(linux_CC) -std=c99 -O2 $(WARNINGS) -shared -fPIC -o $@ $< \
	    $(if $(filter 6 7 8,$(firstword $(subst ., ,$(shell qemu-system-arm --version | sed -n 's/.*version //p')))),,-DPLUGIN_VERSION=2)

# grpc-go, from the modules that tests/bench/go/go.mod and go.sum pin; for those who have Go: without it nothing fails.
$(B)/bench/greeter_go: tests/bench/go/main.go tests/bench/go/go.mod tests/bench/go/go.sum | $(SETUP)
	$(call say,GO,$@)
	$(Q)cd $(<D) && GOFLAGS=-mod=readonly GOTOOLCHAIN=local CGO_ENABLED=0 timeout 600 go build -o $(abspath $@) . || \
	    echo "set-up: grpc-go could not be built (go's message is above): it is not measured"

-include $(B)/linux/tests/bench/instructions.d \
    $(patsubst %,$(B)/$(DEMO_BOARD)/tests/%.d,bench/device target/semihost unit/test unit/check)
