// tests/bench/go/main.go - what we are measured against: grpc-go's server with the same Greeter.
// Layer: test; bench.mk builds it where there is Go. Source: grpc-go's ServiceDesc.
// SPDX-License-Identifier: Apache-2.0

// It prints the port that it listens on, and ends with SIGTERM.
package main

import (
	"context"
	"fmt"
	"net"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// HelloRequest and HelloReply have one field, a string with the number 1; so has StringValue.
func sayHello(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	request := new(wrapperspb.StringValue)
	if err := decode(request); err != nil {
		return nil, err
	}
	return wrapperspb.String("Hello, " + request.GetValue() + "!"), nil
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench go:", err)
		os.Exit(1)
	}
	server := grpc.NewServer()
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "helloworld.Greeter",
		HandlerType: (*any)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "SayHello", Handler: sayHello}},
	}, nil)
	fmt.Printf("bench go: ready on %s\n", listener.Addr())
	if err := server.Serve(listener); err != nil {
		fmt.Fprintln(os.Stderr, "bench go:", err)
		os.Exit(1)
	}
}
