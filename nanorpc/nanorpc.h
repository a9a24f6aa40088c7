/* nanorpc/nanorpc.h - the one header that an application includes: status codes, calls, servers.
 * Layer: core, public. Source: gRPC "Status codes and their use", "gRPC over HTTP2".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_H
#define NANORPC_H

#include <stddef.h>
#include <stdint.h>

#include "config.h"

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
    NRPC_PENDING = 32, /* handler: not finished; the call goes on, the application keeps `call` */
    NRPC_MORE = 33     /* NAME_next: a message is in *reply, ask again for the following one */
};

/* Errors of the library's own functions; zero is fine, positive is a count. */
enum nrpc_error {
    NRPC_E_AGAIN = -1,  /* no room now: the previous message has not left; try after NAME_next */
    NRPC_E_STATE = -2,  /* the call has already finished, or its kind does not allow this */
    NRPC_E_TOO_BIG = -3,/* the message does not encode within its maximum size */
    NRPC_E_LIMIT = -4,  /* all of something (connections, listeners) is taken: see config.h */
    NRPC_E_LINK = -5    /* the transport failed; the port's documentation says how */
};

struct nrpc_call;
struct nrpc_conn;
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

/* How a method's messages become bytes. The generated methods use nrpc_typed, over nanopb; a
 * method may bring its own and then sees encoded messages. The functions return what the
 * handlers above return. */
struct nrpc_codec {
    /* One whole request message (data: borrowed for the call), or the half-close: data NULL. */
    enum nrpc_status (*message)(struct nrpc_call *call, const uint8_t *data, size_t n);
    /* NRPC_MORE: a message was given to nrpc_call_commit. */
    enum nrpc_status (*next)(struct nrpc_call *call);
    /* Encodes a reply for nrpc_call_send, and returns what that returns. */
    int (*send)(struct nrpc_call *call, const void *reply);
    /* For messages that are larger than their block, see streamed.h; NULL: there are none. */
    uint32_t (*take)(struct nrpc_call *call, const uint8_t *data, uint32_t n);
    uint32_t (*produce)(struct nrpc_call *call, uint8_t *buf, uint32_t room);
};
extern const struct nrpc_codec nrpc_typed;

/* One method, in flash; the generator writes it. */
struct nrpc_method {
    const struct nrpc_codec *codec;
    const struct pb_msgdesc_s *request, *reply;
    nrpc_handler *handler;
    nrpc_next *next;
    nrpc_cancelled *cancelled;
    uint16_t reply_bytes; /* sizeof the reply's C struct */
    uint8_t kind;         /* enum nrpc_kind */
};

/* One service, in flash; the generator writes it. */
struct nrpc_service {
    const char *path;         /* "/package.Service/" */
    const char *method_names; /* sorted and front-coded, see match.h */
    const struct nrpc_method *methods; /* in the same order */
};

/* --- In a handler -------------------------------------------------------------------------
 * All of these: from the context that runs the port (its poll function, or a handler), never from
 * an interrupt. `call` is valid until it has finished or its NAME_cancelled has returned. */

/* Four or eight bytes of the application's own for this call; zero when the call begins. */
union nrpc_user {
    void *ptr;
    uintptr_t number;
};
union nrpc_user *nrpc_call_user(struct nrpc_call *call);

/* Finishes the call after whatever it has already sent. status: 0..16 (others are sent as
 * UNKNOWN). message: UTF-8, NULL for none, copied; cut, between characters, where it
 * exceeds NRPC_STATUS_MESSAGE_MAX.
 * Returns 0, or NRPC_E_STATE when it has finished before. */
int nrpc_call_finish(struct nrpc_call *call, enum nrpc_status status, const char *message);

/* For `return nrpc_call_fail(call, NRPC_NOT_FOUND, "no such sensor");` in a handler: as
 * nrpc_call_finish, and returns `status`. */
enum nrpc_status nrpc_call_fail(struct nrpc_call *call, enum nrpc_status status, const char *message);

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

/* For codecs: where to put an encoded reply of up to *room bytes, or NULL when NRPC_E_AGAIN or
 * NRPC_E_STATE would be the answer; then how many bytes it took (0..room; may be 0). */
uint8_t *nrpc_call_reserve(struct nrpc_call *call, size_t *room);
void nrpc_call_commit(struct nrpc_call *call, size_t n);

/* What a codec or an interceptor asks of a call. half_closed: 1 once the client has sent its last
 * message and it was delivered. */
const struct nrpc_method *nrpc_call_method(const struct nrpc_call *call);
int nrpc_call_half_closed(const struct nrpc_call *call);

/* --- A server ----------------------------------------------------------------------------- */
#include "server.h"

#endif
