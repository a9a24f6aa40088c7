# tests/vectors/rfc7541.py - the examples of RFC 7541 appendix C, and malformed header blocks, as data.
# Layer: tests. Source: RFC 7541 appendix C; each row names its section.
# SPDX-License-Identifier: Apache-2.0
"""A row of EXAMPLES: (section, is the first of its connection, the table's largest size,
block in hex, header fields, dynamic table from the newest entry on, its size)."""

GET_EXAMPLE = [
    (":method", "GET"),
    (":scheme", "http"),
    (":path", "/"),
    (":authority", "www.example.com"),
]
GET_NO_CACHE = GET_EXAMPLE + [("cache-control", "no-cache")]
GET_CUSTOM = [
    (":method", "GET"),
    (":scheme", "https"),
    (":path", "/index.html"),
    (":authority", "www.example.com"),
    ("custom-key", "custom-value"),
]
REQUEST_TABLES = [
    [(":authority", "www.example.com")],
    [("cache-control", "no-cache"), (":authority", "www.example.com")],
    [
        ("custom-key", "custom-value"),
        ("cache-control", "no-cache"),
        (":authority", "www.example.com"),
    ],
]

DATE_1, DATE_2 = "Mon, 21 Oct 2013 20:13:21 GMT", "Mon, 21 Oct 2013 20:13:22 GMT"
WHERE = "https://www.example.com"
COOKIE = "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"
RESPONSES = [
    [(":status", "302"), ("cache-control", "private"), ("date", DATE_1), ("location", WHERE)],
    [(":status", "307"), ("cache-control", "private"), ("date", DATE_1), ("location", WHERE)],
    [
        (":status", "200"),
        ("cache-control", "private"),
        ("date", DATE_2),
        ("location", WHERE),
        ("content-encoding", "gzip"),
        ("set-cookie", COOKIE),
    ],
]
RESPONSE_TABLES = [
    [("location", WHERE), ("date", DATE_1), ("cache-control", "private"), (":status", "302")],
    [(":status", "307"), ("location", WHERE), ("date", DATE_1), ("cache-control", "private")],
    [("set-cookie", COOKIE), ("content-encoding", "gzip"), ("date", DATE_2)],
]

EXAMPLES = [
    (
        "C.2.1",
        1,
        4096,
        "400a637573746f6d2d6b65790d637573746f6d2d686561646572",
        [("custom-key", "custom-header")],
        [("custom-key", "custom-header")],
        55,
    ),
    ("C.2.2", 1, 4096, "040c2f73616d706c652f70617468", [(":path", "/sample/path")], [], 0),
    ("C.2.3", 1, 4096, "100870617373776f726406736563726574", [("password", "secret")], [], 0),
    ("C.2.4", 1, 4096, "82", [(":method", "GET")], [], 0),
    (
        "C.3.1",
        1,
        4096,
        "828684410f7777772e6578616d706c652e636f6d",
        GET_EXAMPLE,
        REQUEST_TABLES[0],
        57,
    ),
    ("C.3.2", 0, 4096, "828684be58086e6f2d6361636865", GET_NO_CACHE, REQUEST_TABLES[1], 110),
    (
        "C.3.3",
        0,
        4096,
        "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
        GET_CUSTOM,
        REQUEST_TABLES[2],
        164,
    ),
    ("C.4.1", 1, 4096, "828684418cf1e3c2e5f23a6ba0ab90f4ff", GET_EXAMPLE, REQUEST_TABLES[0], 57),
    ("C.4.2", 0, 4096, "828684be5886a8eb10649cbf", GET_NO_CACHE, REQUEST_TABLES[1], 110),
    (
        "C.4.3",
        0,
        4096,
        "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
        GET_CUSTOM,
        REQUEST_TABLES[2],
        164,
    ),
    (
        "C.5.1",
        1,
        256,
        "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54"
        "6e1768747470733a2f2f7777772e6578616d706c652e636f6d",
        RESPONSES[0],
        RESPONSE_TABLES[0],
        222,
    ),
    ("C.5.2", 0, 256, "4803333037c1c0bf", RESPONSES[1], RESPONSE_TABLES[1], 222),
    (
        "C.5.3",
        0,
        256,
        "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f"
        "3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076"
        "657273696f6e3d31",
        RESPONSES[2],
        RESPONSE_TABLES[2],
        215,
    ),
    (
        "C.6.1",
        1,
        256,
        "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f"
        "0b97c8e9ae82ae43d3",
        RESPONSES[0],
        RESPONSE_TABLES[0],
        222,
    ),
    ("C.6.2", 0, 256, "4883640effc1c0bf", RESPONSES[1], RESPONSE_TABLES[1], 222),
    (
        "C.6.3",
        0,
        256,
        "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335df"
        "dfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
        RESPONSES[2],
        RESPONSE_TABLES[2],
        215,
    ),
]

# Appendix C.1: (section, bits of the prefix, value, bytes).
INTEGERS = [("C.1.1", 5, 10, "0a"), ("C.1.2", 5, 1337, "1f9a0a"), ("C.1.3", 8, 42, "2a")]

# Each must end the connection with COMPRESSION_ERROR: (section that says so, why, block).
MALFORMED = [
    ("6.1", "index 0", "80"),
    ("2.3.3", "indexed: one beyond the static table, dynamic table empty", "be"),
    ("2.3.3", "indexed: far beyond both tables", "ff8001"),
    ("2.3.3", "literal's name: one beyond the static table", "7e0161"),
    ("2.3.3", "literal without indexing, name: beyond the tables", "0f2f0161"),
    ("5.1", "an index of 2^35", "ffffffffff7f"),
    ("5.1", "an index that is 2 modulo 2^32, which names :method GET", "ff83ffffff0f"),
    ("5.1", "an index of many bytes that add nothing", "ff80808080808080808000"),
    ("5.1", "a length that is 1 modulo 2^32", "04ff82ffffff0f61"),
    ("5.1", "a length of 2^32 - 1", "04ff80ffffff0f61"),
    ("5.2", "Huffman: the padding is not all ones", "048118"),
    ("5.2", "Huffman: eight bits of padding", "0482f8ff"),
    ("5.2", "Huffman: the EOS symbol", "0484ffffffff"),
    ("5.2", "Huffman: EOS after a symbol", "04851fffffffff"),
    ("6.3", "a table size over the limit of 4096", "3fe21f82"),
    ("4.2", "a table size update after a field", "8220"),
    ("4.2", "a table size update at the end of a block", "8286843fe11f"),
    ("6.2", "the block ends after a literal's first byte", "8240"),
    ("6.2", "the block ends within a name", "824003666f"),
    ("6.2", "the block ends before the value", "824003666f6f"),
    ("6.2", "the block ends within a value", "824003666f6f036261"),
    ("6.1", "the block ends within an index", "82ff"),
    ("6.3", "the block ends within a table size", "3f"),
]
