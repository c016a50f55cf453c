/* SPDX-License-Identifier: Apache-2.0 */
#include "src/obcluster/step_sys.h"

#include <string.h>
#include <strings.h>

#include "src/base/num.h"
#include "src/configurl/configurl.h"
#include "src/io/fiber.h"
#include "src/obcluster/claim.h"
#include "src/oceanbase/cluster_admin.h"
#include "src/oceanbase/parameter.h"
#include "src/oceanbase/sys_unit.h"
#include "src/oceanbase/tenant_admin.h"
#include "src/task/domains.h"

enum { UNCLAIM_MS = 20000 };

struct act {
    struct task_run *r;
    struct step_install s;
};

/* --- primary zone ---------------------------------------------------------------------------------------------------------------- */

static int primary_zone_with(struct sql *s, void *data, struct err *e)
{
    struct act *w = data;

    return ob_tenant_set_primary_zone(s, STEP_SYS, w->s.install.primary_zone, e);
}

int sys_set_primary_zone(struct task_run *r, struct err *e)
{
    struct act w = { .r = r };
    int rv = step_install(r, &w.s, e);

    if (rv == 0 && w.s.install.primary_zone[0] == '\0') {
        task_log(r, "no primaryZone was asked for: leaders of %s stay where the cluster puts them", STEP_SYS);
        return 0;
    }
    if (rv == 0)
        rv = step_change(r, &w.s.cluster, primary_zone_with, &w, e);
    if (rv == 0)
        task_log(r, "leaders of %s go to %s", STEP_SYS, w.s.install.primary_zone);
    return rv;
}

/* --- unit ------------------------------------------------------------------------------------------------------------------------ */

#define LOWERED "minPoolMemory" /* what the parameter had before it was lowered; "": it is as it was */
#define DEFAULT_MIN "5G"

struct unit_act {
    struct act w;
    struct ob_sys_unit want;
};

static int64_t bytes_of(const char *text)
{
    int64_t bytes;

    return text != NULL && text[0] != '\0' && num_parse_size((struct slice){ text, strlen(text) }, &bytes) ? bytes : -1;
}

/* A parameter that the kernel hides has its default, unless it was given at the start. */
static int min_memory(struct sql *s, struct act *w, const char **out, struct err *e)
{
    struct layout_parameter *given;
    struct ob_parameter *seen;
    size_t n_given, n;
    int rv = ob_cluster_parameter_get(s, OB_MIN_POOL_MEMORY, task_arena(w->r), &seen, &n, e);

    if (rv == 0)
        rv = step_parameters(w->r, &w->s, &given, &n_given, e);
    *out = DEFAULT_MIN;
    for (size_t i = 0; rv == 0 && i < n_given; i++)
        if (strcmp(given[i].name, OB_MIN_POOL_MEMORY) == 0)
            *out = given[i].value;
    if (rv == 0 && n > 0 && seen[0].value != NULL)
        *out = seen[0].value;
    return rv;
}

/* What it was is known to the task before it is changed: whoever goes on puts it back. */
static int lower_minimum(struct sql *s, struct unit_act *u, struct err *e)
{
    const char *former = "", *wanted = arena_printf(task_arena(u->w.r), "%lldM", (long long)(u->want.memory >> 20));
    int rv = wanted != NULL ? min_memory(s, &u->w, &former, e) : err_set(e, &ERR_NOMEM, "");

    if (rv != 0 || bytes_of(former) <= u->want.memory)
        return rv;
    rv = task_set(u->w.r, LOWERED, former, e);
    return rv == 0 ? ob_parameter_set(s, OB_MIN_POOL_MEMORY, wanted, e) : rv;
}

static int restore_minimum(struct sql *s, struct unit_act *u, struct err *e)
{
    const char *former;
    int rv = task_get(u->w.r, LOWERED, &former, e);

    if (rv != 0 || former == NULL || former[0] == '\0')
        return rv;
    rv = ob_parameter_set(s, OB_MIN_POOL_MEMORY, former, e);
    return rv == 0 ? task_set(u->w.r, LOWERED, "", e) : rv;
}

/* Also one that was lowered and forgotten, because the run that did it has died, has its own value again. */
static int unit_with(struct sql *s, void *data, struct err *e)
{
    struct unit_act *u = data;
    struct ob_sys_unit now;
    struct err why;
    int rv = ob_sys_unit_get(s, &now, e), restored;

    if (rv == 0 && u->want.memory >= 0 && !ob_sys_unit_is(&now, &u->want))
        rv = lower_minimum(s, u, e);
    if (rv == 0)
        rv = ob_sys_unit_set(s, &u->want, e);
    restored = restore_minimum(s, u, rv == 0 ? e : &why);
    return rv == 0 ? restored : rv;
}

int sys_adjust_unit(struct task_run *r, struct err *e)
{
    struct unit_act u = { .w.r = r, .want = { bytes_of(task_get_arg(r, "sysMemory")), bytes_of(task_get_arg(r, "sysLogDisk")) } };
    int rv;

    if (u.want.memory < 0 && u.want.log_disk < 0) {
        task_log(r, "no sysUnitConfig was asked for: %s has what the kernel gives it", STEP_SYS);
        return 0;
    }
    rv = step_install(r, &u.w.s, e);
    if (rv == 0)
        rv = step_change(r, &u.w.s.cluster, unit_with, &u, e);
    if (rv == 0)
        task_log(r, "%s has on each server%s%s%s%s", STEP_SYS, u.want.memory >= 0 ? " memory " : "", u.want.memory >= 0 ? task_get_arg(r, "sysMemory") : "",
                 u.want.log_disk >= 0 ? " log disk " : "", u.want.log_disk >= 0 ? task_get_arg(r, "sysLogDisk") : "");
    return rv;
}

/* --- parameters ------------------------------------------------------------------------------------------------------------------ */

struct parameters {
    struct act w;
    struct layout_parameter *list;
    size_t n;
};

/* "8G" and "8192M" are one value, and so are "true" and "True". */
static bool is_same(const char *a, const char *b)
{
    return strcasecmp(a, b) == 0 || (bytes_of(a) >= 0 && bytes_of(a) == bytes_of(b));
}

/* *differs: some server has another value. `wanted` NULL: another than the others. *n: how many have one. */
static int look(struct sql *s, const char *name, const char *wanted, struct arena *arena, size_t *n, bool *differs, struct err *e)
{
    struct ob_parameter *seen;
    int rv = ob_cluster_parameter_get(s, name, arena, &seen, n, e);

    *differs = false;
    for (size_t i = 0; rv == 0 && i < *n; i++) {
        const char *than = wanted != NULL ? wanted : seen[0].value;

        if (ob_parameter_is_read_only(&seen[i]) || ob_parameter_is_of_tenants(&seen[i]))
            continue;
        *differs |= seen[i].value == NULL || than == NULL || !is_same(seen[i].value, than);
    }
    return rv;
}

/* What was given at the start is there already; a parameter that the kernel hides was, or is set. */
static int set_with(struct sql *s, void *data, struct err *e)
{
    struct parameters *p = data;
    int rv = 0;

    for (size_t i = 0; rv == 0 && i < p->n; i++) {
        const struct layout_parameter *one = &p->list[i];
        bool differs;
        size_t n;

        rv = look(s, one->name, one->value, task_arena(p->w.r), &n, &differs, e);
        if (rv == 0 && (differs || (n == 0 && !layout_parameter_fits(one))))
            rv = ob_parameter_set(s, one->name, one->value, e);
    }
    return rv;
}

/* The kernel may word a value in its own way: what counts is that all servers have one. */
static int is_everywhere(struct sql *s, void *data, bool *done, struct err *e)
{
    struct parameters *p = data;
    int rv = 0;

    *done = true;
    for (size_t i = 0; rv == 0 && i < p->n; i++) {
        bool differs;
        size_t n;

        rv = look(s, p->list[i].name, NULL, task_arena(p->w.r), &n, &differs, e);
        *done &= rv == 0 && !differs;
    }
    return rv;
}

/* The address of this service as other hosts reach it must have been set (ocp.site.url), else there is nothing to tell the observers: *url NULL. */
static int config_url(struct task_run *r, const char *cluster, const char **own, const char **url, struct err *e)
{
    const struct domain_graph *g = task_data(r);
    struct slice nobody = { "", 0 };
    const char *base;
    int rv = configurl_base(g->configurl, nobody, nobody, task_arena(r), &base, e);

    *url = NULL;
    if (rv == 0)
        rv = claim_own(task_db(r), task_arena(r), own, e);
    if (rv != 0)
        return rv;
    if (strstr(base, "//localhost") != NULL) {
        task_log(r, "ocp.site.url names this machine alone: the observers are given no config URL");
        return 0;
    }
    *url = claim_url(base, *own, cluster, task_arena(r));
    return *url != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

static int add_config_url(struct parameters *p, struct err *e)
{
    const char *own, *url;
    int rv = config_url(p->w.r, p->w.s.cluster.name, &own, &url, e);

    if (rv == 0 && url != NULL)
        p->list[p->n++] = (struct layout_parameter){ "obconfig_url", url };
    return rv;
}

int sys_set_parameters(struct task_run *r, struct err *e)
{
    struct parameters p = { .w.r = r };
    int rv = step_install(r, &p.w.s, e);

    if (rv == 0)
        rv = step_parameters(r, &p.w.s, &p.list, &p.n, e);
    if (rv == 0)
        rv = add_config_url(&p, e);
    if (rv == 0)
        rv = step_change(r, &p.w.s.cluster, set_with, &p, e);
    if (rv == 0)
        rv = step_wait(r, &p.w.s.cluster, "parameters have one value on every server", is_everywhere, &p, e);
    for (size_t i = 0; rv == 0 && i < p.n; i++)
        task_log(r, "%s is %s", p.list[i].name, p.list[i].value);
    return rv;
}

/* --- whose it is ------------------------------------------------------------------------------------------------------------------ */

struct claim {
    struct task_run *r;
    struct obcluster cluster;
    const char *own, *url, *former;
};

#define FORMER "formerConfigUrl" /* what the cluster had before it was taken over */

/* Two OCPs may have looked at the same time: who comes second sees the first. */
static int claim_with(struct sql *s, void *data, struct err *e)
{
    struct claim *c = data;
    const char *now;
    int rv = claim_read(s, task_arena(c->r), &now, e);

    if (rv == 0)
        rv = claim_require(now, c->own, c->cluster.name, e);
    if (rv != 0 || strcmp(now, c->url) == 0)
        return rv;
    rv = task_set(c->r, FORMER, now, e);
    return rv == 0 ? ob_parameter_set(s, "obconfig_url", c->url, e) : rv;
}

int sys_claim(struct task_run *r, struct err *e)
{
    struct claim c = { .r = r };
    int rv = step_cluster(r, &c.cluster, e);

    if (rv != 0)
        return rv;
    if (obcluster_is_one_server(&c.cluster) || !json_is_true(json_object_get(task_args(r), "switchConfigUrl"))) {
        task_log(r, "the config URL of the cluster stays as it is");
        return 0;
    }
    rv = config_url(r, c.cluster.name, &c.own, &c.url, e);
    if (rv != 0 || c.url == NULL)
        return rv;
    rv = step_change(r, &c.cluster, claim_with, &c, e);
    if (rv == 0)
        task_log(r, "obconfig_url is %s", c.url);
    return rv;
}

/* The same URL, and nobody's; NULL: it is not one that this OCP has given. */
static const char *unclaimed(const struct claim *c, const char *now)
{
    const char *path = strstr(now, CLAIM_PATH);
    char id[OCPCLUSTER_HEX_SIZE];

    if (path == NULL || c->own[0] == '\0' || strcmp(claim_of(now, id), c->own) != 0)
        return NULL;
    return claim_url(arena_strndup(task_arena(c->r), now, (size_t)(path - now)), "", c->cluster.name, task_arena(c->r));
}

static int unclaim_with(struct sql *s, void *data, struct err *e)
{
    struct claim *c = data;
    const char *now, *plain;
    int rv = claim_read(s, task_arena(c->r), &now, e);

    plain = rv == 0 ? unclaimed(c, now) : NULL;
    if (plain != NULL && c->url == NULL)
        c->url = c->former != NULL ? c->former : plain;
    return rv == 0 && c->url != NULL ? ob_parameter_set(s, "obconfig_url", c->url, e) : rv;
}

/* Also of a take-over that is taken back. A cluster that cannot be asked is let go all the same. */
int sys_unclaim(struct task_run *r, struct err *e)
{
    const char *target = task_get_arg(r, "targetConfigAddress");
    struct claim c = { .r = r };
    int64_t former;
    int rv = step_cluster(r, &c.cluster, e);

    if (rv == 0)
        rv = claim_own(task_db(r), task_arena(r), &c.own, e);
    if (rv == 0)
        rv = task_get(r, FORMER, &c.former, e);
    if (rv != 0 || obcluster_is_one_server(&c.cluster))
        return rv;
    if (target != NULL)
        c.url = claim_url(target, "", c.cluster.name, task_arena(r));
    former = fiber_narrow_deadline(UNCLAIM_MS);
    rv = step_try(r, &c.cluster, unclaim_with, &c, "the config URL of the cluster stays as it is", e);
    fiber_restore_deadline(former);
    if (rv == 0 && c.url != NULL)
        task_log(r, "obconfig_url is to be %s", c.url);
    return rv;
}
