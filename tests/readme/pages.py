# tests/readme/pages.py - README.md and docs/*.md as data: each code block, and the check that claims it.
# Layer: tests; test_pages.py does the checks. SPDX-License-Identifier: Apache-2.0
"""Every fenced block has a language and a check. A comment on the line before the fence names the check; readers
do not see it. A block without one fails `pytest tests/readme`, with file:line.

    <!-- compile: helloworld -DNRPC_CLIENT=1    C: gcc and clang, -std=c99, strict; Python: ruff, undefined names.
    int given(void);                            Words: flags ($LWIP_DIR and such may stand in them), and protos whose
    -->                                         headers are included: this page's, README.md's (thermometer), those of
                                                proto/. Below them: C before the block;
                                                a line `...` there is where the block goes, e.g. into a function.
    <!-- file: main.c -->      The block, or a text below with the block at `...`, is a file of the page's folder.
                               All .proto files are generated, with the page's .options; `file: x.proto refused`
                               must be refused.
    <!-- run -->               sh: run in that folder; must succeed (`run: fails`: must fail).
    <!-- serve -->             sh: started and left running; goes on when something answers on port 50051.
    <!-- output -->            Exactly what the last run or serve printed; a line `...` is any lines.
    <!-- quote: PATH -->       Every line stands in that file, but for its spaces.
    <!-- commands -->          sh that cannot be run (the default of sh): programs, make targets, options are there.

    <!-- do                    A step that readers do not see, with no block after it: shell, as with run.
    cp "$README"/* .           $README: README.md's files, generated.  $NANORPC: the repository.
    boot lm3s6965evb           Links the folder's *.o with what build/lm3s6965evb/ has of the board and lwIP, boots it
    stop                       in QEMU, waits for an answer; lm3s6965evb-tls has Mbed TLS as well. stop: SIGTERM to
    -->                        the last that serve or boot has started; it must end with status 0.

A page's file, run, serve, output and do are one bash script in one empty folder, in the page's order; exports last.
Port 50051 is another, free one, in all of it. `lines:15` among a block's words: so many lines with code at most.
What stands between <!-- NAME: written by ... --> and <!-- /NAME --> is generated, see readme.py, and needs no check.
Of each page the names in `code` spans (paths, `make ...`, options, identifiers), its links, and the length of lines
are checked, too. One page alone: pytest tests/readme -k protos.md"""

import glob
import os
import re
import shlex
import socket
import ssl
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PORT = "50051"
CHECKS = ("compile", "file", "run", "serve", "output", "quote", "commands", "do")
DEFAULT = {"sh": "commands"}
LANGUAGES = {  # those that a check can claim
    "compile": ("c", "python"),
    "run": ("sh",),
    "serve": ("sh",),
    "commands": ("sh",),
    "output": ("console", "text"),
}
FENCE = re.compile(r"( *)(```+)(\S*)\s*$")
COMMENT = re.compile(r"<!-- (\w+)(?:: *(.*?))?(?: *-->)?$")
PART = re.compile(r"<!-- (/?)([\w-]+)(: written by .*)? -->$")


class Problem(Exception):
    """What is wrong with a page, with file:line."""


class Block:
    """A fenced block, or a step without one; check: None when nothing claims it."""

    def __init__(self, page, line, check, words=(), more="", language="", text=""):
        self.page, self.line, self.check, self.words = page, line, check, list(words)
        self.more, self.language, self.text = more, language, text

    @property
    def where(self):
        return "%s:%d" % (self.page, self.line)

    def whole(self, before=""):
        """The block with what its comment puts around it."""
        if re.search(r"^\.\.\.$", self.more, re.M):
            return before + re.sub(r"^\.\.\.\n", lambda _: self.text, self.more, flags=re.M)
        return before + self.more + self.text


def names():
    """All pages."""
    found = glob.glob(os.path.join(ROOT, "docs", "*.md"))
    return ["README.md", "CONTRIBUTING.md"] + sorted(
        "docs/" + os.path.basename(path) for path in found
    )


def text_of(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return file.read()


def blocks(page, text=None):
    """The page's blocks and steps, in order."""
    lines = (text_of(page) if text is None else text).split("\n")
    found, comment, part, at = [], None, None, 0
    while at < len(lines):
        line, start = lines[at], at + 1
        at += 1
        marker, fence = PART.match(line), FENCE.match(line)
        if marker and (marker.group(1) or marker.group(3)):
            part = None if marker.group(1) else marker.group(2)
        elif line.startswith("<!-- "):
            while not lines[at - 1].endswith("-->"):
                at += 1
                if at > len(lines):
                    raise Problem("%s:%d: the comment has no end" % (page, start))
            comment = step(page, start, line, lines[start : at - 1])
            if comment.check == "do":
                found.append(comment)
                comment = None
            continue
        elif fence:
            end = next((i for i in range(at, len(lines)) if lines[i] == fence[1] + fence[2]), None)
            if end is None:
                raise Problem("%s:%d: the block has no end" % (page, start))
            indent = len(fence.group(1))
            content = "".join(inner[indent:] + "\n" for inner in lines[at:end])
            found.append(claimed(page, start, fence.group(3), content, comment, part))
            at = end + 1
        elif comment:
            raise Problem("%s: no block follows" % comment.where)
        comment = None
    return found


def step(page, line, first, more):
    match = COMMENT.match(first)
    if not match or match.group(1) not in CHECKS:
        raise Problem("%s:%d: no such check: %s" % (page, line, first))
    words = shlex.split(match.group(2) or "")
    return Block(page, line, match.group(1), words, "".join(inner + "\n" for inner in more))


def claimed(page, line, language, text, comment, part):
    """A fenced block with its check; Problem: it has none, or one that cannot be."""
    if not language:
        raise Problem("%s:%d: the block has no language" % (page, line))
    block = comment or Block(page, line, "generated" if part else DEFAULT.get(language))
    block.line, block.language, block.text = line, language, text
    if block.check is None:
        raise Problem("%s:%d: no check claims this block" % (page, line))
    if language not in LANGUAGES.get(block.check, (language,)):
        raise Problem("%s:%d: %s cannot check %s" % (page, line, block.check, language))
    for word in [word for word in block.words if word.startswith("lines:")]:
        block.words.remove(word)
        code = [row for row in text.splitlines() if row.strip() not in ("", "{", "}")]
        if len(code) > int(word[6:]):
            raise Problem("%s:%d: %d lines, not %s" % (page, line, len(code), word[6:]))
    return block


# --- A page's script -----------------------------------------------------------------------------------------

PRELUDE = r"""set -eu
ready() { "$HARNESS_PYTHON" -B "$NANORPC/tests/readme/pages.py" 50051; }
stop() { local child; child=$(cat /proc/$!/task/$!/children); kill -TERM ${child:-$!}; wait $!; }
boot()
{
    local objects
    objects=$(find "$NANORPC/build/$1/lwip" "$NANORPC/build/$1/boards" -mindepth 2 -name '*.o' ! -path '*/apps/*')
    objects="$objects $NANORPC/build/$1/boards/text.o $NANORPC/build/$1/boards/test_seed.o"
    [ ! -d "$NANORPC/build/$1/mbedtls" ] || objects="$objects $(echo "$NANORPC/build/$1"/mbedtls/*.o)"
    (folder=$PWD; cd "$NANORPC"; $HARNESS_LINK -o "$folder/firmware.elf" "$folder"/*.o $objects)
    $HARNESS_EMULATOR </dev/null >/dev/null 2>&1 &
    ready
}
"""


def script(page_blocks, folder, port):
    """The page's bash script; the blocks go to `folder`/.story, and where one is at, and what it printed."""
    os.makedirs(os.path.join(folder, ".story"))
    steps = [PRELUDE]
    for number, block in enumerate(page_blocks):
        text = block.more if block.check == "do" else block.whole()
        kept = os.path.join(".story", str(number))
        if block.check in ("file", "run", "serve", "do"):
            with open(os.path.join(folder, kept), "w", encoding="utf-8") as file:
                file.write(text.replace(PORT, port))
            steps.append("echo %s >.story/at\n" % block.where)
        if block.check == "file":
            name = shlex.quote(block.words[0])
            steps.append('mkdir -p "$(dirname %s)"; cp %s %s\n' % (name, kept, name))
        elif block.check == "run" and block.words == ["fails"]:
            steps.append("if bash -e %s >%s.out 2>&1; then false; fi\n" % (kept, kept))
        elif block.check in ("run", "do"):
            steps.append("{\n%s} >%s.out 2>&1 </dev/null\n" % (text, kept))
        elif block.check == "serve":
            steps.append("(\n%s) >%s.out 2>&1 </dev/null &\nready\n" % (text, kept))
    return "".join(steps).replace(PORT, port)


def has_story(page):
    return re.search(r"^<!-- (run|serve|do)\b", text_of(page), re.M) is not None


def answers(port):
    """Whether an HTTP/2 server, or one behind TLS, is there: not only something that forwards a port."""
    for secure in (0, 1):
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as link:
                if secure:
                    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                    context.set_alpn_protocols(["h2"])
                    link.settimeout(30)
                    context.wrap_socket(link).close()
                    return True
                link.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
                if link.recv(9)[3:4] == b"\4":
                    return True
        except OSError:
            pass
    return False


def main():
    """Waits until there is an answer on a port; the scripts' `ready`."""
    end = time.monotonic() + 60
    while not answers(int(sys.argv[1])):
        if time.monotonic() > end:
            sys.exit("nothing answers on port " + sys.argv[1])
        time.sleep(0.2)


if __name__ == "__main__":
    main()
