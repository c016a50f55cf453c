/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c - the main of a fuzz target without libFuzzer: runs it over the files named, or over its whole corpus: program
 * tests/fuzz/fuzz_NAME, directory $srcdir/tests/fuzz/corpus/NAME. An empty corpus is a failure. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data;
    long size;

    if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0 || fseek(f, 0, SEEK_SET) != 0) {
        perror(path);
        return 1;
    }
    data = malloc(size > 0 ? (size_t)size : 1); /* exactly as long as the file, so that overruns are seen */
    if (data == NULL || fread(data, 1, (size_t)size, f) != (size_t)size) {
        perror(path);
        return 1;
    }
    (void)fclose(f);
    printf("%s\n", path);
    (void)fflush(stdout); /* the last line names the input that broke it */
    (void)LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
    return 0;
}

static int run_corpus(const char *program)
{
    const char *slash = strrchr(program, '/');
    const char *name = (slash != NULL ? slash + 1 : program) + strlen("fuzz_");
    const char *srcdir = getenv("srcdir");
    char dir[1024], path[2048];
    struct dirent *entry;
    int n = 0, failed = 0;
    DIR *d;

    (void)snprintf(dir, sizeof dir, "%s/tests/fuzz/corpus/%s", srcdir != NULL ? srcdir : ".", name);
    d = opendir(dir);
    while (d != NULL && (entry = readdir(d)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        failed |= run_file(path);
        n++;
    }
    if (d != NULL)
        (void)closedir(d);
    if (n == 0)
        fprintf(stderr, "%s: no inputs\n", dir);
    return failed != 0 || n == 0;
}

int main(int argc, char **argv)
{
    int failed = 0;

    if (argc < 2)
        return run_corpus(argv[0]);
    for (int i = 1; i < argc; i++)
        failed |= run_file(argv[i]);
    return failed;
}
