# tests/rooms.py - the floors of nanorpc/ and ports/: who may include and call whom; no circle of files.
# Layer: tests; layers.py asks it. Source: the rules of the project.
# SPDX-License-Identifier: Apache-2.0
"""A file stands on a floor. What it includes, and each function that it names, stands on the same or on a lower one:
that is seen from the text, whatever is compiled in. Functions nrpc_up_* are the one way up: the room that calls them
declares them, in nrpc_role.h, and one above defines them."""

import os
import re

# From the ground up. A public header stands where the room is whose functions it declares; those without functions
# of a room lie below all rooms.
FLOORS = [
    (
        "base",
        [
            "config.h",
            "build.h",
            "same.h",
            "version.h",
            "scalars.h",
            "call.h",
            "codec.h",
            "server.h",
        ],
    ),
    ("hpack", []),
    ("http2", ["conn.h", "ref.h"]),
    ("grpc", ["compression.h", "details.h", "streamed.h"]),
    ("server", ["nanorpc.h"]),
    ("client", ["dial.h", "channel.h", "client.h", "wait.h"]),
    ("services", []),
]
ROOMS = [name for name, _ in FLOORS[1:]]
PUBLIC = {"nanorpc/" + name: floor for floor, (_, names) in enumerate(FLOORS) for name in names}
ROLE = "nanorpc/http2/nrpc_role.h"  # declares what is called upwards
UP = re.compile(r"nrpc_up_\w+$")

PREPROCESSOR = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.M)
COMMENT = re.compile(r"/\*.*?\*/", re.S)
TAG = re.compile(r"\b(?:struct|union|enum) nrpc_\w+")
STRING = re.compile(r'"(?:\\.|[^"\\\n])*"')
# With the project's format a definition's brace stands alone, in the first column.
DEFINITION = re.compile(r"^\w[\w \t\*\(\)]*?\b(\w+)\(([^;{}]*)\)\n\{\n(.*?)^\}", re.M | re.S)
DECLARATION = re.compile(r"^(?:extern )?\w[\w \t\*]*?\b(\w+)\([^;{}]*\);", re.M)


def floor(path):
    """0 and up for what lies in nanorpc/ and ports/; None: elsewhere, or in no room."""
    path = path.replace(os.sep, "/")
    if path in PUBLIC:
        return PUBLIC[path]
    parts = path.split("/")
    if parts[0] == "nanorpc" and len(parts) == 3 and parts[1] in ROOMS:
        return 1 + ROOMS.index(parts[1])
    if (
        parts[0] == "ports"
    ):  # TLS stands between the core and all ports, what they share between it and them
        return len(FLOORS) + (0 if parts[1] == "mbedtls" else 1 if len(parts) == 2 else 2)
    return None


def stripped(text):
    """The text without comments, strings, names of structs, and preprocessor lines: a macro's body is its user's."""
    return TAG.sub("tag", PREPROCESSOR.sub("", COMMENT.sub(" ", STRING.sub('""', text))))


def definitions(code):
    """{function: body} of a stripped text."""
    return {match.group(1): match.group(3) for match in DEFINITION.finditer(code)}


class House:
    """All of nanorpc/ and ports/: {path: text}."""

    def __init__(self, texts):
        self.code = {
            path: stripped(text) for path, text in texts.items() if floor(path) is not None
        }
        self.defined = {}  # {function: the files that define it}
        self.bodies = {}
        for path, code in self.code.items():
            self.bodies[path] = definitions(code)
            for name in self.bodies[path]:
                if re.match(r"nrpc_", name):
                    self.defined.setdefault(name, set()).add(path)

    def names(self, path):
        """Functions of other files that a file calls, or names in a table."""
        code = DECLARATION.sub("", self.code[path])
        found = set(re.findall(r"\bnrpc_\w+", code)) & set(self.defined)
        return {name for name in found if path not in self.defined[name]}

    def calls(self, path):
        """[(function, the file that defines it)]: of those that several ports define, none."""
        for name in sorted(self.names(path)):
            if len(self.defined[name]) == 1:
                yield name, next(iter(self.defined[name]))

    def up_breaches(self):
        """ROLE itself may have a stand-in, where an image has none of it."""
        declared = set(re.findall(r"\b(nrpc_up_\w+)\(", COMMENT.sub("", self.code.get(ROLE, ""))))
        rule = "%s: what is called upwards is declared in " + ROLE + ", and defined once, above"
        for name in filter(UP.match, sorted(self.defined)):
            above = sorted(self.defined[name] - {ROLE})
            for path in above:
                if name not in declared or floor(path) <= floor(ROLE) or len(above) > 1:
                    yield path, rule % name

    def call_breaches(self):
        for path in sorted(self.code):
            for name, where in self.calls(path):
                if floor(where) > floor(path) and not (
                    UP.match(name) and floor(path) == floor(ROLE)
                ):
                    yield path, "an upward call of %s, in %s" % (name, where)

    def circles(self, includes):
        """Groups of files that reach each other by includes ({path: paths}) and calls. What the inline functions
        of NAME.h call in NAME.c is no arrow: these are two halves."""
        arrows = {path: set(includes.get(path, ())) & set(self.code) for path in self.code}
        for path in self.code:
            for name, there in self.calls(path):
                if not UP.match(name) and (path[:-2] != there[:-2] or path.endswith(".c")):
                    arrows[path].add(there)
        return [group for group in components(arrows) if len(group) > 1]


def components(arrows):
    """Tarjan's strongly connected components, without recursion."""
    index, low, stack, on_stack, found, count = {}, {}, [], set(), [], 0
    for root in sorted(arrows):
        if root in index:
            continue
        work = [(root, iter(sorted(arrows[root])))]
        index[root] = low[root] = count
        count += 1
        stack.append(root)
        on_stack.add(root)
        while work:
            node, rest = work[-1]
            for there in rest:
                if there not in index:
                    index[there] = low[there] = count
                    count += 1
                    stack.append(there)
                    on_stack.add(there)
                    work.append((there, iter(sorted(arrows[there]))))
                    break
                if there in on_stack:
                    low[node] = min(low[node], index[there])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    group = set()
                    while node not in group:
                        group.add(stack.pop())
                    on_stack -= group
                    found.append(sorted(group))
    return found
