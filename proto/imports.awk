# proto/imports.awk - which .proto files import which: FILE>IMPORT, one a line, without their endings, for the Makefile.
# Layer: build. Use: awk -v root=proto/ -f proto/imports.awk FILES. Source: protobuf's language specification.
# SPDX-License-Identifier: Apache-2.0
FNR == 1 { in_comment = importing = 0 }
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
                file = FILENAME
                text = substr(rest, 2, RLENGTH - 2)
                if (index(file, root) == 1) file = substr(file, length(root) + 1)
                sub(/\.proto$/, "", file)
                sub(/\.proto$/, "", text)
                print file ">" text
            }
            rest = substr(rest, RLENGTH + 1)
            importing = 0
        } else if (match(rest, /^[A-Za-z0-9_.]+/)) {
            word = substr(rest, 1, RLENGTH)
            rest = substr(rest, RLENGTH + 1)
            importing = word == "import" || importing && word ~ /^(public|weak|option)$/
        } else {
            rest = substr(rest, 2)
            importing = 0
        }
    }
}
