/* SPDX-License-Identifier: Apache-2.0 */
#include "api/multipart.h"

#include <string.h>

static bool find(struct slice in, const char *what, size_t n, size_t *at)
{
    const char *found = in.n > 0 ? memmem(in.s, in.n, what, n) : NULL;

    if (found == NULL)
        return false;
    *at = (size_t)(found - in.s);
    return true;
}

static struct slice from(struct slice s, size_t at)
{
    return (struct slice){ s.s + at, s.n - at };
}

/* The parameter `name` of a header's value: form-data; name="file"; filename="a.osf". s == NULL when there is none. */
static struct slice parameter(struct slice value, const char *name)
{
    (void)slice_cut(&value, ';');
    while (value.n > 0) {
        struct slice one = slice_trim(slice_cut(&value, ';')), key = slice_trim(slice_cut(&one, '='));

        if (!slice_is_nocase(key, name))
            continue;
        one = slice_trim(one);
        if (one.n >= 2 && one.s[0] == '"' && one.s[one.n - 1] == '"')
            one = (struct slice){ one.s + 1, one.n - 2 };
        return one.s != NULL ? one : SLICE("");
    }
    return (struct slice){ NULL, 0 };
}

bool multipart_read_head(struct slice head, struct multipart_part *part)
{
    while (head.n > 0) {
        struct slice line = slice_trim(slice_cut(&head, '\n')), key = slice_trim(slice_cut(&line, ':'));

        if (!slice_is_nocase(key, "content-disposition"))
            continue;
        part->name = parameter(line, "name");
        part->filename = parameter(line, "filename");
        return part->name.s != NULL;
    }
    return false;
}

static bool read_part(struct slice text, struct multipart_part *part)
{
    size_t end;

    if (!find(text, "\r\n\r\n", 4, &end))
        return false;
    part->value = from(text, end + 4);
    return multipart_read_head((struct slice){ text.s, end }, part);
}

size_t multipart_line(struct slice content_type, char line[MULTIPART_LINE_SIZE])
{
    struct slice boundary = parameter(content_type, "boundary"), kind = content_type;

    if (!slice_is_nocase(slice_trim(slice_cut(&kind, ';')), "multipart/form-data") || boundary.n == 0 || boundary.n > MULTIPART_MAX_BOUNDARY)
        return 0;
    memcpy(line, "\r\n--", 4);
    memcpy(line + 4, boundary.s, boundary.n);
    return boundary.n + 4;
}

int multipart_read(struct slice content_type, struct slice body, struct multipart_part *parts, unsigned max)
{
    char line[MULTIPART_LINE_SIZE];
    size_t n_line = multipart_line(content_type, line), at;
    unsigned n = 0;

    if (n_line == 0 || body.n < n_line - 2 || memcmp(body.s, line + 2, n_line - 2) != 0)
        return -1;
    body = from(body, n_line - 2);
    while (body.n >= 2 && memcmp(body.s, "--", 2) != 0) {
        if (memcmp(body.s, "\r\n", 2) != 0 || n == max)
            return -1;
        body = from(body, 2);
        if (!find(body, line, n_line, &at) || !read_part((struct slice){ body.s, at }, &parts[n]))
            return -1;
        n++;
        body = from(body, at + n_line);
    }
    return body.n >= 2 ? (int)n : -1;
}

struct slice multipart_value(const struct multipart_part *parts, int n, const char *name)
{
    for (int i = 0; i < n; i++) {
        if (slice_is(parts[i].name, name))
            return parts[i].value;
    }
    return (struct slice){ NULL, 0 };
}
