/* tests/generator/dump_files.c - prints the descriptors that NAME.desc.c holds, in hexadecimal
 * digits. Layer: tests; -DFILES="F(a_proto_file) F(b_proto_file)". Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#define NRPC_SAME_TOLD_HERE /* there is no core here: see same.h */
#include "nanorpc/services/reflection.h"

#define F(name) extern const struct nrpc_file name;
FILES
#undef F
#define F(name) &name,
static const struct nrpc_file *const files[] = {FILES NULL};

static void dump(const char *what, const struct nrpc_file *file)
{
    printf("%s ", what);
    for (uint32_t i = 0; i < file->bytes; i++) {
        printf("%02x", file->descriptor[i]);
    }
    printf("\n");
}

int main(void)
{
    for (const struct nrpc_file *const *at = files; *at != NULL; at++) {
        dump("file", *at);
        for (uint32_t i = 0; i < (*at)->n_imports; i++) {
            dump("import", (*at)->imports[i]);
        }
    }
    return 0;
}
