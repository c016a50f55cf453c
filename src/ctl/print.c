/* SPDX-License-Identifier: Apache-2.0 */
#include "src/ctl/print.h"

#include <string.h>

enum { GAP = 2 };

/* Appends the text with every control character as a blank. */
static void add_clean(struct str *t, const char *s)
{
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;

        if (c == 0xc2 && ((unsigned char)s[1] & 0xe0) == 0x80) { /* U+0080 to U+009F */
            str_add_c(t, ' ');
            s++;
        } else {
            str_add_c(t, c < ' ' || c == 0x7f ? ' ' : *s);
        }
    }
}

static void add_scalar(struct str *t, const json_t *v)
{
    char *text;

    switch (json_typeof(v)) {
    case JSON_STRING:
        add_clean(t, json_string_value(v));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        str_add(t, json_is_true(v) ? "yes" : "no");
        break;
    case JSON_INTEGER:
        str_add_i64(t, json_integer_value(v));
        break;
    default:
        text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
        add_clean(t, text != NULL ? text : "?");
        mem_free(text);
    }
}

static void add_found(struct str *t, const json_t *at, struct slice path, size_t begin)
{
    struct slice rest = path;
    struct slice name;

    if (json_is_array(at)) {
        for (size_t i = 0; i < json_array_size(at); i++)
            add_found(t, json_array_get(at, i), path, begin);
        return;
    }
    if (at == NULL || json_is_null(at))
        return;
    if (path.n > 0) {
        name = slice_cut(&rest, '.');
        add_found(t, json_object_getn(at, name.s, name.n), rest, begin);
        return;
    }
    if (t->n > begin)
        str_add_c(t, ',');
    add_scalar(t, at);
}

void print_value(struct str *t, const json_t *object, const char *path)
{
    size_t begin = t->n;

    add_found(t, object, (struct slice){ path, strlen(path) }, begin);
    if (t->n == begin)
        str_add_c(t, '-');
}

/* Wide are the East Asian blocks that our texts can hold; each takes two places. */
static bool is_wide(unsigned code)
{
    return (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0xa4cf) || (code >= 0xac00 && code <= 0xd7a3) ||
           (code >= 0xf900 && code <= 0xfaff) || (code >= 0xfe30 && code <= 0xfe6f) || (code >= 0xff00 && code <= 0xff60) ||
           (code >= 0xffe0 && code <= 0xffe6) || (code >= 0x20000 && code <= 0x3fffd);
}

static unsigned places(const char *s, size_t n)
{
    unsigned width = 0;

    for (size_t i = 0; i < n;) {
        unsigned char c = (unsigned char)s[i];
        unsigned length = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        unsigned code = length == 1 ? c : c & (0xffu >> (length + 1));

        for (unsigned k = 1; k < length && i + k < n; k++)
            code = code << 6 | ((unsigned char)s[i + k] & 0x3f);
        width += is_wide(code) ? 2 : 1;
        i += length;
    }
    return width;
}

static void pad(struct str *t, unsigned from, unsigned to)
{
    for (; from < to; from++)
        str_add_c(t, ' ');
}

static void add_cell(struct str *t, const struct str *cell, unsigned width, bool last)
{
    str_add(t, str_c(cell));
    if (!last)
        pad(t, places(str_c(cell), cell->n), width + GAP);
}

/* One pass over the list: row NULL is the heading. */
static void cell(struct str *out, const json_t *row, const struct column *column)
{
    str_clear(out);
    if (row == NULL)
        str_add(out, column->title);
    else
        print_value(out, row, column->path);
}

static unsigned width_of(const json_t *list, const struct column *column, struct str *work)
{
    unsigned widest;

    cell(work, NULL, column);
    widest = places(str_c(work), work->n);
    for (size_t i = 0; i < json_array_size(list); i++) {
        unsigned width;

        cell(work, json_array_get(list, i), column);
        width = places(str_c(work), work->n);
        widest = width > widest ? width : widest;
    }
    return widest;
}

void print_table(struct str *t, const json_t *list, const struct column *columns)
{
    enum { MAX_COLUMNS = 16 };
    unsigned widths[MAX_COLUMNS];
    struct str work;

    str_init(&work, NULL);
    for (unsigned k = 0; k < MAX_COLUMNS && columns[k].title != NULL; k++)
        widths[k] = width_of(list, &columns[k], &work);
    for (size_t i = 0; i <= json_array_size(list); i++) {
        for (unsigned k = 0; k < MAX_COLUMNS && columns[k].title != NULL; k++) {
            cell(&work, i == 0 ? NULL : json_array_get(list, i - 1), &columns[k]);
            add_cell(t, &work, widths[k], columns[k + 1].title == NULL);
        }
        str_add_c(t, '\n');
    }
    t->failed = t->failed || str_failed(&work);
    str_fini(&work);
}

void print_object(struct str *t, const json_t *object, const struct column *columns)
{
    unsigned widest = 0;

    for (const struct column *c = columns; c->title != NULL; c++)
        widest = places(c->title, strlen(c->title)) > widest ? places(c->title, strlen(c->title)) : widest;
    for (const struct column *c = columns; c->title != NULL; c++) {
        str_add(t, c->title);
        pad(t, places(c->title, strlen(c->title)), widest + GAP);
        print_value(t, object, c->path);
        str_add_c(t, '\n');
    }
}

void print_json(struct str *t, const json_t *value)
{
    char *text = json_dumps(value, JSON_INDENT(2) | JSON_ENCODE_ANY);

    if (text == NULL)
        t->failed = true;
    else
        str_printf(t, "%s\n", text);
    mem_free(text);
}
