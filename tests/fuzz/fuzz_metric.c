/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of another exporter: every part of a sample lies in the text, has the characters that it may have, and what is made of a host's text can be
 * read again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/fetch.h"
#include "agent/metric_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
    if (!condition)
        abort();
}

static void check_inside(struct slice part, struct slice text)
{
    must(part.n == 0 || (part.s >= text.s && part.s + part.n <= text.s + text.n));
}

/* How many samples there are. */
static size_t check_samples(struct slice text)
{
    struct slice rest = text;
    struct metric_sample s;
    size_t n = 0;

    while (metric_next(&rest, &s)) {
        check_inside(s.name, text);
        check_inside(s.labels, text);
        check_inside(s.value, text);
        must(s.name.n > 0 && s.value.n > 0 && memchr(s.labels.s, '\n', s.labels.n) == NULL);
        check_inside(metric_label(s.labels, "device"), text);
        n++;
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size > 0 ? size : 1);
    struct slice text = { copy, size }, body;
    struct err e;
    struct str t;
    size_t n;

    must(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    if (fetch_read(text, &body, &e) == 0)
        check_inside(body, text);
    n = check_samples(text);
    str_init(&t, NULL);
    metric_add_host(&t, text);
    must(check_samples((struct slice){ t.s, t.n }) <= 2 * n + 17);
    str_fini(&t);
    free(copy);
    return 0;
}
