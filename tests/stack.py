# tests/stack.py - the deepest stack of C files, from the call graphs that gcc -fcallgraph-info=su writes.
# Layer: tests.
# SPDX-License-Identifier: Apache-2.0
"""A call through a pointer is taken to reach the functions that `indirect` names for its caller; one
that is not named there is an error, and so is recursion: then the figure would be a guess."""
import re

NODE = re.compile(r'node: \{ title: "([^"]+)" label: "([^"]*)"')
EDGE = re.compile(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')
POINTER = "__indirect_call"
BYTES = re.compile(r"(\d+) bytes \((\w+(?:,\w+)?)\)")


class StackError(Exception):
    """Why no worst case can be given."""


class Graph:
    def __init__(self, ci_files, indirect):
        """indirect: {caller: [callees]} for calls through pointers; names without files."""
        self.frames = {}    # title -> bytes, of the functions that were compiled
        self.calls = {}     # title -> set of titles
        self.indirect = indirect
        self.dynamic = []
        for path in ci_files:
            self._read(path)
        self.by_name = {}   # plain name -> title
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
                    self.calls.setdefault(edge.group(1), set()).add(edge.group(2))

    def callees(self, title):
        """Titles that it calls, pointers resolved."""
        found = set(self.calls.get(title, ()))
        if POINTER in found:
            found.remove(POINTER)
            name = title.split(":")[-1]
            if name not in self.indirect:
                raise StackError("%s calls through a pointer: say what it can reach in "
                                 "tests/budgets.ini, [indirect]" % name)
            found.update(self.indirect[name])
        elif title not in self.frames and title in self.indirect:
            found.update(self.indirect[title])   # a name that stands for code of the application
        return {self.by_name.get(callee, callee) for callee in found}

    def worst(self, root, path=()):
        """(bytes, [titles]) of the deepest path that begins at root."""
        if root in path:
            raise StackError("recursion: " + " > ".join(path[path.index(root):] + (root,)))
        if not hasattr(self, "_known"):
            self._known = {}
        if root not in self._known:
            deepest = max((self.worst(callee, path + (root,)) for callee in self.callees(root)),
                          default=(0, []), key=lambda found: found[0])
            self._known[root] = (self.frames.get(root, 0) + deepest[0], [root] + deepest[1])
        return self._known[root]

    def externals(self):
        """What is called but was not compiled here, pseudo names included."""
        called = set().union(*(self.calls.get(title, set()) for title in self.frames))
        return sorted(name for name in called
                      if name not in self.frames and name not in self.by_name and name != POINTER)


def deepest(ci_files, indirect):
    """(bytes, [names], [externals]) over all functions as roots."""
    graph = Graph(ci_files, indirect)
    if graph.dynamic:
        raise StackError("stack of no fixed size: " + ", ".join(sorted(graph.dynamic)))
    size, path = max((graph.worst(title) for title in graph.frames), key=lambda found: found[0])
    return size, [(title.split(":")[-1], graph.frames.get(title, 0)) for title in path], graph.externals()
