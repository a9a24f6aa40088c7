/* tests/unit/test_match.c - names recognised as they arrive: front-coded lists, paths.
 * Layer: test. Source: nanorpc/hpack/nrpc_match.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/hpack/nrpc_match.h"

#include <string.h>

#include "nanorpc/hpack/nrpc_hpack.h"
#include "nanorpc/nanorpc.h"
#include "test.h"

static unsigned in_list(const char *list, const char *name)
{
    struct nrpc_match match;
    nrpc_match_begin(&match, list);
    for (; *name; name++) {
        nrpc_match_byte(&match, (uint8_t)*name);
    }
    return nrpc_match_end(&match);
}

static void lists(void)
{
    static const char hello[] = "\200SayHello\210Again\200Test\377";
    CHECK_EQ(in_list(hello, "SayHello"), 0);
    CHECK_EQ(in_list(hello, "SayHelloAgain"), 1);
    CHECK_EQ(in_list(hello, "Test"), 2);
    static const char *const unknown[] = {
        "",
        "S",
        "SayHell",
        "SayHelloA",
        "SayHelloAgain2",
        "SayHelloB",
        "Tes",
        "Tests",
        "TestA",
        "sayHello",
        "SaTest",
        "SayHelloTest",
        "A",
        "Z",
        "\200",
        "\377",
        "SayHello\210",
        "T\377",
        "SayHello\210Again",
        "Test\377",
        "TSayHello",
    };
    for (unsigned i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        test_context("unknown", (long)i);
        CHECK_EQ(in_list(hello, unknown[i]), NRPC_NO_MATCH);
    }
}

static void lists_of_one(void)
{
    CHECK_EQ(in_list("\200POST\377", "POST"), 0);
    CHECK_EQ(in_list("\200POST\377", "POS"), NRPC_NO_MATCH);
    CHECK_EQ(in_list("\200POST\377", "POSTS"), NRPC_NO_MATCH);
}

/* Prefixes of all lengths, growing and shrinking. */
static void deep_front_coding(void)
{
    static const char *const names[] = {"a",    "ab",   "abc", "abcd", "abce", "abd",
                                        "abde", "abdf", "ac",  "b",    "ba",   "bb"};
    static const char list[] = "\200a\201b\202c\203d\203e\202d\203e\203f\201c\200b\201a\201b\377";
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        test_context(names[i], (long)i);
        CHECK_EQ(in_list(list, names[i]), i);
    }
    CHECK_EQ(in_list(list, "abcf"), NRPC_NO_MATCH);
    CHECK_EQ(in_list(list, "abf"), NRPC_NO_MATCH);
    CHECK_EQ(in_list(list, "ad"), NRPC_NO_MATCH);
    CHECK_EQ(in_list(list, "c"), NRPC_NO_MATCH);
    CHECK_EQ(in_list(list, "bba"), NRPC_NO_MATCH);
}

static void header_names(void)
{
    static const char *const names[] = {":authority",
                                        ":method",
                                        ":path",
                                        ":scheme",
                                        ":status",
                                        "connection",
                                        "content-length",
                                        "content-type",
                                        "grpc-accept-encoding",
                                        "grpc-encoding",
                                        "grpc-message",
                                        "grpc-status",
                                        "grpc-timeout",
                                        "keep-alive",
                                        "proxy-connection",
                                        "te",
                                        "transfer-encoding",
                                        "upgrade"};
    CHECK_EQ(sizeof names / sizeof names[0], NRPC_T_OTHER);
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        test_context(names[i], (long)i);
        CHECK_EQ(in_list(nrpc_hpack_names, names[i]), i);
    }
    CHECK_EQ(in_list(nrpc_hpack_names, "content-types"), NRPC_NO_MATCH);
    CHECK_EQ(in_list(nrpc_hpack_names, "content-"), NRPC_NO_MATCH);
    CHECK_EQ(in_list(nrpc_hpack_names, ":stat"), NRPC_NO_MATCH);
    CHECK_EQ(in_list(nrpc_hpack_names, "grpc-statu"), NRPC_NO_MATCH);
}

/* --- Paths -------------------------------------------------------------------------------- */

static const struct nrpc_service greeter = {.path = "/Greeter/",
                                            .method_names = "\200SayHello\210Again\200Test\377"};
static const struct nrpc_service greeter2 = {.path = "/Greeter2/",
                                             .method_names = "\200SayHello\377"};
static const struct nrpc_service greet = {.path = "/Greet/", .method_names = "\200er\377"};
static const struct nrpc_service packaged = {.path = "/helloworld.Greeter/",
                                             .method_names = "\200SayHello\200Test\377"};
static const struct nrpc_service other = {.path = "/helloworld.Other/",
                                          .method_names = "\200A\200B\377"};

static unsigned path(const char *text, size_t length, const struct nrpc_service *const *services,
                     unsigned n)
{
    struct nrpc_match match;
    memset(&match, 0, sizeof match);
    for (size_t i = 0; i < length; i++) {
        nrpc_path_byte(&match, (uint8_t)text[i], services, (uint8_t)n);
    }
    return nrpc_path_end(&match);
}

/* What a plain comparison of strings says. names: of the methods, decoded here once more. */
static unsigned plain_path(const char *text, const struct nrpc_service *const *services, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        size_t length = strlen(services[i]->path);
        const char *list = services[i]->method_names;
        char name[64];
        if (strncmp(text, services[i]->path, length) != 0) {
            continue;
        }
        for (unsigned k = 0; (uint8_t)*list != 0xff; k++) {
            size_t at = *list++ & 0x7f;
            while ((uint8_t)*list < 0x80) {
                name[at++] = *list++;
            }
            name[at] = 0;
            if (strcmp(text + length, name) == 0) {
                return i << 8 | k;
            }
        }
    }
    return NRPC_PATH_UNKNOWN;
}

static const char *const paths[] = {
    "/Greeter/SayHello", "/Greeter/SayHelloAgain", "/Greeter/Test", "/Greeter2/SayHello",
    "/Greet/er", "/helloworld.Greeter/SayHello", "/helloworld.Greeter/Test", "/helloworld.Other/A",
    "/helloworld.Other/B",
    /* none of these exists */
    "/", "//", "/Greeter", "/Greeter/", "/Greeter//", "/Greeter/Nope", "/Greeter/SayHell",
    "/Greeter/SayHelloB", "/Greeter/SayHello/", "/Greeter/SayHelloAgain2", "/Greeter2/Test",
    "/Greeter2/SayHelloAgain", "/Greeter3/SayHello", "/Greet/SayHello", "/Gree/er",
    "/GreetertSayHello", "/greeter/SayHello", "/helloworld/SayHello", "/helloworld.Greeter/A",
    "/helloworld.Other/Test", "/helloworld.Greeter2/SayHello", "/helloworld.O/A", "/Zebra/A",
    "/A/A", "//SayHello", "/Greeter/\200SayHello", "/Greeter/\377", "/Greeter/SayHello\210Again",
    "/Greeter/Nope/SayHello", "/Greeter/X/Greeter/SayHello", "/Greeter/NopeSayHello",
    "/NopeGreeter/SayHello", "/Greeter\200/SayHello", "/Greeter/Test?x", "/Greeter/ Test"};

/* All orders of five services (Heap's algorithm without recursion). */
static void paths_over_services_in_any_order(void)
{
    const struct nrpc_service *services[] = {&greeter, &greeter2, &greet, &packaged, &other};
    enum { N = sizeof services / sizeof services[0] };
    unsigned counters[N] = {0}, i = 0;
    long order = 0;
    for (;;) {
        test_context("order", order++);
        for (unsigned k = 0; k < sizeof paths / sizeof paths[0]; k++) {
            CHECK_EQ(path(paths[k], strlen(paths[k]), services, N),
                     plain_path(paths[k], services, N));
        }
        while (i < N && counters[i] >= i) {
            counters[i++] = 0;
        }
        if (i == N) {
            return;
        }
        unsigned swap = i & 1 ? counters[i] : 0;
        const struct nrpc_service *service = services[swap];
        services[swap] = services[i];
        services[i] = service;
        counters[i]++;
        i = 0;
    }
}

static void every_cut_path_is_unknown(void)
{
    static const struct nrpc_service *const services[] = {&greeter, &packaged};
    static const char text[] = "/helloworld.Greeter/SayHello";
    for (size_t n = 1; n < sizeof text - 1; n++) {
        test_context("bytes", (long)n);
        CHECK_EQ(path(text, n, services, 2), NRPC_PATH_UNKNOWN);
    }
    CHECK_EQ(path(text, sizeof text - 1, services, 2), 1 << 8);
}

static void paths_without_a_slash_are_unknown(void)
{
    static const struct nrpc_service *const services[] = {&greeter};
    static const char *const texts[] = {
        "",
        "*",
        "G",
        "Greeter/SayHello",
        " /Greeter/SayHello",
        "x/",
        "\200",
        "\377/Greeter/SayHello",
        "http://host/Greeter/SayHello",
    };
    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        test_context(texts[i], (long)i);
        CHECK_EQ(path(texts[i], strlen(texts[i]), services, 1), NRPC_PATH_UNKNOWN);
    }
}

/* Regression: the bytes after the one that failed matched again in a list that had been left. */
static void method_that_failed_stays_unknown(void)
{
    static const struct nrpc_service *const services[] = {&greeter};
    static const char *const texts[] = {"/Greeter/Nope", "/Greeter/NSayHello", "/Greeter/Nope/Test",
                                        "/Greeter/UTest"};
    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        CHECK_EQ(path(texts[i], strlen(texts[i]), services, 1), NRPC_PATH_UNKNOWN);
    }
}

#if SIZE_MAX > UINT16_MAX
/* Longer than any counter of matched bytes: nothing wraps round to a match. */
static void long_paths(void)
{
    static const struct nrpc_service *const services[] = {&greeter};
    static char text[70000];
    memset(text, 'x', sizeof text);
    text[0] = '/';
    CHECK_EQ(path(text, sizeof text, services, 1), NRPC_PATH_UNKNOWN);
    memcpy(text, "/Greeter/", 9);
    CHECK_EQ(path(text, sizeof text, services, 1), NRPC_PATH_UNKNOWN);
    memcpy(text + sizeof text - 17, "/Greeter/SayHello", 17);
    CHECK_EQ(path(text, sizeof text, services, 1), NRPC_PATH_UNKNOWN);
    memcpy(text + 65536, "/Greeter/SayHello", 17);
    CHECK_EQ(path(text, 65536 + 17, services, 1), NRPC_PATH_UNKNOWN);
    text[0] = 'x';
    CHECK_EQ(path(text, 65536 + 17, services, 1), NRPC_PATH_UNKNOWN);
}
#endif

int main(void)
{
    RUN(lists);
    RUN(lists_of_one);
    RUN(deep_front_coding);
    RUN(header_names);
    RUN(paths_over_services_in_any_order);
    RUN(every_cut_path_is_unknown);
    RUN(paths_without_a_slash_are_unknown);
    RUN(method_that_failed_stays_unknown);
#if SIZE_MAX > UINT16_MAX
    RUN(long_paths);
#endif
    return test_end();
}
