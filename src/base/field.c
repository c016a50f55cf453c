/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/field.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "src/base/clock.h"

enum { MAX_STRING = 64 * 1024, MAX_ELEMENTS = 10000 };

static void *at(const struct field *f, void *obj)
{
    return (char *)obj + f->offset;
}

static const void *at_const(const struct field *f, const void *obj)
{
    return (const char *)obj + f->offset;
}

static int wrong(struct err *e, const struct field *f, const char *reason)
{
    return err_set(e, &ERR_INVALID, "%s: %s", f->name, reason);
}

static int nomem(struct err *e)
{
    return err_set(e, &ERR_NOMEM, "");
}

static void set_absent(const struct field *f, void *obj)
{
    void *p = at(f, obj);

    switch (f->type) {
    case FIELD_STRING:
    case FIELD_JSON:
        *(const char **)p = NULL;
        break;
    case FIELD_INT:
    case FIELD_TIME:
        *(int64_t *)p = FIELD_NONE;
        break;
    case FIELD_DOUBLE:
        *(double *)p = (double)NAN;
        break;
    case FIELD_BOOL:
    case FIELD_ENUM:
        *(int *)p = -1;
        break;
    case FIELD_OBJECT:
        *(void **)p = NULL;
        break;
    case FIELD_STRINGS:
        *(struct field_strings *)p = (struct field_strings){ 0 };
        break;
    case FIELD_INTS:
        *(struct field_ints *)p = (struct field_ints){ 0 };
        break;
    case FIELD_LIST:
        *(struct field_list *)p = (struct field_list){ 0 };
        break;
    case FIELD_MAP:
        *(struct field_map *)p = (struct field_map){ 0 };
        break;
    case FIELD_TEXT2:
        ((const char **)p)[ERR_EN] = ((const char **)p)[ERR_ZH] = NULL;
        break;
    }
}

/* True when the member has no value and is to be left out. */
static bool is_absent(const struct field *f, const void *obj)
{
    const void *p = at_const(f, obj);

    switch (f->type) {
    case FIELD_STRING:
    case FIELD_JSON:
        return *(const char *const *)p == NULL;
    case FIELD_INT:
    case FIELD_TIME:
        return *(const int64_t *)p == FIELD_NONE;
    case FIELD_DOUBLE:
        return isnan(*(const double *)p) != 0;
    case FIELD_BOOL:
    case FIELD_ENUM:
        return *(const int *)p < 0;
    case FIELD_OBJECT:
        return *(void *const *)p == NULL;
    case FIELD_STRINGS:
        return ((const struct field_strings *)p)->n == 0;
    case FIELD_INTS:
        return ((const struct field_ints *)p)->n == 0;
    case FIELD_LIST:
        return ((const struct field_list *)p)->n == 0;
    case FIELD_MAP:
        return ((const struct field_map *)p)->n == 0;
    case FIELD_TEXT2:
        return ((const char *const *)p)[ERR_EN] == NULL;
    }
    return true;
}

int fields_init(const struct field *fields, void *obj, struct arena *arena, struct err *e)
{
    int rv;

    for (const struct field *f = fields; f->name != NULL; f++) {
        set_absent(f, obj);
        if (f->def == NULL)
            continue;
        rv = field_read_text(f, (struct slice){ f->def, strlen(f->def) }, obj, arena, e);
        if (rv != 0)
            return rv;
    }
    return 0;
}

static int set_string(const struct field *f, struct slice text, void *obj, struct arena *arena, struct err *e)
{
    int64_t max = f->max > 0 ? f->max : MAX_STRING;
    const char *reason;
    char *copy;

    if (memchr(text.s, '\0', text.n) != NULL)
        return wrong(e, f, "must not contain the character NUL");
    if ((int64_t)text.n < f->min || (int64_t)text.n > max)
        return err_set(e, &ERR_INVALID, "%s: must have %lld to %lld characters, has %zu", f->name, (long long)f->min, (long long)max,
                       text.n);
    copy = arena_strndup(arena, text.s, text.n);
    if (copy == NULL)
        return nomem(e);
    reason = f->check != NULL ? f->check(copy) : NULL;
    if (reason != NULL)
        return wrong(e, f, reason);
    *(const char **)at(f, obj) = copy;
    return 0;
}

static int set_int(const struct field *f, int64_t v, void *obj, struct err *e)
{
    if ((f->min != 0 || f->max != 0) && (v < f->min || v > f->max))
        return err_set(e, &ERR_INVALID, "%s: must be between %lld and %lld, is %lld", f->name, (long long)f->min, (long long)f->max,
                       (long long)v);
    *(int64_t *)at(f, obj) = v;
    return 0;
}

static bool parse_int(struct slice text, int64_t *v)
{
    char buf[24];
    char *end;

    if (text.n == 0 || text.n >= sizeof buf || (text.s[0] != '-' && (text.s[0] < '0' || text.s[0] > '9')))
        return false;
    memcpy(buf, text.s, text.n);
    buf[text.n] = '\0';
    errno = 0;
    *v = strtoll(buf, &end, 10);
    return *end == '\0' && errno == 0 && end != buf + (buf[0] == '-');
}

static int set_int_text(const struct field *f, struct slice text, void *obj, struct err *e)
{
    int64_t v;

    return parse_int(text, &v) ? set_int(f, v, obj, e) : wrong(e, f, "must be an integer");
}

static int set_double_text(const struct field *f, struct slice text, void *obj, struct err *e)
{
    char buf[48];
    char *end;
    double v;

    if (text.n == 0 || text.n >= sizeof buf)
        return wrong(e, f, "must be a number");
    memcpy(buf, text.s, text.n);
    buf[text.n] = '\0';
    v = strtod(buf, &end);
    if (*end != '\0' || !isfinite(v))
        return wrong(e, f, "must be a number");
    *(double *)at(f, obj) = v;
    return 0;
}

static int set_bool_text(const struct field *f, struct slice text, void *obj, struct err *e)
{
    bool yes = slice_is_nocase(text, "true");

    if (!yes && !slice_is_nocase(text, "false"))
        return wrong(e, f, "must be true or false");
    *(int *)at(f, obj) = yes;
    return 0;
}

static int set_time_text(const struct field *f, struct slice text, void *obj, struct err *e)
{
    int64_t us;

    if (!clock_parse_iso(text, &us))
        return wrong(e, f, "must be a time like 2026-11-20T08:00:00+08:00");
    *(int64_t *)at(f, obj) = us;
    return 0;
}

static int set_enum(const struct field *f, struct slice text, void *obj, struct err *e)
{
    struct str allowed;
    struct arena a;
    int rv;

    for (int i = 0; f->names[i] != NULL; i++) {
        if (slice_is(text, f->names[i]) || ((f->flags & FIELD_ANY_CASE) != 0 && slice_is_nocase(text, f->names[i]))) {
            *(int *)at(f, obj) = i;
            return 0;
        }
    }
    arena_init(&a);
    str_init(&allowed, &a);
    for (int i = 0; f->names[i] != NULL; i++)
        str_printf(&allowed, "%s%s", i > 0 ? ", " : "", f->names[i]);
    rv = err_set(e, &ERR_INVALID, "%s: must be one of %s", f->name, str_c(&allowed));
    arena_fini(&a);
    return rv;
}

static int check_count(const struct field *f, size_t n, struct err *e)
{
    int64_t max = f->max > 0 ? f->max : MAX_ELEMENTS;

    if ((int64_t)n < f->min || (int64_t)n > max)
        return err_set(e, &ERR_INVALID, "%s: must have %lld to %lld elements, has %zu", f->name, (long long)f->min, (long long)max, n);
    return 0;
}

/* Makes room for `more` elements behind the n that are there; lists in queries may be repeated. */
static void *extend(struct arena *arena, const void *items, size_t n, size_t more, size_t size)
{
    char *p = arena_array(arena, n + more + 1, size);

    if (p != NULL && n > 0)
        memcpy(p, items, n * size);
    return p;
}

static int add_list_text(const struct field *f, struct slice text, void *obj, struct arena *arena, struct err *e)
{
    struct field one = { .name = f->name, .type = f->type == FIELD_INTS ? FIELD_INT : FIELD_STRING, .check = f->check };
    struct field_strings *list = at(f, obj); /* struct field_ints has the same shape */
    size_t more = 1;
    char *items;
    int rv;

    for (size_t i = 0; i < text.n; i++)
        more += text.s[i] == ',';
    rv = check_count(f, list->n + more, e);
    if (rv != 0)
        return rv;
    items = extend(arena, list->items, list->n, more, 8);
    if (items == NULL)
        return nomem(e);
    list->items = (const char **)(void *)items;
    for (size_t i = 0; i < more; i++) {
        struct slice part = slice_trim(slice_cut(&text, ','));

        if (part.n == 0)
            continue;
        one.offset = 0;
        rv = field_read_text(&one, part, items + list->n * 8, arena, e);
        if (rv != 0)
            return rv;
        list->n++;
    }
    return 0;
}

_Static_assert(sizeof(const char *) == 8 && sizeof(int64_t) == 8, "lists of both kinds share their code");
_Static_assert(sizeof(struct field_strings) == sizeof(struct field_ints), "lists of both kinds share their code");

int field_read_text(const struct field *f, struct slice text, void *obj, struct arena *arena, struct err *e)
{
    if (text.n == 0 && f->type != FIELD_STRING)
        return 0;
    switch (f->type) {
    case FIELD_STRING:
        return text.n == 0 && (f->flags & FIELD_EMPTY_OK) == 0 ? 0 : set_string(f, text, obj, arena, e);
    case FIELD_INT:
        return set_int_text(f, text, obj, e);
    case FIELD_DOUBLE:
        return set_double_text(f, text, obj, e);
    case FIELD_BOOL:
        return set_bool_text(f, text, obj, e);
    case FIELD_TIME:
        return set_time_text(f, text, obj, e);
    case FIELD_ENUM:
        return set_enum(f, text, obj, e);
    case FIELD_STRINGS:
    case FIELD_INTS:
        return add_list_text(f, text, obj, arena, e);
    case FIELD_OBJECT:
    case FIELD_LIST:
    case FIELD_MAP:
    case FIELD_TEXT2:
    case FIELD_JSON:
        break;
    }
    return wrong(e, f, "cannot be given as text");
}

const struct field *field_find(const struct field *fields, struct slice name)
{
    for (const struct field *f = fields; f->name != NULL; f++)
        if (slice_is(name, f->name) || (f->alias != NULL && slice_is(name, f->alias)))
            return f;
    return NULL;
}

/* An empty list that was given is enough where the table says so. */
static bool is_missing(const struct field *f, const void *obj)
{
    const void *p = at_const(f, obj);

    if ((f->flags & FIELD_EMPTY_OK) != 0 && f->type == FIELD_STRINGS)
        return ((const struct field_strings *)p)->items == NULL;
    if ((f->flags & FIELD_EMPTY_OK) != 0 && f->type == FIELD_LIST)
        return ((const struct field_list *)p)->items == NULL;
    return is_absent(f, obj);
}

int fields_check_required(const struct field *fields, const void *obj, struct err *e)
{
    for (const struct field *f = fields; f->name != NULL; f++)
        if ((f->flags & FIELD_REQUIRED) != 0 && is_missing(f, obj))
            return wrong(e, f, "is required");
    return 0;
}

static struct slice json_text(const json_t *v)
{
    return (struct slice){ json_string_value(v), json_string_length(v) };
}

static const char *type_name(const struct field *f)
{
    static const char *const names[] = {
        [FIELD_STRING] = "must be a string",       [FIELD_INT] = "must be an integer",
        [FIELD_DOUBLE] = "must be a number",       [FIELD_BOOL] = "must be true or false",
        [FIELD_TIME] = "must be a time as string", [FIELD_ENUM] = "must be a string",
        [FIELD_STRINGS] = "must be an array of strings", [FIELD_INTS] = "must be an array of integers",
        [FIELD_OBJECT] = "must be an object",      [FIELD_LIST] = "must be an array of objects",
        [FIELD_MAP] = "must be an object with string values", [FIELD_TEXT2] = "cannot be given", [FIELD_JSON] = "must be JSON",
    };

    return names[f->type];
}

/* A number or boolean where the table has a string that allows it. */
static int read_scalar(const struct field *f, const json_t *v, void *obj, struct arena *arena, struct err *e)
{
    struct str t;

    str_init(&t, arena);
    if (json_is_integer(v))
        str_add_i64(&t, json_integer_value(v));
    else if (json_is_real(v))
        json_add_double(&t, json_real_value(v));
    else
        str_add(&t, json_is_true(v) ? "true" : "false");
    if (str_failed(&t))
        return nomem(e);
    return set_string(f, (struct slice){ t.s, t.n }, obj, arena, e);
}

static int read_json_text(const struct field *f, const json_t *v, void *obj, struct arena *arena, struct err *e)
{
    char *text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
    char *copy = text != NULL ? arena_strdup(arena, text) : NULL;

    mem_free(text);
    if (copy == NULL)
        return nomem(e);
    *(const char **)at(f, obj) = copy;
    return 0;
}

static int read_array_text(const struct field *f, const json_t *v, void *obj, struct arena *arena, struct err *e)
{
    struct field one = { .name = f->name, .type = f->type == FIELD_INTS ? FIELD_INT : FIELD_STRING, .flags = FIELD_EMPTY_OK };
    struct field_strings *list = at(f, obj); /* struct field_ints has the same shape */
    size_t n = json_array_size(v);
    char *items;
    int rv = check_count(f, n, e);

    if (rv != 0)
        return rv;
    items = extend(arena, NULL, 0, n, 8);
    if (items == NULL)
        return nomem(e);
    for (size_t i = 0; i < n; i++) {
        const json_t *element = json_array_get(v, i);

        if (json_is_integer(element) && f->type == FIELD_INTS)
            *(int64_t *)(void *)(items + i * 8) = json_integer_value(element);
        else if (!json_is_string(element))
            return wrong(e, f, type_name(f));
        else if ((rv = field_read_text(&one, json_text(element), items + i * 8, arena, e)) != 0)
            return rv;
    }
    list->items = (const char **)(void *)items;
    list->n = n;
    return 0;
}

static int read_list(const struct field *f, const json_t *v, void *obj, struct arena *arena, struct err *e)
{
    struct field_list *list = at(f, obj);
    size_t n = json_array_size(v);
    char *items;
    int rv = check_count(f, n, e);

    if (rv != 0)
        return rv;
    items = arena_array(arena, n + 1, f->size);
    if (items == NULL)
        return nomem(e);
    for (size_t i = 0; i < n; i++) {
        rv = fields_read(f->fields, json_array_get(v, i), items + i * f->size, arena, e);
        if (rv != 0)
            return rv;
    }
    *list = (struct field_list){ items, n };
    return 0;
}

static int read_object(const struct field *f, const json_t *v, void *obj, struct arena *arena, struct err *e)
{
    void *inner = arena_zalloc(arena, f->size);
    int rv;

    if (inner == NULL)
        return nomem(e);
    rv = fields_read(f->fields, v, inner, arena, e);
    if (rv == 0)
        *(void **)at(f, obj) = inner;
    return rv;
}

static int read_map(const struct field *f, json_t *v, void *obj, struct arena *arena, struct err *e)
{
    struct field_map *map = at(f, obj);
    const char *key;
    json_t *value;
    size_t n = 0;

    map->keys = arena_array(arena, json_object_size(v) + 1, sizeof *map->keys);
    map->values = arena_array(arena, json_object_size(v) + 1, sizeof *map->values);
    if (map->keys == NULL || map->values == NULL)
        return nomem(e);
    json_object_foreach(v, key, value) {
        if (!json_is_string(value))
            return wrong(e, f, type_name(f));
        map->keys[n] = arena_strdup(arena, key);
        map->values[n] = arena_strdup(arena, json_string_value(value));
        if (map->keys[n] == NULL || map->values[n] == NULL)
            return nomem(e);
        n++;
    }
    map->n = n;
    return 0;
}


static int read_value(const struct field *f, json_t *v, void *obj, struct arena *arena, struct err *e)
{
    if (f->type == FIELD_JSON)
        return read_json_text(f, v, obj, arena, e);
    if (json_is_string(v) && f->type <= FIELD_INTS)
        return field_read_text(f, json_text(v), obj, arena, e);
    if (json_is_integer(v) && f->type == FIELD_INT)
        return set_int(f, json_integer_value(v), obj, e);
    if (json_is_number(v) && f->type == FIELD_DOUBLE) {
        *(double *)at(f, obj) = json_number_value(v);
        return 0;
    }
    if (json_is_boolean(v) && f->type == FIELD_BOOL) {
        *(int *)at(f, obj) = json_is_true(v);
        return 0;
    }
    if (f->type == FIELD_STRING && (f->flags & FIELD_SCALAR) != 0 && (json_is_number(v) || json_is_boolean(v)))
        return read_scalar(f, v, obj, arena, e);
    if (json_is_array(v) && (f->type == FIELD_STRINGS || f->type == FIELD_INTS))
        return read_array_text(f, v, obj, arena, e);
    if (json_is_integer(v) && f->type == FIELD_INTS) {
        char digits[24];

        return add_list_text(f, (struct slice){ digits, (size_t)snprintf(digits, sizeof digits, "%lld", (long long)json_integer_value(v)) },
                             obj, arena, e);
    }
    if (json_is_array(v) && f->type == FIELD_LIST)
        return read_list(f, v, obj, arena, e);
    if (json_is_object(v) && f->type == FIELD_OBJECT)
        return read_object(f, v, obj, arena, e);
    if (json_is_object(v) && f->type == FIELD_MAP)
        return read_map(f, v, obj, arena, e);
    return wrong(e, f, type_name(f));
}

int fields_read(const struct field *fields, const json_t *object, void *obj, struct arena *arena, struct err *e)
{
    int rv = fields_init(fields, obj, arena, e);

    if (rv != 0)
        return rv;
    if (!json_is_object(object))
        return err_set(e, &ERR_INVALID, "a JSON object is expected");
    for (const struct field *f = fields; f->name != NULL; f++) {
        json_t *v = json_object_get(object, f->name);

        if (v == NULL && f->alias != NULL)
            v = json_object_get(object, f->alias);
        if (v == NULL || json_is_null(v))
            continue;
        rv = read_value(f, v, obj, arena, e);
        if (rv != 0)
            return rv;
    }
    return fields_check_required(fields, obj, e);
}

static void write_strings(struct str *t, const struct field_strings *list)
{
    str_add_c(t, '[');
    for (size_t i = 0; i < list->n; i++) {
        json_add_comma(t);
        json_add_string(t, list->items[i]);
    }
    str_add_c(t, ']');
}

static void write_ints(struct str *t, const struct field_ints *list)
{
    str_add_c(t, '[');
    for (size_t i = 0; i < list->n; i++) {
        json_add_comma(t);
        str_add_i64(t, list->items[i]);
    }
    str_add_c(t, ']');
}

static void write_list(struct str *t, const struct field *f, const struct field_list *list, const struct field_style *style)
{
    str_add_c(t, '[');
    for (size_t i = 0; i < list->n; i++) {
        json_add_comma(t);
        fields_write(t, f->fields, (const char *)list->items + i * f->size, style);
    }
    str_add_c(t, ']');
}

static void write_map(struct str *t, const struct field_map *map)
{
    str_add_c(t, '{');
    for (size_t i = 0; i < map->n; i++) {
        json_add_comma(t);
        json_add_string(t, map->keys[i]);
        str_add_c(t, ':');
        json_add_string(t, map->values[i]);
    }
    str_add_c(t, '}');
}

static void write_text2(struct str *t, const char *const *text, enum err_lang lang)
{
    json_add_string(t, text[lang] != NULL ? text[lang] : text[ERR_EN]);
}

static void write_time(struct str *t, int64_t us, int offset_min)
{
    char buf[CLOCK_TEXT_SIZE];

    str_add_c(t, '"');
    str_add(t, clock_iso(us, offset_min, buf));
    str_add_c(t, '"');
}

static void write_value(struct str *t, const struct field *f, const void *obj, const struct field_style *style)
{
    const void *p = at_const(f, obj);

    switch (f->type) {
    case FIELD_STRING:
        json_add_string(t, *(const char *const *)p);
        break;
    case FIELD_INT:
        str_add_i64(t, *(const int64_t *)p);
        break;
    case FIELD_DOUBLE:
        json_add_double(t, *(const double *)p);
        break;
    case FIELD_BOOL:
        str_add(t, *(const int *)p != 0 ? "true" : "false");
        break;
    case FIELD_TIME:
        write_time(t, *(const int64_t *)p, style->offset_min);
        break;
    case FIELD_ENUM:
        json_add_string(t, f->names[*(const int *)p]);
        break;
    case FIELD_STRINGS:
        write_strings(t, p);
        break;
    case FIELD_INTS:
        write_ints(t, p);
        break;
    case FIELD_OBJECT:
        fields_write(t, f->fields, *(void *const *)p, style);
        break;
    case FIELD_LIST:
        write_list(t, f, p, style);
        break;
    case FIELD_MAP:
        write_map(t, p);
        break;
    case FIELD_TEXT2:
        write_text2(t, p, style->lang);
        break;
    case FIELD_JSON:
        str_add(t, *(const char *const *)p);
        break;
    }
}

static bool is_written(const struct field *f, const void *obj)
{
    if ((f->flags & FIELD_SECRET) != 0)
        return false;
    if (f->type == FIELD_STRINGS || f->type == FIELD_INTS || f->type == FIELD_LIST || f->type == FIELD_MAP)
        return (f->flags & FIELD_OMIT_EMPTY) == 0 || !is_absent(f, obj);
    return !is_absent(f, obj);
}

void fields_write_members(struct str *t, const struct field *fields, const void *obj, const struct field_style *style)
{
    for (const struct field *f = fields; f->name != NULL; f++) {
        if (!is_written(f, obj))
            continue;
        json_add_key(t, f->name);
        write_value(t, f, obj, style);
    }
}

void fields_write(struct str *t, const struct field *fields, const void *obj, const struct field_style *style)
{
    str_add_c(t, '{');
    fields_write_members(t, fields, obj, style);
    str_add_c(t, '}');
}

static void write_masked_array(struct str *t, const struct field *fields, const json_t *array)
{
    str_add_c(t, '[');
    for (size_t i = 0; i < json_array_size(array); i++) {
        json_add_comma(t);
        fields_write_masked(t, fields, json_array_get(array, i));
    }
    str_add_c(t, ']');
}

static void write_masked_object(struct str *t, const struct field *fields, json_t *object)
{
    const char *key;
    json_t *value;

    str_add_c(t, '{');
    json_object_foreach(object, key, value) {
        const struct field *f = fields != NULL ? field_find(fields, (struct slice){ key, strlen(key) }) : NULL;

        if (f == NULL)
            continue; /* a member that no table knows may be anything, a password too */
        json_add_key(t, f->name);
        if ((f->flags & FIELD_SECRET) != 0)
            str_add(t, "\"******\"");
        else
            fields_write_masked(t, f->fields, value);
    }
    str_add_c(t, '}');
}

void fields_write_masked(struct str *t, const struct field *fields, const json_t *value)
{
    char *text;

    if (json_is_object(value)) {
        write_masked_object(t, fields, (json_t *)(uintptr_t)value); /* iterating does not change it, jansson's macro is not const */
        return;
    }
    if (json_is_array(value)) {
        write_masked_array(t, fields, value);
        return;
    }
    text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    if (text == NULL)
        t->failed = true;
    else
        str_add(t, text);
    mem_free(text);
}
