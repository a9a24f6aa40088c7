# proto/imports.awk - which .proto files import which: FILE>IMPORT, one a line, without their endings, for the Makefile.
# And !FILE for each that is there for its custom options alone, or for what these consist of: it is nothing for C.
# Layer: build. Use: awk -v root=proto/ -f proto/imports.awk FILES. Source: protobuf's language specification.
# SPDX-License-Identifier: Apache-2.0
FNR == 1 {
    in_comment = importing = 0
    before = ""
    file = FILENAME
    if (index(file, root) == 1) file = substr(file, length(root) + 1)
    sub(/\.proto$/, "", file)
    files[file] = 1
}
{
    rest = $0
    while (rest != "") {
        if (in_comment) {
            at = index(rest, "*/")
            if (!at) next
            rest = substr(rest, at + 2)
            in_comment = 0
        } else if (match(rest, /^[ \t\r]+/)) {
            rest = substr(rest, RLENGTH + 1)
        } else if (rest ~ /^\/\//) {
            next
        } else if (rest ~ /^\/\*/) {
            in_comment = 1
            rest = substr(rest, 3)
        } else if (match(rest, /^"([^"\\]|\\.)*"/) || match(rest, /^'([^'\\]|\\.)*'/)) {
            if (importing) {
                text = substr(rest, 2, RLENGTH - 2)
                sub(/\.proto$/, "", text)
                print file ">" text
                imports[file, text] = 1
            }
            rest = substr(rest, RLENGTH + 1)
            importing = 0
        } else if (match(rest, /^[A-Za-z0-9_.]+/)) {
            word = substr(rest, 1, RLENGTH)
            rest = substr(rest, RLENGTH + 1)
            importing = word == "import" || importing && word ~ /^(public|weak|option)$/
            if (before == "service") serves[file] = 1
            if (before == "extend" && word ~ /^\.?google\.protobuf\.[A-Za-z]+Options$/) options[file] = 1
            if (before == "message" || before == "enum") {
                defines[file, word] = 1
            } else {
                sub(/.*\./, "", word)
                words[file, word] = 1
            }
            before = word
        } else {
            rest = substr(rest, 2)
            importing = 0
            before = ""
        }
    }
}
# Has a file, in words, one of the types of another? What only looks so does no harm.
function uses(user, used,    pair, parts) {
    for (pair in defines) {
        split(pair, parts, SUBSEP)
        if (parts[1] == used && (user, parts[2]) in words) return 1
    }
    return 0
}
# Marks in `set` all files that those in it import, but for those in `never`.
function follow(set, never,    changed, pair, parts) {
    do {
        changed = 0
        for (pair in imports) {
            split(pair, parts, SUBSEP)
            if (parts[1] in set && !(parts[2] in set) && !(parts[2] in never)) changed = set[parts[2]] = 1
        }
    } while (changed)
}
END {
    for (name in options) {
        only = !(name in serves)
        for (other in files) if ((other, name) in imports && uses(other, name)) only = 0
        if (only) left[name] = below[name] = 1
    }
    follow(below, none)
    for (name in files) if (!(name in below)) needed[name] = 1
    follow(needed, left)
    for (name in files) if (!(name in needed)) print "!" name
}
