/* tests/bench/baseline.cc - what we are measured against: gRPC C++'s callback server with the same Greeter.
 * Layer: test. Source: grpcpp's callback API.
 * SPDX-License-Identifier: Apache-2.0 */
#include <cstdio>
#include <string>

#include <grpcpp/grpcpp.h>

#include "helloworld/greeter.grpc.pb.h"

class Greeter final : public helloworld::Greeter::CallbackService {
    grpc::ServerUnaryReactor *SayHello(grpc::CallbackServerContext *context,
                                       const helloworld::HelloRequest *request,
                                       helloworld::HelloReply *reply) override
    {
        reply->set_message("Hello, " + request->name() + "!");
        auto *reactor = context->DefaultReactor();
        reactor->Finish(grpc::Status::OK);
        return reactor;
    }
};

int main(int argc, char **argv)
{
    Greeter service;
    grpc::ServerBuilder builder;
    int port = 0;

    builder.AddListeningPort(std::string("127.0.0.1:") + (argc > 1 ? argv[1] : "0"),
                             grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service);
    auto server = builder.BuildAndStart();
    if (!server || !port) {
        std::fprintf(stderr, "baseline: cannot listen\n");
        return 1;
    }
    std::printf("baseline: ready on 127.0.0.1:%d\n", port);
    std::fflush(stdout);
    server->Wait();
    return 0;
}
