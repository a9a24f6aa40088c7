# tests/e2e/reference_server.py - the same services on gRPC's own server for Python: shows that the tests are right.
# Layer: tests.
# SPDX-License-Identifier: Apache-2.0
"""Use: reference_server.py PORT"""

import concurrent.futures
import sys

import grpc
import helloworld.greeter_pb2 as package_pb2
import helloworld.greeter_pb2_grpc as package_grpc
import helloworld_pb2
import helloworld_pb2_grpc
import simpletest_pb2
import simpletest_pb2_grpc

REQUEST_BYTES = 50  # as the firmware: two bytes, and a string of 48


def greeter(messages):
    """The methods of either Greeter."""

    class Greeter:
        def SayHello(self, request, context):
            return messages.HelloReply(message="Hello, %s!" % request.name)

        def SayHelloAgain(self, request, context):
            return messages.HelloReply(message="Hello again, %s!" % request.name)

        def Test(self, request, context):
            return messages.HelloReply(message="Test OK, %s!" % request.name)

    return Greeter()


class SimpleTest:
    def GetOne(self, request, context):
        return simpletest_pb2.ResponseOne(result="Hello !! " + request.hello)

    def GetList(self, request, context):
        for i in range(5):
            yield simpletest_pb2.ResponseList(resultlist="test%d" % i)

    def PostList(self, requests, context):
        for _ in requests:
            pass
        return simpletest_pb2.ResponseOne(result="PostList OK")

    def PostAndPost(self, requests, context):
        for request in requests:
            yield simpletest_pb2.ResponseList(resultlist="Hello !! " + request.namelist)


def main():
    server = grpc.server(
        concurrent.futures.ThreadPoolExecutor(max_workers=32),
        options=[("grpc.max_receive_message_length", REQUEST_BYTES), ("grpc.so_reuseport", 0)],
    )
    helloworld_pb2_grpc.add_GreeterServicer_to_server(greeter(helloworld_pb2), server)
    package_grpc.add_GreeterServicer_to_server(greeter(package_pb2), server)
    simpletest_pb2_grpc.add_SimpleTestServicer_to_server(SimpleTest(), server)
    address = "127.0.0.1:%d" % server.add_insecure_port("127.0.0.1:" + sys.argv[1])
    server.start()
    print("nanorpc: Greeter ready on " + address, flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
