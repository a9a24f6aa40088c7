/* nanorpc/details.h - a status with details: google.rpc.Status in the trailers, sent and received.
 * Layer: core, public; include nanorpc.h. Source: google/rpc/status.proto; gRPC "Richer error
 * model".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_DETAILS_H
#define NANORPC_DETAILS_H

#include "nanorpc/call.h"
#include "nanorpc/hpack/nrpc_key.h"

NRPC_BEGIN_C

/* One detail. Any message may be one; clients know those of google/rpc/error_details.proto, which
 * is in proto/. */
struct nrpc_detail {
    const char *type_name;             /* "google.rpc.BadRequest" */
    const struct pb_msgdesc_s *fields; /* &google_rpc_BadRequest_msg */
    const void *message;               /* the struct */
};

/* Finishes the call as nrpc_call_fail does, and adds "grpc-status-details-bin" to the trailing
 * metadata: the status, the message as far as it is sent, and the details.
 *     nrpc_call_fail_details(call, NRPC_INVALID_ARGUMENT, "no such unit", &detail, 1);
 *     return NRPC_INVALID_ARGUMENT;
 * details: n of them; all pointers are borrowed for the call. Needs NRPC_METADATA_BYTES: four bytes
 * of it for three of the encoded status, and 31 more. Returns 0; NRPC_E_STATE: the call had
 * finished before; NRPC_E_TOO_BIG: the details do not fit (or do not encode), the call ends without
 * them. */
int nrpc_call_fail_details(struct nrpc_call *call, enum nrpc_status status, const char *message,
                           const struct nrpc_detail *details, unsigned n);

/* As a client, in `done`: the first detail of this type that came with the status. For channels
 * that have &nrpc_details_key among their .keys; what does not fit in NRPC_METADATA_BYTES ends the
 * call as other metadata do.
 *     google_rpc_RetryInfo retry;
 *     if (nrpc_call_detail(call, "google.rpc.RetryInfo", &google_rpc_RetryInfo_msg, &retry)) {
 *         ... }
 * message: a struct of that type; all pointers are borrowed for the call. Returns 1: *message is
 * filled; 0: there is none, or it does not decode, and *message is not to be used. */
extern const struct nrpc_key nrpc_details_key;
int nrpc_call_detail(const struct nrpc_call *call, const char *type_name,
                     const struct pb_msgdesc_s *fields, void *message);

NRPC_END_C

#endif
