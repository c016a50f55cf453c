/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds a settings file to the loader. What it accepts must mean the same when it is written out and loaded again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conf/keyvalue.h"
#include "conf/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_SETTINGS = 256 };

#define MUST(CONDITION) do { if (!(CONDITION)) abort(); } while (0)

/* Every line the reader gives lies in the text, after the one before. */
static void check_reader(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct keyvalue_line line = { 0 };
    unsigned last = 0;
    struct keyvalue r;

    MUST(text != NULL);
    memcpy(text, data, size);
    keyvalue_init(&r, text, size);
    while (keyvalue_next(&r, &line)) {
        MUST(line.line > last);
        last = line.line;
        MUST(line.key.n == 0 || (line.key.s >= text && line.key.s + line.key.n <= text + size));
        MUST(line.bad != NULL ? line.value.n == 0 : line.key.n > 0);
        MUST(line.value.n == 0 || (line.value.s >= text && line.value.s + line.value.n <= text + size));
    }
    free(text);
}

static void value_of(const struct setting *s, const struct settings *from, struct str *t)
{
    s->type->write(s, (const char *)from + s->offset, t);
}

static void check_again(const struct settings *first)
{
    struct settings_sources from = { .file = NULL };
    const char *arguments[MAX_SETTINGS];
    struct str texts[MAX_SETTINGS], value;
    struct settings_problems problems;
    struct settings *again;
    unsigned n = 0;
    struct err e;

    for (; settings_table[n].name != NULL; n++) {
        str_init(&texts[n], NULL);
        str_printf(&texts[n], "%s=", settings_table[n].name);
        value_of(&settings_table[n], first, &texts[n]);
        arguments[n] = str_c(&texts[n]);
    }
    from.arguments = arguments;
    from.n_arguments = n;
    settings_problems_init(&problems);
    MUST(settings_load(&from, &again, &problems, &e) == 0);
    str_init(&value, NULL);
    for (unsigned i = 0; i < n; i++) {
        str_clear(&value);
        value_of(&settings_table[i], again, &value);
        MUST(strcmp(str_c(&value), arguments[i] + strlen(settings_table[i].name) + 1) == 0);
        str_fini(&texts[i]);
    }
    str_fini(&value);
    settings_put(again);
    settings_problems_fini(&problems);
}

static void check_loader(const uint8_t *data, size_t size)
{
    struct settings_problems problems;
    struct settings_sources from;
    struct settings *s = NULL;
    struct str text;
    char path[64];
    struct err e;
    int fd = memfd_create("settings", MFD_CLOEXEC);

    MUST(fd >= 0 && write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    from = (struct settings_sources){ .file = path };
    settings_problems_init(&problems);
    if (settings_load(&from, &s, &problems, &e) == 0) {
        MUST(problems.n == problems.n_warnings);
        check_again(s);
        settings_put(s);
    } else {
        MUST(problems.n > problems.n_warnings);
    }
    str_init(&text, NULL);
    settings_problems_add_text(&problems, &text);
    str_fini(&text);
    settings_problems_fini(&problems);
    (void)close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_reader(data, size);
    check_loader(data, size);
    return 0;
}
