/* tests/fuzz/driver.c - in libFuzzer's place: inputs from files, and simple mutations of them.
 * Layer: test. Source: POSIX dirent.
 * SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fuzz.h"

/* Use: fuzz_NAME [-mutations=N] [-max_total_time=SECONDS] [-artifact=FILE] FILE-OR-FOLDER...
 * Gives each file to the target, then N mutations, always the same, or as many as the time
 * lets. With an artifact each mutation stands in that file while it runs: after a crash it
 * is the input. */

enum { FILES = 4096 };
static struct {
    uint8_t *data;
    size_t n;
} files[FILES];
static size_t n_files;
static uint32_t seed = 1;

static uint32_t next(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static void fail(const char *what)
{
    perror(what);
    exit(2);
}

static void load_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(FUZZ_INPUT);
    if (!file || !data || n_files == FILES) {
        fail(path);
    }
    files[n_files].data = data;
    files[n_files++].n = fread(data, 1, FUZZ_INPUT, file);
    fclose(file);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In the order of the names, so that each run is the same. */
static void load(const char *path)
{
    static char paths[FILES][512];
    static char *order[FILES];
    size_t n = 0;
    DIR *folder = opendir(path);
    if (!folder) {
        load_file(path);
        return;
    }
    for (struct dirent *entry; n < FILES && (entry = readdir(folder));) {
        if (entry->d_name[0] != '.') {
            snprintf(paths[n], sizeof paths[n], "%s/%s", path, entry->d_name);
            order[n] = paths[n];
            n++;
        }
    }
    closedir(folder);
    qsort(order, n, sizeof order[0], by_name);
    for (size_t i = 0; i < n; i++) {
        load_file(order[i]);
    }
}

static size_t mutate(uint8_t *data)
{
    size_t from = next((uint32_t)n_files), n = files[from].n;
    memcpy(data, files[from].data, n);
    for (uint32_t i = 1 + next(5); i > 0 && n > 3; i--) {
        size_t at = next((uint32_t)n), other = next((uint32_t)n_files), m = 1 + next(12);
        switch (next(5)) {
        case 0: data[at] = (uint8_t)next(256); break;
        case 1: data[at] = (uint8_t)(data[at] ^ 1u << next(8)); break;
        case 2: /* without some */
            m = m < n - at ? m : n - at;
            memmove(data + at, data + at + m, n - at - m);
            n -= m;
            break;
        case 3: /* some twice */
            m = m < FUZZ_INPUT - n ? m : FUZZ_INPUT - n;
            m = m < n - at ? m : n - at;
            memmove(data + at + m, data + at, n - at);
            n += m;
            break;
        default: /* then as another goes on */
            n = files[other].n > at ? files[other].n : n;
            memcpy(data + at, files[other].data + (files[other].n > at ? at : 0),
                   files[other].n > at ? n - at : 0);
            break;
        }
    }
    return n;
}

static void run_mutation(const char *artifact)
{
    static uint8_t data[FUZZ_INPUT];
    size_t n = mutate(data);
    if (artifact) {
        FILE *file = fopen(artifact, "wb");
        if (!file || fwrite(data, 1, n, file) != n || fclose(file)) {
            fail(artifact);
        }
    }
    (void)LLVMFuzzerTestOneInput(data, n);
}

/* What follows NAME= in an argument, or NULL. */
static const char *value_of(const char *argument, const char *name)
{
    size_t n = strlen(name);
    return strncmp(argument, name, n) == 0 ? argument + n : NULL;
}

int main(int argc, char **argv)
{
    unsigned long mutations = 0, seconds = 0, done = 0;
    const char *artifact = NULL, *value;
    for (int i = 1; i < argc; i++) {
        if ((value = value_of(argv[i], "-mutations=")) != NULL) {
            mutations = strtoul(value, NULL, 10);
        } else if ((value = value_of(argv[i], "-max_total_time=")) != NULL) {
            seconds = strtoul(value, NULL, 10);
        } else if ((value = value_of(argv[i], "-artifact=")) != NULL) {
            artifact = value;
        } else {
            load(argv[i]);
        }
    }
    for (size_t i = 0; i < n_files; i++) {
        (void)LLVMFuzzerTestOneInput(files[i].data, files[i].n);
    }
    time_t end = time(NULL) + (time_t)seconds;
    while (n_files && (done < mutations || time(NULL) < end)) {
        run_mutation(artifact);
        done++;
    }
    printf("%lu inputs, %lu mutations\n", (unsigned long)n_files, done);
    return n_files == 0;
}
