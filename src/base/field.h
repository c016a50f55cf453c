/* SPDX-License-Identifier: Apache-2.0 */
/* field.h - one table per struct says which members it has on the wire. The same table reads request bodies and queries,
 * writes replies, prints the OpenAPI schema and fills the docs. A table ends with FIELD_END.
 *
 * How a member without a value looks in the struct (it is left out when writing):
 *   FIELD_STRING const char * NULL; FIELD_INT, FIELD_TIME int64_t FIELD_NONE; FIELD_DOUBLE double NAN; FIELD_BOOL, FIELD_ENUM int -1;
 *   FIELD_OBJECT a pointer NULL; FIELD_STRINGS, FIELD_INTS, FIELD_LIST, FIELD_MAP: never absent, an empty one is written as [] or {}
 *   unless FIELD_OMIT_EMPTY; FIELD_TEXT2 const char *[2] (English, Chinese) both NULL; FIELD_JSON const char * of ready JSON text, NULL. */
#ifndef BASE_FIELD_H
#define BASE_FIELD_H

#include <stddef.h>
#include <stdint.h>

#include "src/base/json.h"

enum field_type {
    FIELD_STRING,
    FIELD_INT,
    FIELD_DOUBLE,
    FIELD_BOOL,
    FIELD_TIME,    /* microseconds since 1970 UTC in C; ISO-8601 with milliseconds and offset on the wire */
    FIELD_ENUM,    /* index into `names` */
    FIELD_STRINGS, /* struct field_strings */
    FIELD_INTS,    /* struct field_ints */
    FIELD_OBJECT,  /* pointer to a struct described by `fields` */
    FIELD_LIST,    /* struct field_list of structs described by `fields` */
    FIELD_MAP,     /* struct field_map: free keys, string values */
    FIELD_TEXT2,   /* sentence in two languages; only for writing */
    FIELD_JSON,    /* ready JSON text; reading keeps the member's value as compact text */
};

#define FIELD_NONE INT64_MIN

struct field_strings {
    const char **items;
    size_t n;
};
struct field_ints {
    int64_t *items;
    size_t n;
};
struct field_list {
    void *items; /* n structs of `size` bytes */
    size_t n;
};
struct field_map {
    const char **keys, **values;
    size_t n;
};

enum field_flags {
    FIELD_REQUIRED = 1 << 0,   /* reading: must be there and not null or "" */
    FIELD_SECRET = 1 << 1,     /* never written by fields_write; masked in the audit */
    FIELD_OMIT_EMPTY = 1 << 2, /* writing: an empty list is left out */
    FIELD_ANY_CASE = 1 << 3,   /* reading: enum names in any letter case */
    FIELD_SCALAR = 1 << 4,     /* reading: a string may also come as number or boolean (kept as text) */
    FIELD_EMPTY_OK = 1 << 5,   /* reading: FIELD_REQUIRED is met by "", by [] of strings or objects as well */
};

struct field {
    const char *name;
    enum field_type type;
    unsigned flags;
    size_t offset;
    int64_t min, max;            /* INT: value; STRING: bytes; lists: elements; both 0: no limit (strings: 64 KiB) */
    const char *const *names;    /* ENUM: NULL-terminated */
    const struct field *fields;  /* OBJECT, LIST: of the elements */
    size_t size;                 /* OBJECT, LIST: bytes of one element */
    const char *def;             /* reading: value when absent, as text; NULL: none */
    const char *alias;           /* reading: another spelling that is accepted */
    /* reading a string: NULL when the value is fine, else what is wrong with it */
    const char *(*check)(const char *value);
    const char *example;         /* a string that `check` accepts, for the description of the API; NULL: none is needed */
    const char *doc;
};

#define FIELD_END { .name = NULL }
/* Offset of a member, and a compile-time check that it has the C type that its field type needs. */
#define FIELD_AT(STRUCT, MEMBER, TYPE) (offsetof(struct STRUCT, MEMBER) + 0 * sizeof((TYPE *)0 == &((struct STRUCT *)0)->MEMBER))

#define F_STRING(S, M, NAME, ...) { .name = NAME, .type = FIELD_STRING, .offset = FIELD_AT(S, M, const char *), ##__VA_ARGS__ }
#define F_INT(S, M, NAME, ...) { .name = NAME, .type = FIELD_INT, .offset = FIELD_AT(S, M, int64_t), ##__VA_ARGS__ }
#define F_DOUBLE(S, M, NAME, ...) { .name = NAME, .type = FIELD_DOUBLE, .offset = FIELD_AT(S, M, double), ##__VA_ARGS__ }
#define F_BOOL(S, M, NAME, ...) { .name = NAME, .type = FIELD_BOOL, .offset = FIELD_AT(S, M, int), ##__VA_ARGS__ }
#define F_TIME(S, M, NAME, ...) { .name = NAME, .type = FIELD_TIME, .offset = FIELD_AT(S, M, int64_t), ##__VA_ARGS__ }
#define F_ENUM(S, M, NAME, NAMES, ...) \
    { .name = NAME, .type = FIELD_ENUM, .offset = FIELD_AT(S, M, int), .names = NAMES, ##__VA_ARGS__ }
#define F_STRINGS(S, M, NAME, ...) { .name = NAME, .type = FIELD_STRINGS, .offset = FIELD_AT(S, M, struct field_strings), ##__VA_ARGS__ }
#define F_INTS(S, M, NAME, ...) { .name = NAME, .type = FIELD_INTS, .offset = FIELD_AT(S, M, struct field_ints), ##__VA_ARGS__ }
#define F_OBJECT(S, M, NAME, ELEMENT, FIELDS, ...)                                                                               \
    { .name = NAME, .type = FIELD_OBJECT, .offset = FIELD_AT(S, M, struct ELEMENT *), .fields = FIELDS, .size = sizeof(struct ELEMENT), \
      ##__VA_ARGS__ }
#define F_LIST(S, M, NAME, ELEMENT, FIELDS, ...)                                                                                 \
    { .name = NAME, .type = FIELD_LIST, .offset = FIELD_AT(S, M, struct field_list), .fields = FIELDS, .size = sizeof(struct ELEMENT), \
      ##__VA_ARGS__ }
#define F_MAP(S, M, NAME, ...) { .name = NAME, .type = FIELD_MAP, .offset = FIELD_AT(S, M, struct field_map), ##__VA_ARGS__ }
#define F_TEXT2(S, M, NAME, ...) { .name = NAME, .type = FIELD_TEXT2, .offset = offsetof(struct S, M), ##__VA_ARGS__ }
#define F_JSON(S, M, NAME, ...) { .name = NAME, .type = FIELD_JSON, .offset = FIELD_AT(S, M, const char *), ##__VA_ARGS__ }
#define DOC(TEXT) .doc = (TEXT)

/* Gives every member the value that means "absent", or its default. Errors: none that a correct table can cause; NOMEM. */
MUST_CHECK int fields_init(const struct field *fields, void *obj, struct arena *arena, struct err *e);

/* Reads a JSON object into `obj` (initialised first). Members that the table does not name are ignored; null is "absent". What it
 * keeps is copied into `arena`. Errors: INVALID naming the member, what is wrong and what is allowed; NOMEM. */
MUST_CHECK int fields_read(const struct field *fields, const json_t *object, void *obj, struct arena *arena, struct err *e);

/* Reads one member from text, as it comes in a query: lists are comma separated, or repeated (then they grow).
 * "" is "absent". Errors as fields_read. */
MUST_CHECK int field_read_text(const struct field *f, struct slice text, void *obj, struct arena *arena, struct err *e);
/* The row with this name or alias; NULL if there is none. */
const struct field *field_find(const struct field *fields, struct slice name);
/* After the last field_read_text: are all required members there? Errors: INVALID. */
MUST_CHECK int fields_check_required(const struct field *fields, const void *obj, struct err *e);

/* How things look to the reader of a reply. */
struct field_style {
    enum err_lang lang;
    int offset_min;      /* of times; CLOCK_Z for "Z" */
};
/* Appends obj as a compact JSON object. */
void fields_write(struct str *t, const struct field *fields, const void *obj, const struct field_style *style);
/* Appends only its members, for objects put together from several tables. */
void fields_write_members(struct str *t, const struct field *fields, const void *obj, const struct field_style *style);

/* Appends a copy of `value` as JSON with every member that `fields` marks secret replaced by "******"; for the audit. */
void fields_write_masked(struct str *t, const struct field *fields, const json_t *value);

#endif
