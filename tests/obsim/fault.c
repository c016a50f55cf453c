/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/obsim/fault.h"

#include <stdlib.h>
#include <string.h>

#include "tests/obsim/journal.h"
#include "tests/obsim/session.h"
#include "tests/obsim/world.h"

const char *const sim_fault_names[SIM_FAULT_N] = {
    [SIM_FAULT_ERROR] = "error", [SIM_FAULT_TIMEOUT] = "timeout", [SIM_FAULT_LOST] = "lost",
    [SIM_FAULT_CUT] = "cut",     [SIM_FAULT_SILENT] = "silent",   [SIM_FAULT_SLOW] = "slow",
};

static bool matches(const struct sim_fault *f, const struct sim_session *s, struct slice sql)
{
    regmatch_t whole = { .rm_so = 0, .rm_eo = (regoff_t)sql.n };

    if (f->times == 0 || (f->server[0] != '\0' && strcmp(f->server, s->server->ip) != 0))
        return false;
    if (f->user[0] != '\0' && strcmp(f->user, s->user) != 0)
        return false;
    return regexec(&f->pattern, sql.s, 1, &whole, REG_STARTEND) == 0;
}

bool fault_use(struct sim_fault *f)
{
    if (f->skip > 0) {
        f->skip--;
        return false;
    }
    if (f->times > 0)
        f->times--;
    return true;
}

struct sim_fault *fault_find(struct sim_deployment *d, int64_t id)
{
    for (size_t i = 0; i < d->faults.n; i++)
        if (d->faults.items[i]->id == id)
            return d->faults.items[i];
    return NULL;
}

struct sim_fault *fault_strike(struct sim_deployment *d, const struct sim_session *s, struct slice sql)
{
    for (size_t i = 0; i < d->faults.n; i++) {
        struct sim_fault *f = d->faults.items[i];

        if (!matches(f, s, sql))
            continue;
        if (d->world->journal != NULL)
            journal_struck(d->world->journal, f);
        if (fault_use(f))
            return f;
    }
    return NULL;
}

struct sim_fault *fault_add(struct sim_deployment *d, enum sim_fault_kind kind, const char *pattern)
{
    static int64_t last;
    regex_t compiled;
    struct sim_fault *f;

    if (regcomp(&compiled, pattern != NULL ? pattern : "", REG_EXTENDED | REG_ICASE) != 0)
        return NULL;
    f = sim_push(&d->faults);
    f->pattern = compiled;
    f->kind = kind;
    f->times = 1;
    f->id = ++last;
    return f;
}

void fault_clear(struct sim_deployment *d, int64_t id)
{
    for (size_t i = d->faults.n; i > 0; i--) {
        struct sim_fault *f = d->faults.items[i - 1];

        if (id != 0 && f->id != id)
            continue;
        regfree(&f->pattern);
        mem_free(f->text);
        sim_remove(&d->faults, i - 1);
    }
}
