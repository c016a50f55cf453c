/* SPDX-License-Identifier: Apache-2.0 */
/*  all that match, oldest first
 *     1. older than max_age_days                         --> go
 *     2. together larger than max_bytes                  --> the oldest go
 *     3. the disk is fuller than disk_percent: older than retention_days --> go, while it is
 *     4. it still is: the oldest                         --> go, while it is and more than keep_percent of the whole is left */
#include "agent/clean_rule.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MIN_DIGITS = 8, MAX_DIGITS = 17, MAX_RULES = 100, MAX_PARTS = 12 };

static const char *check_directory(const char *s)
{
    unsigned parts = 0;

    for (const char *p = s; *p != '\0'; p++)
        parts += *p == '/';
    if (s[0] != '/' || strstr(s, "/../") != NULL)
        return "must be an absolute path without ..";
    return parts <= MAX_PARTS ? NULL : "must have 12 parts at most";
}

static const char *check_pattern(const char *s)
{
    return strchr(s, '/') == NULL ? NULL : "must be a pattern of names, without /";
}

static const struct field rule_fields[] = {
    F_STRING(clean_rule, directory, "directory", .flags = FIELD_REQUIRED, .check = check_directory, DOC("Shell pattern of the directories.")),
    F_STRING(clean_rule, pattern, "pattern", .flags = FIELD_REQUIRED, .check = check_pattern, DOC("Shell pattern of the names in them.")),
    F_INT(clean_rule, max_age_days, "maxAgeDays", .min = 1, .max = 36500, DOC("Older files go, however much space there is.")),
    F_INT(clean_rule, max_bytes, "maxBytes", .min = 0, .max = INT64_MAX, DOC("What all of them may take together; the oldest go first.")),
    F_INT(clean_rule, disk_percent, "diskPercent", .def = "80", .min = 1, .max = 100, DOC("How full the file system may be.")),
    F_INT(clean_rule, retention_days, "retentionDays", .def = "8", .min = 0, .max = 36500, DOC("When it is fuller, older files go.")),
    F_INT(clean_rule, keep_percent, "keepPercent", .def = "60", .min = 0, .max = 100, DOC("When it is still fuller, so much of their size stays.")),
    FIELD_END,
};
const struct field clean_conf_fields[] = {
    F_BOOL(clean_conf, enabled, "enabled", .def = "true", DOC("Whether anything is removed.")),
    F_INT(clean_conf, interval_s, "intervalSeconds", .def = "300", .min = 1, .max = 86400, DOC("Between two looks.")),
    F_LIST(clean_conf, rules, "rules", clean_rule, rule_fields, .max = MAX_RULES, DOC("Rules, each for itself.")),
    FIELD_END,
};

/* ---- rules ---------------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *below;   /* of a root */
    struct clean_rule rule;
} defaults[] = {
    { "/*/log", { .pattern = "*.log.[0-9]*", .disk_percent = 80, .retention_days = 8, .keep_percent = 60 } },
    { "/*/log", { .pattern = "*.log.wf.[0-9]*", .disk_percent = 80, .retention_days = 30, .keep_percent = 80 } },
    { "/*", { .pattern = "core.[0-9]*", .disk_percent = 80, .retention_days = 8, .keep_percent = 60 } },
    { "/log", { .pattern = "*.log.[0-9]*", .disk_percent = 80, .retention_days = 8, .keep_percent = 60 } },
    { "/log", { .pattern = "*.log.wf.[0-9]*", .disk_percent = 80, .retention_days = 30, .keep_percent = 80 } },
    { "", { .pattern = "core.[0-9]*", .disk_percent = 80, .retention_days = 8, .keep_percent = 60 } },
};
enum { N_DEFAULTS = sizeof defaults / sizeof defaults[0] };

static int make_defaults(struct field_strings roots, struct arena *arena, struct clean_conf *out, struct err *e)
{
    struct clean_rule *rules = arena_array(arena, roots.n * N_DEFAULTS, sizeof *rules);
    size_t n = 0;

    if (rules == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < roots.n; i++) {
        for (size_t k = 0; k < N_DEFAULTS; k++, n++) {
            rules[n] = defaults[k].rule;
            rules[n].max_age_days = rules[n].max_bytes = FIELD_NONE;
            rules[n].directory = arena_printf(arena, "%s%s", roots.items[i], defaults[k].below);
            if (rules[n].directory == NULL)
                return err_set(e, &ERR_NOMEM, "");
        }
    }
    out->rules = (struct field_list){ rules, n };
    return 0;
}

int clean_conf_read(struct slice text, struct field_strings roots, struct arena *arena, struct clean_conf *out, struct err *e)
{
    json_t *value;
    int rv;

    if (text.s == NULL) {
        rv = fields_init(clean_conf_fields, out, arena, e);
        return rv == 0 ? make_defaults(roots, arena, out, e) : rv;
    }
    rv = json_parse(text, &value, e);
    if (rv != 0)
        return rv;
    rv = json_is_object(value) ? fields_read(clean_conf_fields, value, out, arena, e) : err_set(e, &ERR_REQUEST, "it must be a JSON object");
    json_decref(value);
    return rv;
}

/* ---- names ---------------------------------------------------------------------------------------------------------------------- */

/* How many digits there are at the end of the first `n` characters. */
static size_t digits_before(const char *name, size_t n)
{
    size_t digits = 0;

    while (digits < n && isdigit((unsigned char)name[n - digits - 1]))
        digits++;
    return digits;
}

static bool ends(const char *name, size_t n, const char *end)
{
    size_t k = strlen(end);

    return n > k && memcmp(name + n - k, end, k) == 0;
}

bool clean_is_rotated(const char *name)
{
    static const char *const packed[] = { ".zst", ".gz", ".zip", NULL };
    size_t n = strlen(name), digits;

    if (strncmp(name, "core.", 5) == 0)
        return n > 5 && digits_before(name, n) == n - 5;
    for (const char *const *p = packed; *p != NULL; p++) {
        if (ends(name, n, *p)) {
            n -= strlen(*p);
            break;
        }
    }
    digits = digits_before(name, n);
    if (digits < MIN_DIGITS || digits > MAX_DIGITS)
        return false;
    n -= digits;
    return ends(name, n, ".log.") || ends(name, n, ".log.wf.");
}

/* ---- decision ------------------------------------------------------------------------------------------------------------------- */

const char *const clean_reasons[] = { "", "age", "size", "full disk, age", "full disk" };

static int older_first(const void *a, const void *b)
{
    const struct clean_file *x = a, *y = b;

    if (x->changed_s != y->changed_s)
        return x->changed_s < y->changed_s ? -1 : 1;
    return strcmp(x->name, y->name);
}

struct decision {
    const struct clean_rule *rule;
    struct clean_file *files;
    size_t n, n_removed;
    struct clean_disk disk;
    int64_t now_s, left;             /* bytes of what stays */
};

static bool may_go(const struct decision *d, const struct clean_file *f)
{
    return f->reason == CLEAN_KEEP && !f->open && f->changed_s <= d->now_s - CLEAN_FRESH_S && clean_is_rotated(f->name);
}

static void take(struct decision *d, struct clean_file *f, enum clean_reason reason)
{
    f->reason = reason;
    d->left -= f->bytes;
    d->disk.used -= f->bytes;
    d->n_removed++;
}

/* Division first: sizes of file systems times a hundred fit, but only just. */
static bool is_full(const struct decision *d)
{
    return d->disk.total > 0 && d->disk.used > d->disk.total / 100 * d->rule->disk_percent + d->disk.total % 100 * d->rule->disk_percent / 100;
}

static bool is_older(const struct decision *d, const struct clean_file *f, int64_t days)
{
    return f->changed_s < d->now_s - days * CLEAN_DAY_S;
}

static void by_age_and_size(struct decision *d)
{
    const struct clean_rule *r = d->rule;

    for (size_t i = 0; i < d->n; i++)
        if (r->max_age_days != FIELD_NONE && may_go(d, &d->files[i]) && is_older(d, &d->files[i], r->max_age_days))
            take(d, &d->files[i], CLEAN_AGE);
    for (size_t i = 0; i < d->n && r->max_bytes != FIELD_NONE && d->left > r->max_bytes; i++)
        if (may_go(d, &d->files[i]))
            take(d, &d->files[i], CLEAN_SIZE);
}

static void by_disk(struct decision *d)
{
    const struct clean_rule *r = d->rule;
    int64_t keep;

    for (size_t i = 0; i < d->n && is_full(d); i++)
        if (may_go(d, &d->files[i]) && is_older(d, &d->files[i], r->retention_days))
            take(d, &d->files[i], CLEAN_DISK_AGE);
    keep = d->left / 100 * r->keep_percent + d->left % 100 * r->keep_percent / 100;
    for (size_t i = 0; i < d->n && is_full(d); i++) {
        if (!may_go(d, &d->files[i]))
            continue;
        if (d->left - d->files[i].bytes < keep)
            break;
        take(d, &d->files[i], CLEAN_DISK);
    }
}

size_t clean_decide(const struct clean_rule *rule, struct clean_file *files, size_t n, struct clean_disk disk, int64_t now_s)
{
    struct decision d = { rule, files, n, 0, disk, now_s, 0 };

    if (n > 1)
        qsort(files, n, sizeof *files, older_first);
    for (size_t i = 0; i < n; i++) {
        files[i].reason = CLEAN_KEEP;
        d.left += files[i].bytes;
    }
    by_age_and_size(&d);
    by_disk(&d);
    return d.n_removed;
}
