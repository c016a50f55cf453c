/* SPDX-License-Identifier: Apache-2.0 */
/* Points at which pos_proxy ends or stands still, for tests/chaos: the agent's own objects, linked so that the journal's calls come here first.
 *
 *   DIR/crashpoint   "STEP POINT ACTION": the first command of that step that changes something meets its point, and the file becomes
 *                    crashpoint.hit; POINT before-intent, after-intent, after-effect, after-record; ACTION kill, stop (until SIGCONT)
 *   DIR/crashpoint.log   a line "STEP KIND" for each command that changes something
 *
 * DIR is the journal's. What only declares a directory is no effect. Loop thread only, as the journal. */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/journal.h"

int __real_journal_open(const struct journal_conf *conf, struct journal **out, bool *fresh, struct err *e);
int __real_journal_add(struct journal *j, const struct record *r, struct err *e);
int __real_journal_sync(struct journal *j, struct err *e);
int __wrap_journal_open(const struct journal_conf *conf, struct journal **out, bool *fresh, struct err *e);
int __wrap_journal_add(struct journal *j, const struct record *r, struct err *e);
int __wrap_journal_sync(struct journal *j, struct err *e);

enum point { NOWHERE, BEFORE_INTENT, AFTER_INTENT, AFTER_EFFECT, AFTER_RECORD };
static const char *const points[] = { "", "before-intent", "after-intent", "after-effect", "after-record" };

static const char *dir = ".";
static enum point wanted;            /* of the command that was chosen; NOWHERE: none is */
static bool kills, added;            /* added: its intent, or its result, is on its way to the disk */
static int64_t step, dispatch, seq;  /* of it */

static void path_of(const char *name, char out[4096])
{
    (void)snprintf(out, 4096, "%s/%s", dir, name);
}

static void note(const struct record *r)
{
    char path[4096];
    FILE *f;

    path_of("crashpoint.log", path);
    f = fopen(path, "ae");
    if (f == NULL)
        return;
    (void)fprintf(f, "%lld %s\n", (long long)r->key->step, r->kind);
    (void)fclose(f);
}

static enum point named(const char *name)
{
    for (unsigned i = 1; i < sizeof points / sizeof points[0]; i++)
        if (strcmp(points[i], name) == 0)
            return (enum point)i;
    return NOWHERE;
}

static void choose(const struct record *r)
{
    char path[4096], point[32] = "", action[16] = "";
    long long of = 0;
    FILE *f;

    path_of("crashpoint", path);
    f = fopen(path, "re");
    if (f == NULL)
        return;
    if (fscanf(f, "%lld %31s %15s", &of, point, action) == 3 && of == r->key->step) {
        wanted = named(point);
        kills = strcmp(action, "kill") == 0;
        step = r->key->step;
        dispatch = r->key->dispatch;
        seq = r->key->seq;
    }
    (void)fclose(f);
}

static void meet(enum point here)
{
    char path[4096], hit[4096];

    if (wanted != here)
        return;
    wanted = NOWHERE;
    path_of("crashpoint", path);
    path_of("crashpoint.hit", hit);
    (void)rename(path, hit);
    (void)raise(kills ? SIGKILL : SIGSTOP);
}

static bool is_chosen(const struct record *r)
{
    return wanted != NOWHERE && r->key != NULL && r->key->step == step && r->key->dispatch == dispatch && r->key->seq == seq;
}

int __wrap_journal_open(const struct journal_conf *conf, struct journal **out, bool *fresh, struct err *e)
{
    dir = conf->dir;
    return __real_journal_open(conf, out, fresh, e);
}

int __wrap_journal_add(struct journal *j, const struct record *r, struct err *e)
{
    bool begins = r->type == RECORD_INTENT && r->kind != NULL && strcmp(r->kind, "declare_root") != 0;
    bool ends = (r->type == RECORD_RESULT || r->type == RECORD_UNKNOWN) && is_chosen(r);

    if (begins) {
        note(r);
        if (wanted == NOWHERE)
            choose(r);
        meet(BEFORE_INTENT);
    }
    if (ends)
        meet(AFTER_EFFECT);
    if ((begins && is_chosen(r) && wanted == AFTER_INTENT) || (ends && wanted == AFTER_RECORD))
        added = true;
    return __real_journal_add(j, r, e);
}

int __wrap_journal_sync(struct journal *j, struct err *e)
{
    bool ours = added;
    int rv = __real_journal_sync(j, e);

    if (ours && added) {
        added = false;
        meet(wanted);
    }
    return rv;
}
