/* tests/unit/raw_service.h - a service without nanopb, in all kinds of calls, that takes notes.
 * Layer: test. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RAW_SERVICE_H
#define RAW_SERVICE_H

#include "nanorpc/nanorpc.h"
#include "test.h"

/* Methods of /test.Raw:
 *   Bidi     answers each message with itself; ends well at half-close
 *   Collect  client streaming: answers "MESSAGES:BYTES"
 *   Echo     unary: answers the request
 *   Fail     unary: "D some text" fails with status 'D' - 'A' = 3 and that text; "D" without one
 *   First    bidi: says "welcome" before it is asked, then as Bidi
 *   Hold     bidi: as Bidi, but PENDING after each message, until woken
 *   Later    unary: PENDING; a test finishes it
 *   List     server streaming: "3" answers m0, m1, m2; "3:40" three messages of 40 bytes; "0" none
 *   None     unary: answers OK and gives no message
 *   Push     server streaming: PENDING, a test sends */
extern const struct nrpc_service Raw_service, Large_service;
extern const struct nrpc_server raw_server;   /* requests of 64 bytes, replies of 100 */
extern const struct nrpc_server large_server; /* 2000, 40000; test.Large: the same methods */

enum {
    RAW_REQUEST_BYTES = 64,
    RAW_REPLY_BYTES = 100,
    LARGE_REQUEST_BYTES = TEST_SIZE(2000, 200),
    LARGE_REPLY_BYTES = TEST_SIZE(40000, 400)
};
enum { RAW_EVENTS = TEST_SIZE(4096, 256), RAW_CALLS = TEST_SIZE(512, 64) };

struct raw_event {
    uint32_t id;
    char what;       /* m: message, h: half-close, c: cancelled */
    unsigned number; /* bytes of the message, or the status */
};

/* Of the run so far. */
struct raw_state {
    unsigned n_events;
    struct raw_event events[RAW_EVENTS];
    struct raw_call { /* by id / 2 */
        uint32_t id;
        struct nrpc_call *live; /* without a mark; NULL once it has ended */
    } calls[RAW_CALLS];
    unsigned n_cancelled;
};
extern struct raw_state raw;

void raw_reset(void);

/* The call of this stream while its handler may still act on it, or NULL. */
struct nrpc_call *raw_call(uint32_t id);

/* What a test does in the place of a handler. Results of nrpc_call_*. */
int raw_send(uint32_t id, const char *text);
int raw_finish(uint32_t id, enum nrpc_status status, const char *message);
int raw_wake(uint32_t id);

/* Byte i of every message that is made up by length. */
uint8_t raw_pattern(size_t i);

#endif
