/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds what shows who calls: a Cookie header, a signature, a date, and a query that is brought into canonical form. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/query.h"
#include "src/base/clock.h"
#include "src/iam/cookie.h"
#include "src/iam/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(CONDITION) do { if (!(CONDITION)) abort(); } while (0)

static bool is_within(struct slice part, struct slice whole)
{
    return part.s >= whole.s && part.s + part.n <= whole.s + whole.n;
}

static void check_cookies(struct slice text)
{
    struct slice rest = text, name, value;
    char digest[COOKIE_VALUE_SIZE], token[COOKIE_VALUE_SIZE];

    while (cookie_next(&rest, &name, &value)) {
        MUST(name.n > 0 && is_within(name, text) && is_within(value, text) && is_within(rest, text));
        MUST(memchr(name.s, ';', name.n) == NULL && memchr(name.s, '=', name.n) == NULL);
        MUST(value.n == 0 || memchr(value.s, ';', value.n) == NULL);
        if (!cookie_is_value(value))
            continue;
        cookie_digest(value, digest);
        cookie_csrf(value, token);
        MUST(cookie_csrf_matches(value, (struct slice){ token, strlen(token) }));
        MUST(!cookie_csrf_matches(value, (struct slice){ digest, strlen(digest) }) && strcmp(token, digest) != 0);
    }
    MUST(rest.n == 0);
}

static void check_signature(struct slice text)
{
    struct signature s;

    if (signature_read(text, &s) != SIGNATURE_OK)
        return;
    MUST(s.key.n > 0 && s.key.n <= SIGNATURE_MAX_KEY && is_within(s.key, text));
}

static void check_date(struct slice text)
{
    char again[CLOCK_TEXT_SIZE];
    int64_t us, same;

    if (!clock_parse_http_date(text, &us))
        return;
    (void)clock_http_date(us, again);
    MUST(clock_parse_http_date((struct slice){ again, strlen(again) }, &same) && same == us);
}

/* The canonical form is its own, but that the comma which joined values is a character of a value the second time. */
static void check_query(struct slice text)
{
    struct arena arena;
    struct str once, twice;
    struct err e;

    arena_init(&arena);
    str_init(&once, &arena);
    str_init(&twice, &arena);
    if (query_canonical(text, &arena, &once, &e) == 0 && memchr(str_c(&once), ',', once.n) == NULL) {
        MUST(query_canonical((struct slice){ str_c(&once), once.n }, &arena, &twice, &e) == 0);
        MUST(once.n == twice.n && memcmp(str_c(&once), str_c(&twice), once.n) == 0);
    }
    arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size > 0 ? size : 1); /* no more, so that reading beyond it is noticed */
    struct slice text = { copy, size };

    MUST(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    check_cookies(text);
    check_signature(text);
    check_date(text);
    check_query(text);
    free(copy);
    return 0;
}
