// grpc-go, the server that `make bench` measures beside ours: exactly these versions, their sums in go.sum.
// Layer: tests. SPDX-License-Identifier: Apache-2.0
module nanorpc/tests/bench/go

go 1.22.7

require google.golang.org/grpc v1.68.0
require google.golang.org/protobuf v1.34.2
require golang.org/x/net v0.29.0 // indirect
require golang.org/x/sys v0.25.0 // indirect
require golang.org/x/text v0.18.0 // indirect
require google.golang.org/genproto/googleapis/rpc v0.0.0-20240903143218-8af14fe29dc1 // indirect
