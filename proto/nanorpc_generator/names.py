# proto/nanorpc_generator/names.py - what may be a name in C and C++, and names that no two files share.
# Layer: generator, runs on the host. Source: C99, C23, C++20: keywords, and the headers that generated ones include.
# SPDX-License-Identifier: Apache-2.0
"""Given: names as they would stand in C. Gives: why one cannot stand there; include guards and names of objects for
files, which are different for different files; and names for parameters that nothing else at file scope has."""

import re

C_KEYWORDS = frozenset(
    """auto break case char const continue default do double else enum extern
    float for goto if inline int long register restrict return short signed sizeof static struct
    switch typedef union unsigned void volatile while
    alignas alignof asm bool constexpr false nullptr static_assert thread_local true typeof typeof_unqual
    _Alignas _Alignof _Atomic _BitInt _Bool _Complex _Decimal128 _Decimal32 _Decimal64 _Float128 _Float16 _Float32
    _Float32x _Float64 _Float64x _Generic _Imaginary _Noreturn _Pragma _Static_assert _Thread_local""".split()
)
CPP_KEYWORDS = frozenset(
    """and and_eq bitand bitor catch char16_t char32_t char8_t class co_await co_return co_yield
    compl concept const_cast consteval constinit decltype delete dynamic_cast explicit export friend mutable namespace
    new noexcept not not_eq operator or or_eq private protected public reinterpret_cast requires static_cast template
    this throw try typeid typename using virtual wchar_t xor xor_eq""".split()
)
# Of the headers that generated ones include, and of <stdio.h>, <stdlib.h> and <errno.h>, which handlers include.
LIBRARY_MACROS = re.compile(
    r"""NULL|EOF|errno|stdin|stdout|stderr|BUFSIZ|RAND_MAX|EXIT_SUCCESS|EXIT_FAILURE|EDOM|ERANGE|EILSEQ
    |SEEK_(SET|CUR|END)|U?INT((_LEAST|_FAST)?(8|16|32|64)|PTR|MAX)_(MIN|MAX|WIDTH)
    |(PTRDIFF|WCHAR|WINT|SIG_ATOMIC)_(MIN|MAX|WIDTH)
    |R?SIZE_(MAX|WIDTH)|CHAR_BIT|MB_LEN_MAX|(CHAR|SCHAR|SHRT|INT|LONG|LLONG)_(MIN|MAX|WIDTH)
    |(UCHAR|USHRT|UINT|ULONG|ULLONG)_(MAX|WIDTH)|BOOL_WIDTH|(ARG|IOV|NAME|PATH|SSIZE)_MAX|PIPE_BUF""",
    re.X,
)
LIBRARY_NAMES = re.compile(
    r"""u?int(_least|_fast)?(8|16|32|64)_t|u?int(ptr|max)_t|size_t|ptrdiff_t|max_align_t|nullptr_t
    |mem(c?cpy|move|set|cmp|r?chr|mem|pcpy|frob|set_explicit)|rawmemchr|explicit_bzero|locale_t|r?index|bcmp|bcopy|bzero|ffsl{0,2}|std
    |str(n?cpy|n?cat|n?cmp|n?casecmp(_l)?|n?dup|r?chr|chrnul|len|nlen|c?spn|pbrk|n?str|casestr|tok(_r)?|coll(_l)?|xfrm(_l)?
    |error(_r|_l|desc_np|name_np)?|sep|signal|lcpy|lcat|verscmp|fry)|stpn?cpy|sig(abbrev|descr)_np|basename""",
    re.X,
)


def keyword_reason(name):
    """Why `name` can be nothing at all, or None."""
    if name in C_KEYWORDS:
        return "a keyword of C"
    if name in CPP_KEYWORDS:
        return "a keyword of C++"
    if LIBRARY_MACROS.fullmatch(name):
        return "a macro of C's library"
    return None


def member_reason(name, nanopb_macros):
    """Why `name` cannot be a struct's member, or None."""
    reason = keyword_reason(name)
    if reason is None and name in nanopb_macros:
        return "a macro of nanopb's"
    if reason is None and name.startswith("NRPC_"):
        return "the library's own, as all that begins with NRPC_"
    return reason


def global_reason(name, nanopb_names):
    """Why `name` cannot be a type, a function or a constant, or None."""
    reason = keyword_reason(name)
    if reason is None and LIBRARY_NAMES.fullmatch(name):
        return "a name of C's library"
    if reason is None and name in nanopb_names:
        return "a name of nanopb's"
    if reason is None and name.lower().startswith("nrpc_"):
        return "the library's own, as all that begins with nrpc_"
    return reason


# --- Names that come from a file's --------------------------------------------------------------

CODES = {"_": "_1", "/": "_2", "-": "_3", ".": "_4"}  # other bytes: _5 and two digits


def escaped(path, letters):
    """`path` in letters, digits and _, so that different ones differ: a folder's end is _, all else that is not of
    `letters` or a digit is _ and a digit. A / before anything but one of `letters` is such, too."""
    text = ""
    for index, c in enumerate(path):
        if c == "/" and re.match(letters, path[index + 1 :]):
            text += "_"
        elif re.match("[0-9]|" + letters, c):
            text += c
        elif re.match("[A-Z]", c):
            text += "_6" + c
        else:
            text += CODES.get(c) or "".join("_5%02x" % byte for byte in c.encode())
    return text


def guard(stem, kind):
    """The include guard of a file of `stem`; no header of the library, of nanopb or of protobuf begins with PROTO_
    and ends like this. helloworld/greeter: PROTO_HELLOWORLD_GREETER_NRPC_H."""
    return ("PROTO" + escaped("/" + stem, "[a-z]") + "_" + kind + "_H").upper()


def object_name(file_name):
    """A file's descriptor in C.

    helloworld/greeter.proto: helloworld_greeter_proto_file; a_b.proto: a_1b_proto_file.
    """
    stem, proto, rest = file_name.rpartition(".proto")
    plain = proto and not rest
    text = escaped(stem if plain else file_name, "[A-Za-z]")
    if not re.match("[A-Za-z]", text):
        text = "x_9" + text  # _9 stands nowhere else
    return text + ("_proto_file" if plain else "_9file")


# --- Names of parameters, of variables and of members of our own ----------------------------------


class Locals:
    """Names that do not hide one of `taken`, those at file scope."""

    def __init__(self, taken):
        self.taken = frozenset(taken)

    def name(self, wanted):
        while wanted in self.taken:
            wanted += "_"
        return wanted

    def __call__(self, text):
        """`text` with each @NAME as NAME or, where that is taken, with as many _ as are needed."""
        return re.sub(r"@([a-z]\w*)", lambda match: self.name(match.group(1)), text)
