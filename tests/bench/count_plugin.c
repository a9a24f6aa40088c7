/* tests/bench/count_plugin.c - a plugin of QEMU: how often each block of instructions has run.
 * Layer: test; firmware.py builds and reads it. Source: QEMU, "TCG Plugins"; the declarations below
 * are those of its plugin API, whose header Debian does not have.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Use: qemu-system-arm ... -plugin count_plugin.so, with COUNTS=FILE in the environment. At its end
 * FILE gets a line for each block: "address instructions runs". */

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_info;
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id,
                                           void (*seen)(plugin_id id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
                                          void (*runs)(unsigned cpu, void *user), int registers,
                                          void *user);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
void qemu_plugin_register_atexit_cb(plugin_id id, void (*ends)(plugin_id id, void *user),
                                    void *user);
extern int qemu_plugin_version;
int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int argc, char **argv);

#ifndef PLUGIN_VERSION
#define PLUGIN_VERSION 1 /* QEMU up to 8; 2 from 9 on */
#endif
int qemu_plugin_version = PLUGIN_VERSION;

struct block {
    uint64_t address, runs;
    size_t instructions;
    struct block *next;
};
static struct block *blocks[4096]; /* by address */

static void runs(unsigned cpu, void *user)
{
    struct block *block = user;
    (void)cpu;
    block->runs++;
}

static void seen(plugin_id id, struct qemu_plugin_tb *tb)
{
    const uint64_t address = qemu_plugin_tb_vaddr(tb);
    const size_t instructions = qemu_plugin_tb_n_insns(tb);
    struct block **list = &blocks[(address >> 1) % (sizeof blocks / sizeof blocks[0])], *block;
    (void)id;
    for (block = *list; block; block = block->next) {
        if (block->address == address && block->instructions == instructions) {
            break;
        }
    }
    if (!block) {
        block = calloc(1, sizeof *block);
        if (!block) {
            abort();
        }
        block->address = address;
        block->instructions = instructions;
        block->next = *list;
        *list = block;
    }
    qemu_plugin_register_vcpu_tb_exec_cb(tb, runs, 0, block);
}

static void ends(plugin_id id, void *user)
{
    FILE *file = fopen(getenv("COUNTS"), "w");
    (void)id;
    (void)user;
    for (size_t i = 0; file && i < sizeof blocks / sizeof blocks[0]; i++) {
        for (const struct block *block = blocks[i]; block; block = block->next) {
            fprintf(file, "%" PRIx64 " %zu %" PRIu64 "\n", block->address, block->instructions,
                    block->runs);
        }
    }
    if (!file || fclose(file)) {
        perror("count_plugin: COUNTS");
    }
}

int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int argc, char **argv)
{
    (void)info;
    (void)argc;
    (void)argv;
    if (!getenv("COUNTS")) {
        fprintf(stderr, "count_plugin: COUNTS=FILE is not in the environment\n");
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, seen);
    qemu_plugin_register_atexit_cb(id, ends, NULL);
    return 0;
}
