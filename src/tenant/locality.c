/* SPDX-License-Identifier: Apache-2.0 */
/* locality := part { "," part }       part := kinds "@" zones
 * kinds    := kind { "," kind }       kind := word [ "{" anything "}" ]
 * zones    := name | "[" name { "," name } "]"                                                  blanks stand anywhere between */
#include "src/tenant/locality.h"

#include <string.h>

#include "src/base/str.h"

/* The more capable first. */
static const struct {
    const char *type, *letter;
} kinds[] = {
    { "FULL", "F" },
    { "LOGONLY", "L" },
    { "COLUMNSTORE", "C" },
    { "READONLY", "R" },
};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

struct reading {
    struct slice rest;
    struct arena *arena;
    struct locality_zone *zones;
    size_t n, space;
};

static void skip_blanks(struct reading *r)
{
    r->rest = slice_trim(r->rest);
}

static bool take(struct reading *r, char c)
{
    skip_blanks(r);
    if (r->rest.n == 0 || *r->rest.s != c)
        return false;
    r->rest = (struct slice){ r->rest.s + 1, r->rest.n - 1 };
    return true;
}

/* Up to one of the characters that end a word. */
static struct slice take_word(struct reading *r)
{
    struct slice word;

    skip_blanks(r);
    word = r->rest;
    word.n = 0;
    while (word.n < r->rest.n && memchr(",@{}[]", word.s[word.n], 6) == NULL)
        word.n++;
    r->rest = (struct slice){ r->rest.s + word.n, r->rest.n - word.n };
    return slice_trim(word);
}

static bool skip_braces(struct reading *r)
{
    const char *end;

    if (!take(r, '{'))
        return true;
    end = memchr(r->rest.s, '}', r->rest.n);
    if (end == NULL)
        return false;
    r->rest.n -= (size_t)(end + 1 - r->rest.s);
    r->rest.s = end + 1;
    return true;
}

static size_t rank(struct slice word)
{
    for (size_t i = 0; i < N_KINDS; i++)
        if (slice_is_nocase(word, kinds[i].type) || slice_is_nocase(word, kinds[i].letter))
            return i;
    return N_KINDS;
}

/* The kinds before "@": *best is the most capable, a word that is none where there is no other. False: it makes no sense. */
static bool take_kinds(struct reading *r, struct slice *best)
{
    *best = (struct slice){ NULL, 0 };
    do {
        struct slice word = take_word(r);

        if (word.n == 0 || !skip_braces(r))
            return false;
        if (best->s == NULL || rank(word) < rank(*best))
            *best = word;
    } while (take(r, ','));
    return take(r, '@');
}

static int add(struct reading *r, struct slice name, struct slice kind, struct err *e)
{
    struct locality_zone *z = &r->zones[r->n];

    for (size_t i = 0; i < r->n; i++)
        if (slice_is(name, r->zones[i].name))
            return 0;
    z->name = arena_strndup(r->arena, name.s, name.n);
    z->type = rank(kind) < N_KINDS ? kinds[rank(kind)].type : arena_strndup(r->arena, kind.s, kind.n);
    if (z->name == NULL || z->type == NULL)
        return err_set(e, &ERR_NOMEM, "");
    r->n++;
    return 0;
}

/* The zones after "@". *sense says whether they are some. */
static int take_zones(struct reading *r, struct slice kind, bool *sense, struct err *e)
{
    bool several = take(r, '[');
    int rv = 0;

    do {
        struct slice name = take_word(r);

        *sense = name.n > 0;
        if (*sense)
            rv = add(r, name, kind, e);
    } while (rv == 0 && *sense && several && take(r, ','));
    if (rv == 0 && *sense && several)
        *sense = take(r, ']');
    return rv;
}

int locality_read(const char *locality, struct arena *arena, struct locality_zone **out, size_t *n, struct err *e)
{
    struct reading r = { .rest = { locality, strlen(locality) }, .arena = arena };
    struct slice kind;
    bool sense = true;
    int rv = 0;

    for (const char *at = locality; *at != '\0'; at++) /* a zone follows "@", "[" or "," */
        r.space += *at == '@' || *at == ',';
    r.zones = arena_array(arena, r.space + 1, sizeof *r.zones);
    if (r.zones == NULL)
        return err_set(e, &ERR_NOMEM, "");
    do {
        if (!take_kinds(&r, &kind))
            break;
        rv = take_zones(&r, kind, &sense, e);
    } while (rv == 0 && sense && take(&r, ','));
    *out = r.zones;
    *n = r.n;
    return rv;
}
