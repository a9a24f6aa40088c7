#!/usr/bin/env python3
# host-sim/collector.py - gRPC's own server, to which devices report readings: boards/apps/reporter/reporter.c.
# Layer: host tool. Source: proto/reporter.proto.
# SPDX-License-Identifier: Apache-2.0
"""Use: PYTHONPATH=build/py .venv/bin/python host-sim/collector.py [--port 50053]
End it and start it again: the readings that were taken meanwhile come then."""

import argparse
import concurrent.futures

import grpc
import reporter_pb2
import reporter_pb2_grpc


class Collector(reporter_pb2_grpc.CollectorServicer):
    """Keeps the last sequence number of each device, so that a reading which comes twice counts once."""

    def __init__(self, show=print):
        self.last, self.show = {}, show

    def Report(self, request, context):
        last = self.last.get(request.device, 0)
        note = (
            ""
            if request.sequence == last + 1 or not last
            else ", again"
            if request.sequence == last
            else ", after %d" % last
        )
        self.last[request.device] = request.sequence
        self.show(
            "%s #%d: %.3f degrees, %d ms old%s%s"
            % (
                request.device,
                request.sequence,
                request.millidegrees / 1000,
                request.age_ms,
                note,
                ", %d lost" % request.lost if request.lost else "",
            )
        )
        return reporter_pb2.Receipt()


def serve(collector, port):
    """A running server; port 0: a free one. Returns (server, port)."""
    server = grpc.server(
        concurrent.futures.ThreadPoolExecutor(2), options=[("grpc.so_reuseport", 0)]
    )
    reporter_pb2_grpc.add_CollectorServicer_to_server(collector, server)
    bound = server.add_insecure_port("0.0.0.0:%d" % port)
    server.start()
    return server, bound


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=50053)
    server, port = serve(Collector(lambda line: print(line, flush=True)), parser.parse_args().port)
    print("collector: listening on port %d" % port, flush=True)
    try:
        server.wait_for_termination()
    except KeyboardInterrupt:
        server.stop(0).wait()


if __name__ == "__main__":
    main()
