/* tests/fuzz/fuzz_server.c - a client's bytes: raw messages, streamed fields, metadata.
 * Layer: test. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "blobs_service.h"
#include "fuzz.h"

/* Of the third byte. */
enum {
    BLOBS = 1,
    NO_GREETING = 2,
    ACKED = 4,
    HOLD = 8,
    SMALL_PIECES = 16,
    KEYED = 32,
    COMPACT = 64
};

/* --- A service that answers with what it reads of the metadata -------------------------------- */

static const struct nrpc_key token = NRPC_KEY("x-token"), binary = NRPC_KEY("trace-bin");
static const struct nrpc_key *const keys[] = {&binary, &token};

static enum nrpc_status show(struct nrpc_call *call, const uint8_t *data, size_t n)
{
    size_t room;
    uint8_t *at = data ? nrpc_call_reserve(call, &room) : NULL;
    if (!at) {
        return NRPC_OK;
    }
    size_t used = 0;
    for (unsigned i = 0; i < 4; i++) {
        const void *value = nrpc_call_metadata(call, keys[i / 2], i % 2, &n);
        if (value) {
            n = n < room - used ? n : room - used;
            memcpy(at + used, value, n);
            used += n;
            (void)(i % 2 ? nrpc_call_add_trailer(call, keys[i / 2]->name, value, n)
                         : nrpc_call_add_header(call, keys[i / 2]->name, value, n));
        }
    }
    nrpc_call_commit(call, used);
    return NRPC_OK;
}

static void cancelled(struct nrpc_call *call, enum nrpc_status why)
{
    (void)call;
    (void)why;
}

static const struct nrpc_codec codec = {.message = show};
static const struct nrpc_method methods[] = {
    {.codec = &codec, .cancelled = cancelled, .kind = NRPC_UNARY}};
static const struct nrpc_service Meta_service = {
    .path = "/test.Meta/", .method_names = "\200Show\377", .methods = methods};
#define Meta_service_REQUEST_BYTES 64
#define Meta_service_REPLY_BYTES 200
union Meta_service_request {
    uint8_t m0;
};
union Meta_service_reply {
    uint8_t m0;
};
NRPC_SERVER_DEFINE_WITH(meta_server, 2, (.keys = keys, .n_keys = 2), Meta_service);

/* --- The target ------------------------------------------------------------------------------- */

static void act(void)
{
    struct nrpc_call *call = &wire.conn->calls[fuzz_next(NRPC_MAX_STREAMS)];
    if (wire.server == &raw_server) {
        call = call->id ? raw_call(call->id) : NULL;
        if (!call) {
            return;
        }
        switch (fuzz_next(4)) {
        case 0: raw_send(call->id, "text"); break;
        case 1: raw_finish(call->id, NRPC_ABORTED, "act"); break;
        default: raw_wake(call->id); break;
        }
    } else if (call->flags & NRPC_CALL_OPEN) {
        if (fuzz_next(8) == 0) {
            (void)nrpc_call_finish(call, fuzz_next(2) ? NRPC_OK : NRPC_ABORTED, "act");
        } else {
            (void)nrpc_call_wake(call);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 3 || n > FUZZ_INPUT) {
        return 0;
    }
    fuzz_begin(data);
    blobs_begin();
    how.any = how.by_slot = 1;
    how.hold = (data[2] & HOLD) != 0;
    how.piece = data[2] & SMALL_PIECES ? 7 : UINT32_MAX;
    wire_begin_bare(data[2] & BLOBS ? &blobs_server : data[2] & KEYED ? &meta_server : &raw_server);
    if (!(data[2] & NO_GREETING)) {
        wire_preface();
        wire_frame(NRPC_SETTINGS, 0, 0, NULL, 0);
    }
    if (data[2] & ACKED) {
        wire_frame(NRPC_SETTINGS, NRPC_ACK, 0, NULL, 0);
    }
    fuzz_bytes(data + 3, n - 3, data[2] & COMPACT);
    fuzz_run(act);
    fuzz_end();
    return 0;
}
