/* nanorpc/call.h - a call, as handlers see it: statuses, errors, messages, metadata, interceptors.
 * Layer: core, public; include nanorpc.h. Source: gRPC "Status codes and their use", "gRPC over
 * HTTP2".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_CALL_H
#define NANORPC_CALL_H

#include <stddef.h>
#include <stdint.h>

#include "nanorpc/config.h"

NRPC_BEGIN_C
/* gRPC status codes, as they stand on the wire, and two answers that only handlers give. */
enum nrpc_status {
    NRPC_OK = 0,
    NRPC_CANCELLED = 1,
    NRPC_UNKNOWN = 2,
    NRPC_INVALID_ARGUMENT = 3,
    NRPC_DEADLINE_EXCEEDED = 4,
    NRPC_NOT_FOUND = 5,
    NRPC_ALREADY_EXISTS = 6,
    NRPC_PERMISSION_DENIED = 7,
    NRPC_RESOURCE_EXHAUSTED = 8,
    NRPC_FAILED_PRECONDITION = 9,
    NRPC_ABORTED = 10,
    NRPC_OUT_OF_RANGE = 11,
    NRPC_UNIMPLEMENTED = 12,
    NRPC_INTERNAL = 13,
    NRPC_UNAVAILABLE = 14,
    NRPC_DATA_LOSS = 15,
    NRPC_UNAUTHENTICATED = 16,
    NRPC_PENDING = 32, /* handler: not finished; the call goes on, see nrpc_call_ref */
    NRPC_MORE = 33     /* NAME_next: a message is in *reply, ask again for the following one */
};

/* Errors of the library's own functions; zero is fine, positive is a count. */
enum nrpc_error {
    NRPC_E_AGAIN = -1,   /* no room now: the previous message has not left; try after NAME_next */
    NRPC_E_STATE = -2,   /* the call has already finished, or its kind does not allow this */
    NRPC_E_TOO_BIG = -3, /* the message does not encode within its maximum size */
    NRPC_E_LIMIT = -4,   /* all of something (connections, listeners) is taken: see config.h */
    NRPC_E_LINK = -5,    /* the transport failed; the port's documentation says how */
    NRPC_E_PATH = -6     /* authority and path are too long: NRPC_AUTHORITY_AND_PATH_MAX */
};

struct nrpc_call;
struct nrpc_codec;   /* codec.h */
struct pb_msgdesc_s; /* nanopb's message descriptor */

/* What the generator writes for a handler of any kind. request: borrowed for the call of the
 * handler; NULL at half-close (client streaming, bidi). reply: zeroed, filled by unary handlers and
 * by client streaming ones at half-close. Both live in scratch memory that all calls share. */
typedef enum nrpc_status nrpc_handler(struct nrpc_call *call, const void *request, void *reply);

/* Asked for the next reply of a server-streaming or bidi call whenever one would fit.
 * NRPC_MORE: *reply holds one; NRPC_OK: there are no more, the call ends well; NRPC_PENDING: none
 * now, ask after the next request or nrpc_call_wake; any other: the call ends with it. Of a
 * client-streaming method it is NULL, or says only whether the method is there at all. */
typedef enum nrpc_status nrpc_next(struct nrpc_call *call, void *reply);

/* Told once, when a call that its handler has not finished is over, whether or not the handler has
 * seen anything of it. why: NRPC_CANCELLED by the client, NRPC_UNAVAILABLE with the connection,
 * others: the status that the client gets for what it sent. `call` dies on return. */
typedef void nrpc_cancelled(struct nrpc_call *call, enum nrpc_status why);

enum nrpc_kind { NRPC_UNARY = 0, NRPC_CLIENT_STREAM = 1, NRPC_SERVER_STREAM = 2, NRPC_BIDI = 3 };
/* One method, in flash; the generator writes it. */
struct nrpc_method {
    const struct nrpc_codec *codec;
    const struct pb_msgdesc_s *request, *reply;
    nrpc_handler *handler;
    nrpc_next *next;
    nrpc_cancelled *cancelled;
    uint16_t reply_bytes;   /* sizeof the reply's C struct */
    uint16_t request_zeros; /* sizeof the request's, if zeros are its defaults; else 0: nanopb sets
                               them */
    uint8_t kind;           /* enum nrpc_kind */
};

/* One service, in flash; the generator writes it. */
struct nrpc_service {
    const char *path;                  /* "/package.Service/" */
    const char *method_names;          /* sorted and front-coded, see nrpc_match.h */
    const struct nrpc_method *methods; /* in the same order */
};

/* --- Metadata ------------------------------------------------------------------------------ */

/* A metadata key whose values handlers want to see; name: lower case, "-bin" at its end for binary
 * values.
 *     static const struct nrpc_key auth = NRPC_KEY("authorization");
 *     static const struct nrpc_key trace = NRPC_KEY("trace-bin");
 *     static const struct nrpc_key *const keys[] = {&auth, &trace};
 *     NRPC_SERVER_DEFINE_WITH(server, 2, (.keys = keys, .n_keys = 2), Greeter_service);
 * Costs NRPC_METADATA_BYTES a connection and a stream, see config.h; keys that are not registered
 * cost nothing, and are not kept. At most NRPC_KEYS_MAX. */
struct nrpc_key {
    const char *name;
    uint8_t static_index; /* in HPACK's static table; 0: it is not there. NRPC_KEY finds it */
};
enum { NRPC_KEYS_MAX = 45 };

/* --- In a handler -------------------------------------------------------------------------
 * All of these: from the context that runs the port (its poll function, or a handler), never from
 * an interrupt. `call` is valid until it has finished or its NAME_cancelled has returned; to keep
 * it for later see ref.h. */

/* Four or eight bytes of the application's own for this call; zero when the call begins. */
union nrpc_user {
    void *ptr;
    nrpc_user_number number;
};
union nrpc_user *nrpc_call_user(struct nrpc_call *call);

/* Finishes the call after whatever it has already sent. status: 0..16 (others are sent as
 * UNKNOWN). message: UTF-8, NULL for none, copied; cut, between characters, where it
 * exceeds NRPC_STATUS_MESSAGE_MAX.
 * Returns 0, or NRPC_E_STATE when it has finished before. */
int nrpc_call_finish(struct nrpc_call *call, enum nrpc_status status, const char *message);

/* Defined by an application that wants to hear of it: a handler has ended a call with a value that
 * is no status, as an NRPC_E_AGAIN handed through. It must not act on calls. */
void nrpc_no_status(struct nrpc_call *call, int value);

/* For `return nrpc_call_fail(call, NRPC_NOT_FOUND, "no such sensor");` in a handler: as
 * nrpc_call_finish, and returns `status`. */
enum nrpc_status nrpc_call_fail(struct nrpc_call *call, enum nrpc_status status,
                                const char *message);

/* Goes on with a call of which some function of its handler has answered NRPC_PENDING. Returns 0 or
 * NRPC_E_STATE. */
int nrpc_call_wake(struct nrpc_call *call);

/* Sends one reply message, a struct of the method's reply type, encoded before the return.
 * Prefer the generated NAME_send and NAME_reply, which check the type. Returns 0;
 * NRPC_E_AGAIN: the previous message has not left, nothing was taken; NRPC_E_STATE;
 * NRPC_E_TOO_BIG: nothing was taken. */
int nrpc_call_send(struct nrpc_call *call, const void *reply);

/* The same and, when it was taken, finishes the call with NRPC_OK: for unary and client-streaming
 * calls whose handler returned NRPC_PENDING. */
int nrpc_call_reply(struct nrpc_call *call, const void *reply);

/* What is left of the client's deadline, in milliseconds, as of the last time that the port gave;
 * NRPC_NO_DEADLINE: it has none. At 0 the call ends with NRPC_DEADLINE_EXCEEDED, and NAME_cancelled
 * is told. */
#define NRPC_NO_DEADLINE UINT32_MAX
uint32_t nrpc_call_time_left_ms(const struct nrpc_call *call);

/* Milliseconds since the call began. */
uint32_t nrpc_call_age_ms(const struct nrpc_call *call);

/* The i-th value (from 0) that the client sent for a registered key: repeated fields in their
 * order. ASCII: as it came. -bin: decoded; one that was joined by commas counts as several. Returns
 * where it is, valid while the call lives, and *n its bytes (no NUL follows); NULL: there is none.
 * What did not fit has ended the call with RESOURCE_EXHAUSTED before any handler saw it. */
const void *nrpc_call_metadata(const struct nrpc_call *call, const struct nrpc_key *key, unsigned i,
                               size_t *n);

/* Adds a field to the response's initial metadata, which leaves with the first message or the
 * status, or to its trailing metadata, which leaves with the status. key: 1..126 bytes of a-z 0-9 -
 * _ . ; "-bin" at its end: the value is any bytes, and goes out in base64; else it is printable
 * ASCII. Both are copied. Keys that begin with "grpc-" are the library's own, but for
 * "grpc-status-details-bin". Returns 0; NRPC_E_STATE: that has left already; NRPC_E_TOO_BIG:
 * NRPC_METADATA_BYTES does not suffice, nothing was added. */
enum nrpc_part { NRPC_HEADER = 0xfe, NRPC_TRAILER = 0xff };
int nrpc_call_add_field(struct nrpc_call *call, enum nrpc_part part, const char *key,
                        const void *value, size_t n);
int nrpc_call_add_header(struct nrpc_call *call, const char *key, const void *value, size_t n);
int nrpc_call_add_trailer(struct nrpc_call *call, const char *key, const void *value, size_t n);

/* What a codec or an interceptor asks of a call. half_closed: 1 once the client has sent its last
 * message and it was delivered. */
const struct nrpc_method *nrpc_call_method(const struct nrpc_call *call);
int nrpc_call_half_closed(const struct nrpc_call *call);

#if NRPC_REFUSALS
/* With NRPC_REFUSALS=1 the application defines this; it is told why a message that came was
 * refused, or a reply of ours, in either role. status, why: what the other side gets, or would get
 * as a server; why: borrowed for the call, NULL: none. It must not act on calls. */
void nrpc_refused(const struct nrpc_call *call, enum nrpc_status status, const char *why);
#endif

/* --- Around every call ---------------------------------------------------------------------- */

/* An interceptor: authentication, logging, metrics. A server has a const chain of them. */
struct nrpc_interceptor {
    /* A call of a known method has begun; its metadata are there, no handler has seen anything of
     * it. Returns NRPC_OK: it goes on, to the next interceptor, then to the handler; any other: it
     * ends with that, or with what nrpc_call_fail has said. NULL: goes on. */
    enum nrpc_status (*begin)(struct nrpc_call *call);
    /* The same call is over, whatever ended it, also if an interceptor refused it; after its
     * handler was told. status: what the client got or would have got. `call` dies on return. NULL:
     * not told. */
    void (*end)(struct nrpc_call *call, enum nrpc_status status);
};
NRPC_END_C

#endif
