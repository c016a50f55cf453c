/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds a JSON body to the field tables. What is accepted is written back, and reading that gives the same text again. */
#include <stdlib.h>
#include <string.h>

#include "src/base/clock.h"
#include "src/base/field.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(CONDITION) do { if (!(CONDITION)) abort(); } while (0)

struct part {
    int64_t number;
    const char *label;
};

struct body {
    const char *name, *secret, *any;
    int64_t id, at_us;
    double ratio;
    int is_open, colour;
    struct field_strings tags;
    struct field_ints ids;
    struct part *main;
    struct field_list parts;
    struct field_map notes;
};

static const char *const colours[] = { "RED", "BLUE", NULL };
static const struct field part_fields[] = {
    F_INT(part, number, "number", .flags = FIELD_REQUIRED, .min = -5, .max = 1000000),
    F_STRING(part, label, "label", .flags = FIELD_SCALAR),
    FIELD_END,
};
static const struct field fields[] = {
    F_STRING(body, name, "name", .max = 100),
    F_STRING(body, secret, "secret", .flags = FIELD_SECRET),
    F_JSON(body, any, "any"),
    F_INT(body, id, "id"),
    F_TIME(body, at_us, "at"),
    F_DOUBLE(body, ratio, "ratio"),
    F_BOOL(body, is_open, "open"),
    F_ENUM(body, colour, "colour", colours),
    F_STRINGS(body, tags, "tags", .max = 50),
    F_INTS(body, ids, "ids"),
    F_OBJECT(body, main, "main", part, part_fields),
    F_LIST(body, parts, "parts", part, part_fields, .max = 50),
    F_MAP(body, notes, "notes"),
    FIELD_END,
};

static const struct field_style style = { ERR_EN, CLOCK_Z };

/* False when the text is refused. */
static bool round_trip(struct slice text, struct arena *a, struct str *out)
{
    json_t *json;
    struct body b;
    struct err e;
    int rv;

    if (json_parse(text, &json, &e) != 0)
        return false;
    rv = fields_read(fields, json, &b, a, &e);
    json_decref(json);
    if (rv != 0)
        return false;
    str_init(out, a);
    fields_write(out, fields, &b, &style);
    MUST(!str_failed(out));
    return true;
}

static void check_masking(struct slice text, struct arena *a)
{
    struct str t;
    json_t *json;

    if (json_parse(text, &json, NULL) != 0)
        return;
    str_init(&t, a);
    fields_write_masked(&t, fields, json);
    json_decref(json);
    MUST(json_parse((struct slice){ t.s, t.n }, &json, NULL) == 0);
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = { (const char *)data, size };
    struct str once, twice;
    struct arena a;

    arena_init(&a);
    check_masking(text, &a);
    if (round_trip(text, &a, &once)) {
        MUST(round_trip((struct slice){ once.s, once.n }, &a, &twice));
        MUST(once.n == twice.n && memcmp(once.s, twice.s, once.n) == 0);
    }
    arena_fini(&a);
    return 0;
}
