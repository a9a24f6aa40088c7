/* nanorpc/details.h - a status with details: google.rpc.Status in the trailers.
 * Layer: core, public; include nanorpc.h. Source: google/rpc/status.proto; gRPC "Richer error model".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_DETAILS_H
#define NANORPC_DETAILS_H

#include "nanorpc.h"

NRPC_BEGIN_C

/* One detail. Any message may be one; clients know those of google/rpc/error_details.proto, which is in proto/. */
struct nrpc_detail {
    const char *type_name;             /* "google.rpc.BadRequest" */
    const struct pb_msgdesc_s *fields; /* &google_rpc_BadRequest_msg */
    const void *message;               /* the struct */
};

/* Finishes the call as nrpc_call_fail does, and adds "grpc-status-details-bin" to the trailing metadata: the
 * status, the message as far as it is sent, and the details.
 *     nrpc_call_fail_details(call, NRPC_INVALID_ARGUMENT, "no such unit", &detail, 1);
 *     return NRPC_INVALID_ARGUMENT;
 * details: n of them; all pointers are borrowed for the call. Needs NRPC_METADATA_BYTES: four bytes of it for
 * three of the encoded status, and 31 more. Returns 0; NRPC_E_STATE: the call had finished before;
 * NRPC_E_TOO_BIG: the details do not fit (or do not encode), the call ends without them. */
int nrpc_call_fail_details(struct nrpc_call *call, enum nrpc_status status, const char *message,
                           const struct nrpc_detail *details, unsigned n);

NRPC_END_C

#endif
