/* tests/unit/test_typed.c - the services that every board runs, by nanopb and the generator.
 * Layer: test. Source: the files in proto/; boards/apps/greeter/greeter.c is part of this test.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "boards/apps/greeter/greeter.c"
#include "wire.h"

#define END NRPC_END_STREAM

/* A message whose field 1 is this text. */
static void text_message(uint32_t id, const char *text, unsigned flags)
{
    char message[128] = "\n";
    message[1] = (char)strlen(text);
    wire_message(id, strcat(message, text), flags);
}

static void call(uint32_t id, const char *path, const char *text)
{
    wire_request(id, path, 0);
    text_message(id, text, END);
}

static void greetings(void)
{
    wire_begin(&server);
    call(1, "/Greeter/SayHello", "World");
    call(3, "/Greeter/SayHelloAgain", "World");
    call(5, "/helloworld.Greeter/SayHello", "you");
    call(7, "/helloworld.Greeter/SayHelloAgain", "you");
    wire_expect("1: [200 grpc] '\\0a\\0dHello, World!' [status=0] END "
                "3: [200 grpc] '\\0a\\13Hello again, World!' [status=0] END "
                "5: [200 grpc] '\\0a\\0bHello, you!' [status=0] END "
                "7: [200 grpc] '\\0a\\11Hello again, you!' [status=0] END");
}

static void default_values(void)
{
    wire_begin(&server);
    wire_request(1, "/Greeter/SayHello", 0);
    wire_message(1, "", END);
    wire_expect("1: [200 grpc] '\\0a\\08Hello, !' [status=0] END");
}

static void unknown_fields_are_skipped(void)
{
    wire_begin(&server);
    wire_request(1, "/Greeter/SayHello", 0);
    wire_message(1, "\x12\x03xyz\n\x02me\x18\x7f", END);
    wire_expect("1: [200 grpc] '\\0a\\0aHello, me!' [status=0] END");
}

static void simple_test(void)
{
    wire_begin(&server);
    call(1, "/simpletest.SimpleTest/GetOne", "a");
    call(3, "/simpletest.SimpleTest/GetList", "a");
    wire_request(5, "/simpletest.SimpleTest/PostList", 0);
    text_message(5, "one", 0);
    text_message(5, "two", 0);
    text_message(5, "three", END);
    wire_request(7, "/simpletest.SimpleTest/PostAndPost", 0);
    text_message(7, "one", 0);
    text_message(7, "two", 0);
    text_message(7, "three", END);
    wire_expect("1: [200 grpc] '\\0a\\0aHello !! a' [status=0] END "
                "3: [200 grpc] '\\0a\\05test0' '\\0a\\05test1' '\\0a\\05test2' '\\0a\\05test3' "
                "'\\0a\\05test4' [status=0] END "
                "5: [200 grpc] '\\0a\\0bPostList OK' [status=0] END "
                "7: [200 grpc] '\\0a\\0cHello !! one' '\\0a\\0cHello !! two' '\\0a\\0eHello !! "
                "three' [status=0] END");
}

static void streams_without_messages(void)
{
    wire_begin(&server);
    wire_request(1, "/simpletest.SimpleTest/PostList", END);
    wire_request(3, "/simpletest.SimpleTest/PostAndPost", END);
    wire_expect("1: [200 grpc] '\\0a\\0bPostList OK' [status=0] END 3: [200 grpc status=0] END");
}

/* Windows of a few bytes: each reply leaves in pieces, and the next request waits for it. */
static void conversation_through_a_small_window(void)
{
    wire_begin(&server);
    wire_setting(NRPC_INITIAL_WINDOW_SIZE, 3);
    wire_request(1, "/simpletest.SimpleTest/PostAndPost", 0);
    text_message(1, "one", 0);
    text_message(1, "two", 0);
    text_message(1, "three", END);
    for (unsigned i = 0; i < 10; i++) {
        wire_do(NULL);
        wire_number(NRPC_WINDOW_UPDATE, 1, 7);
    }
    wire_expect("acks=2 1: [200 grpc] '\\0a\\0cHello !! one' '\\0a\\0cHello !! two' '\\0a\\0eHello "
                "!! three' [status=0] END");
}

static void requests_that_do_not_decode(void)
{
    static const char *const messages[] = {"\n\005abc", "\n",
                                           "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\x0d"};
    for (unsigned i = 0; i < 4; i++) {
        wire_begin(&server);
        wire_request(1, "/Greeter/SayHello", 0);
        wire_message(1, messages[i], END);
        wire_request(3, "/simpletest.SimpleTest/PostList", 0);
        text_message(3, "good", 0);
        wire_message(3, messages[i], 0);
        call(5, "/Greeter/SayHello", "you");
        wire_expect("1: [200 grpc status=13 message=*] END 3: [200 grpc status=13 message=*] END "
                    "5: [200 grpc] '\\0a\\0bHello, you!' [status=0] END");
    }
}

/* The longest text that the .options allow, and one byte more. */
static void texts_at_their_limit(void)
{
    static char text[sizeof((HelloRequest *)0)->name + 2];
    memset(text, 'n', sizeof((HelloRequest *)0)->name - 1);
    wire_begin(&server);
    call(1, "/Greeter/SayHello", text);
    CHECK(strncmp(wire_run_once(), "1: [200 grpc] <", 15) == 0);
    strcat(text, "n");
    wire_begin(&server);
    call(1, "/Greeter/SayHello", text);
    call(3, "/Greeter/SayHello", "you");
    const char *answer = wire_run_once();
    CHECK(strstr(answer, "1: [200 grpc status=") == answer &&
          strncmp(answer, "1: [200 grpc status=0", 21) != 0);
    CHECK(strstr(answer, "3: [200 grpc] '\\0a\\0bHello, you!' [status=0] END") != NULL);
}

/* Regression: a message that had been made smaller waited for its handler, and the next ones behind
 * it in the room that such a message has more; when it was taken, they were more than the block
 * holds, and what came then was written behind it, without end. */
static void messages_behind_one_made_smaller(void)
{
    static char unknown[4096];
    static const char small[] = {0, 0, 0, 0, 3, '\n', 1, 'a'}, last[] = {'\n', 1, 'b'};
    const simpletest_ResponseList reply = {"something"};
    const unsigned bytes = (unsigned)server.rx_bytes + 200, field = bytes - 3;
    const char prefix[5] = {0, 0, 0, (char)((bytes + 3) >> 8), (char)(bytes + 3)};
    unknown[0] = 0x7a; /* field 15, with a length in two bytes: none of it is kept */
    unknown[1] = (char)(0x80 | field);
    unknown[2] = (char)(field >> 7);
    wire_begin(&server);
    wire_setting(NRPC_INITIAL_WINDOW_SIZE, 0);
    wire_request(1, "/simpletest.SimpleTest/PostAndPost", 0);
    wire_data(1, prefix, sizeof prefix, 0);
    wire_data(1, unknown, bytes, 0);
    wire_open();
    CHECK(wire_feed_all());
    struct nrpc_call *call = &wire.conn->calls[wire.conn->hint];
    const uint32_t room = server.rx_bytes + NRPC_RX_SLACK;
    CHECK(call->rx_drop && nrpc_call_send(call, &reply) == 0); /* the handler is busy from here
                                                                     on */
    wire_data(1, last, sizeof last, 0);
    CHECK(wire_feed_all());
    while (call->rx_have < room && !test_has_failed()) {
        uint32_t left = room - call->rx_have;
        wire_data(1, small, left < sizeof small ? (size_t)left : sizeof small, 0);
        CHECK(wire_feed_all());
    }
    wire_number(NRPC_WINDOW_UPDATE, 1, 5 + 2 + 9); /* for that reply, and none for the next one */
    CHECK(wire_feed_all());
    CHECK(call->rx_have > server.rx_bytes && !call->rx_drop); /* the message has been taken */
    wire_data(1, unknown, 1000, 0);
    wire_feed_all();
    CHECK(call->rx_have <= room);
    wire_close();
}

/* Regression: "/Greeter/Nope" began like a method and was taken for one. */
static void method_that_begins_like_another(void)
{
    wire_begin(&server);
    call(1, "/Greeter/Nope", "x");
    call(3, "/Greeter/SayHelloo", "x");
    call(5, "/helloworld.Greeter/Nope", "x");
    call(7, "/simpletest.SimpleTest/GetOn", "x");
    wire_expect("1: [200 grpc status=12 message=*] END 3: [200 grpc status=12 message=*] END "
                "5: [200 grpc status=12 message=*] END 7: [200 grpc status=12 message=*] END");
}

int main(void)
{
    RUN(greetings);
    RUN(default_values);
    RUN(unknown_fields_are_skipped);
    RUN(simple_test);
    RUN(streams_without_messages);
    RUN(conversation_through_a_small_window);
    RUN(requests_that_do_not_decode);
    RUN(texts_at_their_limit);
    RUN(messages_behind_one_made_smaller);
    RUN(method_that_begins_like_another);
    return test_end();
}
