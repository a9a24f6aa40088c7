# tests/e2e/greeter_client.py - greets as gRPC's Python tutorials do: plain grpcio, plain stubs, nothing of ours.
# Layer: tests.
# SPDX-License-Identifier: Apache-2.0
"""Use: greeter_client.py [HOST:PORT [NAME]]"""

import sys

import grpc
import helloworld_pb2
import helloworld_pb2_grpc


def greet(target, name):
    with grpc.insecure_channel(target) as channel:
        stub = helloworld_pb2_grpc.GreeterStub(channel)
        for call in (stub.SayHello, stub.SayHelloAgain):
            reply = call(helloworld_pb2.HelloRequest(name=name), timeout=20)
            print("Greeter client received: " + reply.message)


if __name__ == "__main__":
    greet(*(sys.argv[1:] + ["localhost:50051", "you"][len(sys.argv) - 1 :]))
