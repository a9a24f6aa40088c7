// h2spec 2.6.0, which checks HTTP/2 servers and clients: exactly these versions, their sums in go.sum.
// Layer: tests. For `go build` in this folder; nothing here is written in Go.
// SPDX-License-Identifier: Apache-2.0
module nanorpc/tests/conformance

go 1.12

require github.com/summerwind/h2spec v0.0.0-20200804131034-70ac22940108
