/* nanorpc/services/reflection.h - server reflection, v1 and v1alpha: clients without a .proto file.
 * Layer: core, services, public. Source: gRPC "Server Reflection Protocol".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_REFLECTION_H
#define NANORPC_REFLECTION_H

#include "nanorpc/nanorpc.h"

NRPC_BEGIN_C

/* Two lines add it to a server:
 *
 *     NRPC_REFLECTION_DEFINE(Greeter_service, nrpc_reflection_service);
 *     NRPC_SERVER_DEFINE(server, 2, Greeter_service, nrpc_reflection_service,
 *         nrpc_reflection_v1alpha_service);
 *
 * The first names the services whose .proto files are given out, with all that these import: 1 to
 * 8. Link their NAME.desc.c, too. list_services names all of the server's. Today's clients ask v1
 * first; older ones (grpcio's own among them) know v1alpha only. Needs NRPC_PIECES=1 (config.h).
 * Flash: what `make size` says, and the descriptors. */
#define NRPC_REFLECTION_DEFINE(...)                                                            \
    NRPC_STATIC_ASSERT(NRPC_PIECES, "reflection needs NRPC_PIECES=1, the same for all files"); \
    const struct nrpc_file *const nrpc_reflection_files[] = {                                  \
        NRPC_EACH(NRPC_REFLECTION_FILE_, __VA_ARGS__) NULL}

/* A .proto file, in flash; the generator writes it to NAME.desc.c, which nothing but the line above
 * refers to: without it the linker drops the descriptors. */
struct nrpc_file {
    const uint8_t *descriptor; /* a serialized FileDescriptorProto: its name first, then its package
                                */
    const struct nrpc_file *const *imports; /* all, also those of imports */
    uint32_t bytes;
    uint32_t n_imports;
};

/* The longest request: names of files and of symbols. Bytes, 16..16000; longer ones end the call
 * with RESOURCE_EXHAUSTED. RAM: as much in each stream's receive block and, with
 * NRPC_REFLECTION_STATE_BYTES, in its transmit block, unless another service's messages are larger.
 * Descriptors are sent from flash. */
#ifndef NRPC_REFLECTION_REQUEST_BYTES
#define NRPC_REFLECTION_REQUEST_BYTES 128
#endif
#define NRPC_REFLECTION_STATE_BYTES (4 * sizeof(void *) + 8)

/* --- For the macros ----------------------------------------------------------------------- */
extern const struct nrpc_service nrpc_reflection_service, nrpc_reflection_v1alpha_service;
extern const struct nrpc_file grpc_reflection_v1_reflection_proto_file;
extern const struct nrpc_file grpc_reflection_v1alpha_reflection_proto_file;
#define NRPC_REFLECTION_REPLY_BYTES_ \
    (4 + NRPC_REFLECTION_REQUEST_BYTES + NRPC_REFLECTION_STATE_BYTES)
#define nrpc_reflection_service_FILE grpc_reflection_v1_reflection_proto_file
#define nrpc_reflection_service_REQUEST_BYTES NRPC_REFLECTION_REQUEST_BYTES
#define nrpc_reflection_service_REPLY_BYTES NRPC_REFLECTION_REPLY_BYTES_
union nrpc_reflection_service_request {
    char none;
};
union nrpc_reflection_service_reply {
    char none;
};
#define nrpc_reflection_v1alpha_service_FILE grpc_reflection_v1alpha_reflection_proto_file
#define nrpc_reflection_v1alpha_service_REQUEST_BYTES NRPC_REFLECTION_REQUEST_BYTES
#define nrpc_reflection_v1alpha_service_REPLY_BYTES NRPC_REFLECTION_REPLY_BYTES_
union nrpc_reflection_v1alpha_service_request {
    char none;
};
union nrpc_reflection_v1alpha_service_reply {
    char none;
};
#define NRPC_REFLECTION_FILE_(S) &S##_FILE,
extern const struct nrpc_file *const nrpc_reflection_files[]; /* the application's; NULL ends it */

/* Several NAME.desc.c may hold the same import: the linker keeps one. */
#define NRPC_FILE_SHARED __attribute__((weak))

NRPC_END_C

#endif
