/* SPDX-License-Identifier: Apache-2.0 */
#include "src/obcluster/name.h"

#include <stdio.h>
#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define WORD LETTERS "0123456789_"

bool obcluster_name_is_valid(const char *name)
{
    size_t n = strlen(name);

    return n >= OBCLUSTER_NAME_MIN && n <= OBCLUSTER_NAME_MAX && strchr(LETTERS, name[0]) != NULL && strspn(name, WORD) == n;
}

/* start + the last part of `middle` that fits + end. */
static const char *put_together(const char *start, const char *middle, const char *end, struct arena *arena)
{
    size_t space = OBCLUSTER_NAME_MAX - strlen(start) - strlen(end);
    size_t n = strlen(middle);

    return arena_printf(arena, "%s%s%s", start, n > space ? middle + (n - space) : middle, end);
}

static char *as_word(const char *text, struct arena *arena)
{
    char *word = arena_strdup(arena, text);

    for (char *s = word; s != NULL && *s != '\0'; s++)
        if (strchr(WORD, *s) == NULL)
            *s = '_';
    return word;
}

/* "", "_2", "_3" ... */
static void add_attempt(char *end, size_t size, unsigned attempt)
{
    size_t n = strlen(end);

    if (attempt > 0)
        (void)snprintf(end + n, size - n, "_%u", attempt + 1);
}

const char *obcluster_name_make(const char *own, const char *address, int64_t port, unsigned attempt, struct arena *arena)
{
    char end[48] = "";
    const char *word;

    if (own != NULL && obcluster_name_is_valid(own)) {
        if (attempt == 0)
            return arena_strdup(arena, own);
        (void)snprintf(end, sizeof end, "_%lld", (long long)port);
        add_attempt(end, sizeof end, attempt - 1);
        return arena_printf(arena, "%.*s%s", (int)(OBCLUSTER_NAME_MAX - strlen(end)), own, end);
    }
    (void)snprintf(end, sizeof end, "_%lld", (long long)port);
    add_attempt(end, sizeof end, attempt);
    word = as_word(address, arena);
    return word != NULL ? put_together("ob_", word, end, arena) : NULL;
}
