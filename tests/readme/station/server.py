# tests/readme/station/server.py - the server that docs/client.md's program calls: grpcio's, for station.proto.
# Layer: tests; the page's story runs it. Source: none.
# SPDX-License-Identifier: Apache-2.0
"""Use: server.py PORT, beside station_pb2.py and station_pb2_grpc.py."""

import os
import sys
from concurrent import futures

import grpc

sys.path.insert(0, os.getcwd())
import station_pb2  # noqa: E402
import station_pb2_grpc  # noqa: E402


class Station(station_pb2_grpc.StationServicer):
    def Read(self, request, context):
        """Answers with the token that came, as metadata."""
        token = dict(context.invocation_metadata()).get("authorization", "nobody")
        context.set_trailing_metadata([("x-served-by", token)])
        if request.sensor != "case":
            context.abort(grpc.StatusCode.NOT_FOUND, "no such sensor")
        return station_pb2.Reading(millidegrees=21500)

    def Watch(self, request, context):
        for value in range(1000000):
            if not context.is_active():
                return
            yield station_pb2.Reading(millidegrees=value)

    def Upload(self, requests, context):
        return station_pb2.Summary(count=len(list(requests)))

    def Compare(self, requests, context):
        for request in requests:
            yield station_pb2.Reading(millidegrees=10 * request.millidegrees)


def main():
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
    station_pb2_grpc.add_StationServicer_to_server(Station(), server)
    assert server.add_insecure_port("127.0.0.1:" + sys.argv[1])
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
