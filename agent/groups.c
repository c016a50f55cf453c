/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/groups.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "agent/process.h"

const struct guarded guarded_rows[] = {
    { "pos_proxy", GROUP_AGENT },
    { "node_exporter", GROUP_AGENT },
    { "ocp_exporter", GROUP_AGENT },
    { "obstat2", GROUP_MONITOR },
    { "ob_logtailer", GROUP_MONITOR },
    { "ob_cleaner", GROUP_MONITOR | GROUP_OBPROXY },
    { .name = NULL },
};

static const struct {
    const char *name, *alias, *program;
    unsigned group;
} group_rows[] = {
    { "ocp_agent", NULL, NULL, GROUP_AGENT },
    { "ob_monitor", "ocp_monitor", "observer", GROUP_MONITOR },
    { "obproxy_monitor", NULL, "obproxy", GROUP_OBPROXY },
};
enum { N_GROUPS = sizeof group_rows / sizeof group_rows[0] };

const char *group_name(unsigned group)
{
    for (unsigned i = 0; i < N_GROUPS; i++)
        if (group_rows[i].group == group)
            return group_rows[i].name;
    return "";
}

static unsigned group_of(struct slice name)
{
    for (unsigned i = 0; i < N_GROUPS; i++)
        if (slice_is(name, group_rows[i].name) || (group_rows[i].alias != NULL && slice_is(name, group_rows[i].alias)))
            return group_rows[i].group;
    return 0;
}

static unsigned row_bit(struct slice name)
{
    for (unsigned i = 0; guarded_rows[i].name != NULL; i++)
        if (slice_is(name, guarded_rows[i].name))
            return 1U << i;
    return 0;
}

int groups_load(struct frame *f, struct wanted *out, struct err *e)
{
    char path[4096];
    struct arena arena;
    struct slice text;
    int rv;

    (void)snprintf(path, sizeof path, "%s/conf/groups", f->home);
    *out = (struct wanted){ 0 };
    arena_init(&arena);
    rv = frame_read(path, &arena, &text, e);
    while (rv == 0 && text.n > 0) {
        struct slice line = slice_trim(slice_cut(&text, '\n'));

        if (line.n > 1 && line.s[0] == '-')
            out->stopped |= row_bit((struct slice){ line.s + 1, line.n - 1 });
        else
            out->groups |= group_of(line);
    }
    arena_fini(&arena);
    return rv;
}

static int save(struct frame *f, const struct wanted *w, struct err *e)
{
    char path[4096];
    struct str text;
    int rv;

    (void)snprintf(path, sizeof path, "%s/conf/groups", f->home);
    str_init(&text, NULL);
    for (unsigned i = 0; i < N_GROUPS; i++)
        if ((w->groups & group_rows[i].group) != 0)
            str_printf(&text, "%s\n", group_rows[i].name);
    for (unsigned i = 0; guarded_rows[i].name != NULL; i++)
        if ((w->stopped & 1U << i) != 0)
            str_printf(&text, "-%s\n", guarded_rows[i].name);
    rv = str_failed(&text) ? err_set(e, &ERR_NOMEM, "") : frame_write(path, (struct slice){ str_c(&text), text.n }, true, e);
    str_fini(&text);
    return rv;
}

bool groups_want(const struct wanted *w, unsigned row)
{
    return (guarded_rows[row].groups & w->groups) != 0 && (w->stopped & 1U << row) == 0;
}

bool groups_tell(struct frame *f)
{
    pid_t pid = frame_holder(f, "ocp_agentd");

    return pid > 0 && kill(pid, SIGHUP) == 0;
}

static unsigned members(unsigned group)
{
    unsigned bits = 0;

    for (unsigned i = 0; guarded_rows[i].name != NULL; i++)
        if ((guarded_rows[i].groups & group) != 0)
            bits |= 1U << i;
    return bits;
}

/* Starting a group starts all of it, also what was stopped alone. */
static void change(struct wanted *w, enum agent_action action, unsigned group, unsigned row)
{
    if (action == AGENT_START) {
        w->groups |= group;
        w->stopped &= ~(row | members(group));
    } else if (action == AGENT_STOP) {
        w->groups &= ~group;
        w->stopped |= row;
    }
}

/* The guard starts it again within a second. */
static void end_members(struct frame *f, unsigned bits)
{
    for (unsigned i = 0; guarded_rows[i].name != NULL; i++) {
        pid_t pid = (bits & 1U << i) != 0 ? frame_holder(f, guarded_rows[i].name) : 0;

        if (pid > 0)
            (void)kill(pid, SIGTERM); /* gone already is fine */
    }
}

int groups_change(struct frame *f, enum agent_action action, const char *name, struct err *e)
{
    struct slice text = { name, strlen(name) };
    unsigned group = group_of(text), row = row_bit(text);
    struct wanted w;
    int rv;

    if (strcmp(name, "ocp_agentd") == 0)
        return err_set(e, &ERR_INVALID, "ocp_agentd cannot be started or stopped alone: it runs while there is something to guard");
    if (group == 0 && row == 0) {
        (void)err_set(e, &ERR_NOT_FOUND, "%s", "agent process or group");
        return err_arg(e, "%s", name);
    }
    if (action == AGENT_RESTART) {
        end_members(f, row | members(group));
        return 0;
    }
    rv = groups_load(f, &w, e);
    if (rv != 0)
        return rv;
    change(&w, action, group, row);
    rv = save(f, &w, e);
    if (rv == 0)
        (void)groups_tell(f); /* who is not running reads it at its start */
    return rv;
}

void groups_program_started(struct frame *f, const char *program)
{
    const char *slash = strrchr(program, '/');
    struct wanted w;
    struct err e = { 0 };

    for (unsigned i = 0; i < N_GROUPS; i++) {
        if (group_rows[i].program == NULL || strcmp(slash != NULL ? slash + 1 : program, group_rows[i].program) != 0)
            continue;
        if (groups_load(f, &w, &e) == 0 && (w.groups & group_rows[i].group) == 0 && groups_change(f, AGENT_START, group_rows[i].name, &e) == 0)
            log_info(&f->log, "a group is wanted from now on", LOG_S("group", group_rows[i].name));
        if (e.row != NULL)
            log_warn(&f->log, "a group cannot be started", LOG_S("group", group_rows[i].name), LOG_E(&e));
    }
}
