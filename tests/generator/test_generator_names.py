# tests/generator/test_generator_names.py - names that clash with nobody, and names that are refused.
# Layer: tests. Source: C99, C23, C++20; nanopb's generated headers.
# SPDX-License-Identifier: Apache-2.0
import itertools
import re

import pytest
from test_generator_code import KINDS, KINDS_OPTIONS, PROJECT, everything
from test_generator_streamed import PARTS, PARTS_OPTIONS, SHAPES, SHAPES_OPTIONS

from workshop import COMPILERS, MODES, ROOT, bench, names, workshop  # noqa: F401 (fixtures)

MODE_IDS = ["%s-%s" % mode for mode in MODES]

# --- Names that come from a file's ---------------------------------------------------------------

ORDINARY = [
    ("helloworld", "PROTO_HELLOWORLD_NRPC_H", "helloworld_proto_file"),
    (
        "grpc/reflection/v1/reflection",
        "PROTO_GRPC_REFLECTION_V1_REFLECTION_NRPC_H",
        "grpc_reflection_v1_reflection_proto_file",
    ),
    (
        "google/rpc/error_details",
        "PROTO_GOOGLE_RPC_ERROR_1DETAILS_NRPC_H",
        "google_rpc_error_1details_proto_file",
    ),
]


@pytest.mark.parametrize("stem, guard, descriptor", ORDINARY)
def test_ordinary_names_are_readable(stem, guard, descriptor):
    assert names.guard(stem, "NRPC") == guard
    assert names.object_name(stem + ".proto") == descriptor


def test_no_two_files_share_a_name():
    """All paths of up to five of these, which are what escapes are made of, too."""
    paths = [
        "".join(letters)
        for n in range(1, 6)
        for letters in itertools.product("aX_/-.169", repeat=n)
    ]
    paths += [
        "dev/Status",
        "dev/status",
        "a_b",
        "a/b",
        "a-b",
        "3/x",
        "nanorpc",
        "nanorpc/config",
        "\u00e4",
    ]
    for made in (
        [names.guard(path, kind) for path in sorted(set(paths)) for kind in ("NRPC", "CLIENT")],
        [
            names.object_name(path + end)
            for path in sorted(set(paths))
            for end in (".proto", ".txt")
        ],
    ):
        assert len(set(made)) == len(made)
        assert all(re.fullmatch(r"[A-Za-z]\w*", name, re.A) for name in made)
        assert not [name for name in made if re.match("NANORPC_|NRPC_|PB_|_", name)]


STEMS = [
    "dev/Status",
    "dev/status",
    "a_b",
    "a/b",
    "a-b",
    "3/x",
    "nanorpc",
    "nanorpc/config",
    "nrpc",
]


@pytest.fixture
def alike(bench):
    bench.write(
        **{
            stem.replace(
                "/", "__"
            ): "package p%d;\nmessage M { int32 n = 1; }\nservice S { rpc A(M) returns (M); }\n" % i
            for i, stem in enumerate(STEMS)
        }
    )
    return bench.generate(*STEMS)


@pytest.mark.parametrize("compiler, standard", MODES, ids=MODE_IDS)
def test_alike_files_in_one_program(alike, compiler, standard):
    uses = "".join(
        "enum nrpc_status use%d(p%d_M *m, struct p%d_S_A_events *e);\n"
        "enum nrpc_status use%d(p%d_M *m, struct p%d_S_A_events *e)\n"
        "{\n    return e->reply ? p%d_S_A(NULL, m, m) : NRPC_OK;\n}\n" % ((i,) * 7)
        for i in range(len(STEMS))
    )
    alike.check_headers(compiler, standard, uses)


def test_alike_files_describe_themselves(alike):
    assert [file.name for _, file in alike.files(*STEMS)] == [stem + ".proto" for stem in STEMS]


# --- Messages with the names of parameters, variables and members -----------------------------------

LOCALS = """call request reply why chunk buf room offset length channel options events wait on sized message
    status produce m0 m1 m2 call_ request_ reply_ call__ path methods kind codec handler next done got data n s key
    value events_""".split()
STREAMED = ("request", "reply", "chunk")


def locals_proto(package=""):
    text = package
    for i, name in enumerate(LOCALS):
        other = LOCALS[(i + 1) % len(LOCALS)]
        text += "message %s { %s }\n" % (
            name,
            "bytes data_ = 1;" if name in STREAMED else "int32 x = 1;",
        )
        text += "service S%d {\n" % i
        for kind, (left, right) in enumerate(itertools.product(("", "stream "), repeat=2)):
            text += "  rpc A%d(%s%s) returns (%s%s);\n" % (kind, left, name, right, other)
            text += "  rpc B%d(%s%s) returns (%s%s);\n" % (kind, left, other, right, name)
        text += "}\n"
    return text + "enum wait_ { room_ = 0; }\nenum offset_ { why_ = 0; buf_ = 1; }\n"


LOCALS_OPTIONS = (
    "".join("%s.data_ type:FT_CALLBACK max_size:64\n" % name for name in STREAMED)
    + "offset_ long_names:false\n"
)


@pytest.fixture(scope="module")
def shadows(tmp_path_factory):
    from workshop import Workshop

    made = Workshop(tmp_path_factory.mktemp("shadows"))
    made.write(s=locals_proto(), s_options=LOCALS_OPTIONS)
    return made.generate("s")


@pytest.mark.parametrize("compiler, standard", MODES, ids=MODE_IDS)
def test_parameters_hide_no_type(shadows, compiler, standard):
    shadows.check_headers(compiler, standard)


@pytest.mark.parametrize("compiler", COMPILERS)
def test_code_hides_no_type(shadows, compiler):
    for kind in ("nrpc", "client", "desc"):
        shadows.compile(shadows.out / ("s.%s.c" % kind), compiler)


def test_servers_and_channels_of_such_messages(shadows):
    user = shadows.path / "user.c"
    user.write_text(
        '#include "s.nrpc.h"\n#include "s.client.h"\n'
        "NRPC_SERVER_DEFINE(server, 1, S0_service, S1_service, S2_service);\n"
        'NRPC_CHANNEL_DEFINE(link, "a.b", S0_client, S1_client, S2_client);\n'
        "enum nrpc_status S5_A0(struct nrpc_call *c, const buf *b, room *r)\n{\n    (void)c;\n    r->x = b->x;\n"
        "    return NRPC_OK;\n}\n"
    )
    for compiler in COMPILERS:
        shadows.compile(user, compiler)


def test_names_stay_where_nothing_clashes(bench):
    bench.write(kinds=KINDS, kinds_options=KINDS_OPTIONS)
    bench.generate("kinds")
    header, client = (
        (bench.out / ("kinds.%s.h" % kind)).read_text() for kind in ("nrpc", "client")
    )
    assert (
        "a_b_Kinds_Unary(struct nrpc_call *call, const a_b_Small *request,\n    a_b_Large *reply);"
        in header
    )
    assert "(struct nrpc_wait *wait, a_b_Large *reply)" in client
    for text in (header, client):
        assert not re.search(r"\w_[ ,;)]", text.replace("_PB_", "")) and "@" not in text


def test_names_of_imported_messages(bench):
    """The same where the messages come from a file that an import imports; not of a file that is none of these."""
    bench.write(
        s='import "a.proto";\nservice S { rpc A(M) returns (M); }\n',
        a='import public "b.proto";\nmessage M { int32 n = 1; }\n',
        b="message request { int32 n = 1; }\n",
        c="message reply { int32 n = 1; }\n",
    )
    bench.generate("s", "a", "b", "c")
    header = (bench.out / "s.nrpc.h").read_text()
    assert "const M *request_," in header and "M *reply)" in header
    alone = bench.out / "s.nrpc.h"
    before = alone.read_text()
    bench.generate("s")
    assert alone.read_text() == before


# --- Names that are refused ------------------------------------------------------------------------

SERVICE = "message Rep { int32 n = 1; }\nservice S { rpc Do(Req) returns (Rep); }\n"
C_WORDS = """int while typedef bool true alignas nullptr constexpr typeof thread_local static_assert
    _Bool _Generic asm""".split()
CPP_WORDS = """class template new and not xor_eq delete this using wchar_t char8_t concept requires
    co_await typename""".split()
MACROS = (
    "NULL EOF errno stdin INT8_MAX UINT_LEAST16_MAX SIZE_MAX CHAR_BIT PATH_MAX LLONG_MIN".split()
)
TYPES = "size_t uint8_t int_fast16_t ptrdiff_t memcpy strlen index std".split()


ANYWHERE = (
    [(w, "a keyword of C") for w in C_WORDS]
    + [(w, "a keyword of C++") for w in CPP_WORDS]
    + [(w, "a macro of C's library") for w in MACROS]
)
AT_FILE_SCOPE = (
    [(w, "a name of C's library") for w in TYPES]
    + [(w, "a name of nanopb's") for w in ("pb_size_t", "pb_istream_t", "PB_BIND")]
    + [(w, "the library's own, as all that begins with nrpc_") for w in ("nrpc_call", "NRPC_OK")]
)


@pytest.mark.parametrize(
    "what, form, line",
    [
        ("fields", "message M%d { int32 %s = 1; }", "M%d.%s: %s; rename the field"),
        ("oneofs", "message M%d { oneof %s { int32 b = 2; } }", "M%d.%s: %s; rename the field"),
        ("values", "enum E%d { %s = 0; }", "enum E%d: its value %s: %s; rename the value"),
    ],
)
def test_refused_in_messages_and_enums(bench, what, form, line):
    words = ANYWHERE + (AT_FILE_SCOPE if what == "values" else [])
    bench.write(
        s="\n".join(form % (i, word) for i, (word, _) in enumerate(words)),
        s_options="* long_names:false\n",
    )
    assert sorted(bench.refused("s")) == sorted(
        "s.proto: " + line % (i, *word) for i, word in enumerate(words)
    )


@pytest.mark.parametrize(
    "what, form", [("message", "message %s { int32 n_ = 1; }"), ("enum", "enum %s { V%d = 0; }")]
)
def test_refused_as_types(bench, what, form):
    words = ANYWHERE + AT_FILE_SCOPE
    bench.write(
        s="\n".join(
            form % ((word, i) if what == "enum" else word) for i, (word, _) in enumerate(words)
        )
    )
    found = [
        line for line in bench.refused("s") if "its value" not in line
    ]  # those of enum NRPC_OK are refused, too
    assert sorted(found) == sorted(
        "s.proto: %s%s: %s; rename the %s" % ("enum " * (what == "enum"), *word, what)
        for word in words
    )


REFUSED = [
    (
        "message Req { int32 NRPC_FAST = 1; }",
        "Req.NRPC_FAST: the library's own, as all that begins with NRPC_; rename the field",
    ),
    (
        "message Req { int32 PB_PACKED_STRUCT_START = 1; }",
        "Req.PB_PACKED_STRUCT_START: a macro of nanopb's; rename the field",
    ),
    (
        "message Req { Bool b = 1; } message Bool { bool b = 1; }",
        "Bool: its struct would be _Bool, a keyword of C; rename the message",
    ),
    (
        "message Req { Atomic b = 1; } enum Atomic { V = 0; }",
        "enum Atomic: it would be enum _Atomic, a keyword of C; rename the enum",
    ),
    (
        "message Req { INT8 b = 1; } enum INT8 { MAX = 0; }",
        "enum INT8: its value INT8_MAX: a macro of C's library; rename the value",
    ),
    (
        "message Req { int32 n = 1; } message NotReached { int32 class = 1; }",
        "NotReached.class: a keyword of C++; rename the field",
    ),
    (
        "message Req { part part = 1; } message part { int32 n = 1; }",
        "Req.part: the C type of this or another field of its message, which C++ does not allow; rename the field",
    ),
    (
        "message Req { int32 int32_t = 1; }",
        "Req.int32_t: the C type of this or another field of its message, which C++ does not allow; rename the field",
    ),
    (
        "message Req { int32 pb_size_t = 1; oneof o { int32 n = 2; } }",
        "Req.pb_size_t: the C type of this or another field of its message, which C++ does not allow; "
        "rename the field",
    ),
    (
        "message Req { oneof part { int32 n = 1; part m = 2; } } message part { int32 n = 1; }",
        "Req.part: the C type of this or another field of its message, which C++ does not allow; rename the field",
    ),
    (
        "message Req { oneof o { int32 n = 1; part part = 2; } } message part { int32 n = 1; }",
        "Req.part: the C type of this or another field of its message, which C++ does not allow; rename the field",
    ),
    (
        "message Req { int32 n = 1; } message s_proto_file { int32 n = 1; }",
        "its descriptor would be s_proto_file in C, as is message s_proto_file; rename one",
    ),
    (
        "message Req { int32 n = 1; } message S_Do_events { int32 n = 1; }",
        "S.Do: its struct would be S_Do_events in C, as is that of message S_Do_events; rename one",
    ),
    (
        "message Req { int32 n = 1; } message S_service_request { int32 n = 1; }",
        "S: its union would be S_service_request in C, as is that of message S_service_request; rename one",
    ),
]


@pytest.mark.parametrize("text, problem", REFUSED)
def test_refused(bench, text, problem):
    bench.write(s=SERVICE + text + "\n")
    assert bench.refused("s") == ["s.proto: " + problem]


@pytest.mark.parametrize(
    "service, method, name, reason",
    [
        ("size", "t", "size_t", "a name of C's library"),
        ("INT8", "MAX", "INT8_MAX", "a macro of C's library"),
        ("static", "assert", "static_assert", "a keyword of C"),
        ("const", "cast", "const_cast", "a keyword of C++"),
        ("pb", "decode", "pb_decode", "a name of nanopb's"),
    ],
)
def test_methods_refused(bench, service, method, name, reason):
    bench.write(
        s="message M { int32 n = 1; }\nservice %s { rpc %s(M) returns (M); }\n" % (service, method)
    )
    assert bench.refused("s") == [
        "s.proto: %s.%s: its handler would be %s in C, %s; rename one of its parts"
        % (service, method, name, reason)
    ]


def test_imported_files_are_checked_where_they_are_needed(bench):
    bench.write(
        s='import "a.proto"; import "b.proto";\nservice S { rpc A(M) returns (M); }\n',
        a="message M { int32 new = 1; }\n",
        b="message N { int32 delete = 1; }\n",
    )
    assert [line for line in bench.refused("s") if "unused" not in line] == [
        "a.proto: M.new: a keyword of C++; rename the field"
    ]


# --- Names that look as if, and work -------------------------------------------------------------------

FREE = """size index string length linux strlen memcpy assert printf time stat log exit wait std nrpc_call pb_size_t
    final override import module number_of int32 float_ size_t_ X a Bool x_ INT8_MAX_ vector""".split()
FREE_MESSAGES = """log_ string stat time assert vector final import nrpc number size poll select socket
    Final INT8 wait""".split()


@pytest.fixture(scope="module")
def free(tmp_path_factory):
    from workshop import Workshop

    made = Workshop(tmp_path_factory.mktemp("free"))
    made.write(
        fields="message M { %s }\nservice while { rpc int(M) returns (M); rpc class(M) returns (M); }\n"
        % " ".join("int32 %s = %d;" % (name, i + 1) for i, name in enumerate(FREE)),
        messages="".join(
            "message %s { int32 n = 1; }\nservice S%d { rpc A(.%s) returns (.%s); }\n"
            % (name, i, name, name)
            for i, name in enumerate(FREE_MESSAGES)
        ),
        pb="package pb;\nmessage Request { int32 status = 1; }\nservice S { rpc A(Request) returns (Request); }\n",
        scopes="package q;\nenum status { OK = 0; }\n"
        "message M { status status = 1; oneof o { int32 int64_t = 2; status x = 3; } }\n"
        "service S { rpc A(M) returns (M); }\n",
    )
    return made.generate("fields", "messages", "pb", "scopes")


@pytest.mark.parametrize("compiler, standard", MODES, ids=MODE_IDS)
def test_names_that_work(free, compiler, standard):
    free.check_headers(compiler, standard)


# --- Whatever is generated, for all compilers ---------------------------------------------------------


@pytest.fixture(scope="module")
def all_shapes(tmp_path_factory):
    from workshop import Workshop

    made = Workshop(tmp_path_factory.mktemp("all"))
    made.write(
        kinds=KINDS,
        kinds_options=KINDS_OPTIONS,
        shapes=SHAPES,
        shapes_options=SHAPES_OPTIONS,
        parts=PARTS,
        parts_options=PARTS_OPTIONS,
    )
    everything(made)
    made.generate("kinds", "shapes", "parts")
    return made.generate(*PROJECT, options=["-I%s" % (ROOT / "proto")], include=ROOT / "proto")


@pytest.mark.parametrize("compiler, standard", MODES, ids=MODE_IDS)
def test_headers(all_shapes, compiler, standard):
    all_shapes.check_headers(compiler, standard)


def test_public_headers_alone(all_shapes):
    """What is generated includes the library by its public headers."""
    public = {
        "nanorpc/nanorpc.h",
        "nanorpc/client.h",
        "nanorpc/wait.h",
        "nanorpc/streamed.h",
        "nanorpc/services/reflection.h",
    }
    own = {str(path.relative_to(all_shapes.out)) for path in all_shapes.out.rglob("*.h")}
    texts = [
        path.read_text()
        for path in all_shapes.out.rglob("*")
        if re.search(r"\.(nrpc|client|desc)\.[ch]$", path.name)
    ]
    assert set(re.findall(r'#include [<"]([^>"]+)', "".join(texts))) - own == public
