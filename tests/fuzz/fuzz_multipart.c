/* SPDX-License-Identifier: Apache-2.0 */
/* multipart/form-data: the first line is the content type, the rest the body. Whatever comes out lies in the body, and no value holds
 * the line that ends it. The body is a copy of exactly its size, so that reading beyond it is seen. Read in pieces it says the same as
 * read at once, if its heads are of a size that the window takes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/multipart_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
    if (!condition)
        abort();
}

static void check_inside(struct slice part, struct slice body)
{
    must(part.s == NULL || part.n == 0 || (part.s >= body.s && part.s + part.n <= body.s + body.n));
}

struct reading {
    struct multipart_stream m;
    struct slice rest;
    size_t step;
};

/* Gives it the next piece; false at the body's end. */
static int feed(struct reading *r)
{
    size_t room, n = r->rest.n < r->step ? r->rest.n : r->step;
    char *to = multipart_stream_room(&r->m, &room);

    must(room > 0);
    n = n < room ? n : room;
    if (n == 0)
        return 0;
    memcpy(to, r->rest.s, n);
    multipart_stream_fill(&r->m, n);
    r->rest = (struct slice){ r->rest.s + n, r->rest.n - n };
    r->step = r->step * 7 % 1021 + 1;
    return 1;
}

/* The next event that is not a wish for more; MULTIPART_MORE at the end of the body. */
static enum multipart_event next(struct reading *r, struct multipart_part *part, struct slice *some)
{
    enum multipart_event event;

    do
        event = multipart_stream_next(&r->m, part, some);
    while (event == MULTIPART_MORE && feed(r));
    return event;
}

static void check_pieces(struct slice content_type, struct slice form, const struct multipart_part *parts, int n)
{
    struct reading *r = malloc(sizeof *r);
    struct multipart_part part;
    struct slice some;

    must(r != NULL);
    *r = (struct reading){ .rest = form, .step = form.n % 13 + 1 };
    if (multipart_stream_init(&r->m, content_type)) {
        for (int i = 0; i < n; i++) {
            size_t read = 0;

            must(next(r, &part, &some) == MULTIPART_PART);
            must(part.name.n == parts[i].name.n && memcmp(part.name.s, parts[i].name.s, part.name.n) == 0);
            while (next(r, &part, &some) == MULTIPART_DATA) {
                must(read + some.n <= parts[i].value.n && memcmp(parts[i].value.s + read, some.s, some.n) == 0);
                read += some.n;
            }
            must(read == parts[i].value.n);
        }
        if (n >= 0)
            must(next(r, &part, &some) == MULTIPART_END);
        while (n < 0 && next(r, &part, &some) < MULTIPART_END && r->rest.n > 0)
            continue;
    } else {
        must(n < 0);
    }
    free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    struct multipart_part parts[MULTIPART_MAX_PARTS];
    struct slice type, body;
    char *copy;
    int n;

    if (end == NULL)
        return 0;
    type = (struct slice){ (const char *)data, (size_t)(end - data) };
    body.n = size - type.n - 1;
    copy = malloc(body.n > 0 ? body.n : 1);
    must(copy != NULL);
    memcpy(copy, end + 1, body.n);
    body.s = copy;
    n = multipart_read(type, body, parts, MULTIPART_MAX_PARTS);
    must(n >= -1 && n <= MULTIPART_MAX_PARTS);
    for (int i = 0; i < n; i++) {
        must(parts[i].name.s != NULL);
        check_inside(parts[i].name, body);
        check_inside(parts[i].filename, body);
        check_inside(parts[i].value, body);
    }
    (void)multipart_value(parts, n, "file");
    if (body.n < MULTIPART_MAX_HEAD && n < MULTIPART_MAX_PARTS)
        check_pieces(type, body, parts, n);
    free(copy);
    return 0;
}
