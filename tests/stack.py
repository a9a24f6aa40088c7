# tests/stack.py - the deepest stack of C files, from the call graphs that gcc -fcallgraph-info=su writes.
# Layer: tests.
# SPDX-License-Identifier: Apache-2.0
"""A call through a pointer is taken to reach what `indirect` names for it: {"grpc.c:next": [...]} is for
`->next(...)` in grpc.c, "*:next" for any file. One that is not named there is an error, and so is recursion:
then the figure would be a guess. A name that was not compiled here, such as memcpy, counts nothing."""

import os
import re

NODE = re.compile(r'node: \{ title: "([^"]+)" label: "([^"]*)"')
EDGE = re.compile(
    r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"(?: label: "([^"]*):(\d+):\d+")?'
)
POINTER = "__indirect_call"
BYTES = re.compile(r"(\d+) bytes \((\w+(?:,\w+)?)\)")


class StackError(Exception):
    """Why no worst case can be given."""


class Graph:
    def __init__(self, ci_files, indirect):
        """indirect: {"file.c:pointer": [callees]} and {"name outside": [callees]}; plain names."""
        self.frames = {}  # title -> bytes, of the functions that were compiled
        self.calls = {}  # title -> set of titles
        self.indirect = indirect
        self.dynamic = []
        for path in ci_files:
            self._read(path)
        self.by_name = {}  # plain name -> title
        for title in self.frames:
            self.by_name.setdefault(title.split(":")[-1], title)

    def _read(self, path):
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                node = NODE.match(line)
                edge = EDGE.match(line)
                if node:
                    size = BYTES.search(node.group(2))
                    if size:
                        self.frames[node.group(1)] = int(size.group(1))
                        if size.group(2) != "static":
                            self.dynamic.append(node.group(1))
                elif edge:
                    callees = (
                        self._resolve(*edge.groups())
                        if edge.group(2) == POINTER
                        else [edge.group(2)]
                    )
                    self.calls.setdefault(edge.group(1), set()).update(callees)

    def _resolve(self, caller, _, path, line):
        """What a call through a pointer can reach, by the pointer's name in the source."""
        with open(path, encoding="utf-8") as file:
            text = "".join(file.readlines()[int(line) - 1 : int(line) + 2])
        for name in re.findall(r"(\w+)\(", text):
            for key in ("%s:%s" % (os.path.basename(path), name), "*:" + name):
                if key in self.indirect:
                    return self.indirect[key]
        raise StackError(
            "%s:%s: %s calls through a pointer: say what it can reach in tests/budgets.ini, "
            "[indirect]" % (path, line, caller.split(":")[-1])
        )

    def callees(self, title):
        """Titles that it calls. A name outside may be given callees, too: handlers call the core."""
        found = self.calls.get(title, () if title in self.frames else self.indirect.get(title, ()))
        return {self.by_name.get(callee, callee) for callee in found}

    def worst(self, root, path=()):
        """(bytes, [titles]) of the deepest path that begins at root."""
        if root in path:
            raise StackError("recursion: " + " > ".join(path[path.index(root) :] + (root,)))
        if not hasattr(self, "_known"):
            self._known = {}
        if root not in self._known:
            deepest = max(
                (self.worst(callee, path + (root,)) for callee in self.callees(root)),
                default=(0, []),
                key=lambda found: found[0],
            )
            self._known[root] = (self.frames.get(root, 0) + deepest[0], [root] + deepest[1])
        return self._known[root]

    def externals(self):
        """What is called but was not compiled here, pseudo names included."""
        called = set().union(*(self.calls.get(title, set()) for title in self.frames))
        return sorted(called - set(self.frames) - set(self.by_name))


def deepest(ci_files, indirect):
    """(bytes, [names], [externals]) over all functions as roots."""
    graph = Graph(ci_files, indirect)
    if graph.dynamic:
        raise StackError("stack of no fixed size: " + ", ".join(sorted(graph.dynamic)))
    size, path = max((graph.worst(title) for title in graph.frames), key=lambda found: found[0])
    return (
        size,
        [(title.split(":")[-1], graph.frames.get(title, 0)) for title in path],
        graph.externals(),
    )
