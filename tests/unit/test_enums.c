/* tests/unit/test_enums.c - enums hold numbers that they do not have, also where compilers make
 * them short. Layer: test. Source: protobuf "Open and Closed Enums";
 * proto/grpc/health/v1/health.proto.
 * SPDX-License-Identifier: Apache-2.0 */
#include <pb_decode.h>
#include <pb_encode.h>

#include "grpc/health/v1/health.pb.h"
#include "test.h"

NRPC_STATIC_ASSERT(sizeof(grpc_health_v1_HealthCheckResponse_ServingStatus) == 4,
                   "made by proto/protoc-gen-nanopb");

/* Decodes a reply of this status, encodes it again. */
static void there_and_back(const char *bytes, size_t n, int32_t number)
{
    grpc_health_v1_HealthCheckResponse reply = grpc_health_v1_HealthCheckResponse_init_zero;
    uint8_t again[grpc_health_v1_HealthCheckResponse_size];
    pb_istream_t in = pb_istream_from_buffer((const uint8_t *)bytes, n);
    pb_ostream_t out = pb_ostream_from_buffer(again, sizeof again);
    CHECK(pb_decode(&in, grpc_health_v1_HealthCheckResponse_fields, &reply));
    CHECK_EQ((int32_t)reply.status, number);
    CHECK(pb_encode(&out, grpc_health_v1_HealthCheckResponse_fields, &reply));
    CHECK_EQ(out.bytes_written, n);
}

static void numbers(void)
{
    there_and_back("\010\001", 2, 1);
    there_and_back("\010\177", 2, 127);
    there_and_back("\010\377\001", 3, 255);
    there_and_back("\010\200\002", 3, 256);
    there_and_back("\010\254\002", 3, 300);
    there_and_back("\010\200\200\004", 4, 65536);
    there_and_back("\010\377\377\377\377\007", 6, INT32_MAX);
    there_and_back("\010\377\377\377\377\377\377\377\377\377\001", 11, -1);
    there_and_back("\010\200\200\200\200\370\377\377\377\377\001", 11, INT32_MIN);
}

int main(void)
{
    RUN(numbers);
    return test_end();
}
