/* SPDX-License-Identifier: Apache-2.0 */
#include "src/host/probe.h"

#include <stdlib.h>
#include <string.h>

#include "src/host/inside.h"
#include "src/host/program.h"
#include "src/io/fiber.h"
#include "conf/parameters.h"
#include "src/store/host.h"
#include "src/store/ocpcluster.h"
#include "src/vault/credential.h"

ERR_DEFINE(ERR_HOST_CREDENTIAL, 7016, 404, ERR_FINAL,
           "There is no credential {0} for hosts. Store one for the target HOST in the password box, and give its id.",
           "不存在主机凭据 {0}，请先在密码箱中添加主机凭据。");

enum { LOGIN_MS = 30000, ASK_MS = 60000, AGENT_ROOM = 512 * 1024 * 1024 };

/* ---- logging in -------------------------------------------------------------------------------------------------------- */

int host_login_open(struct hosts *h, struct db *d, int64_t credential_id, struct arena *arena, struct host_login *out, struct err *e)
{
    const struct credential_context c = { d, h->conf.vault, h->conf.connect_pool, h->conf.long_pool };
    struct credential_view v;
    struct credential row;
    int rv = store_credential_open(d, credential_id, arena, &row, e);

    *out = (struct host_login){ .secret = NULL };
    if (rv == 0)
        rv = credential_open(&c, row.user_id, credential_id, arena, &v, &out->secret, e);
    if (rv == ERR_NOT_FOUND.code || (rv == 0 && v.target != CREDENTIAL_HOST)) {
        host_login_close(out);
        return err_set(e, &ERR_HOST_CREDENTIAL, "%lld", (long long)credential_id);
    }
    if (rv != 0)
        return rv;
    out->username = v.username;
    out->is_key = v.kind == CREDENTIAL_PRIVATE_KEY;
    return 0;
}

void host_login_close(struct host_login *l)
{
    secret_free(l->secret);
    l->secret = NULL;
}

static int silent(const char *ip, int ms, struct err *e)
{
    (void)err_set(e, &ERR_HOST_SILENT, "%s", ip);
    return err_arg(e, "%d", ms / 1000);
}

int host_shell_open(struct hosts *h, const struct host_login *l, const char *ip, int64_t port, const char *fingerprint, struct arena *arena,
                    struct shell *out, char *seen, struct err *e)
{
    const struct ssh_login login = {
        .host = ip,
        .port = (unsigned)port,
        .user = l->username,
        .password = l->is_key ? NULL : l->secret,
        .private_key = l->is_key ? l->secret : NULL,
        .fingerprint = fingerprint != NULL && fingerprint[0] != '\0' ? fingerprint : NULL,
    };
    int64_t former = fiber_narrow_deadline(LOGIN_MS);
    int rv = shell_open(h->conf.long_pool, &login, arena, out, seen, e);

    fiber_restore_deadline(former);
    return rv == ERR_TIMEOUT.code ? silent(ip, LOGIN_MS, e) : rv;
}

/* ---- looking ----------------------------------------------------------------------------------------------------------- */

struct looking {
    struct hosts *hosts;
    const struct host_login *login;
    const struct host_place *place;
    const struct check_rules *rules;
    struct host_probe *probe;
    struct arena arena;      /* of this fiber; what is kept is copied by the caller */
    struct err ours;         /* not the host failed, but looking */
};

static int ask(struct shell *s, const char *script, const char *arg, bool as_user, struct arena *arena, struct slice *out, struct err *e)
{
    const char *const words[] = { "sh", "-c", script, "ocp-server", arg, NULL };
    const struct shell_command c = { .argv = words, .as_user = as_user || s->power == SHELL_NO_POWER };
    struct ssh_outcome outcome;
    int rv = shell_run(s, &c, arena, &outcome, e);

    *out = outcome.out;
    return rv;
}

/* Greets twice: the first one also starts what a login starts. */
static int greet(struct looking *k, struct shell *s, struct err *e)
{
    const struct clock *clock = k->hosts->conf.clock;
    struct host_probe *p = k->probe;
    int64_t before = 0, after = 0;
    struct slice said;
    int rv = 0;

    for (int i = 0; rv == 0 && i < 2; i++) {
        before = clock_wall_us(clock);
        rv = ask(s, greet_script, "", true, &k->arena, &said, e);
        after = clock_wall_us(clock);
    }
    if (rv == 0)
        rv = facts_read_greeting(said, &p->greeting, e);
    if (rv != 0)
        return rv;
    p->delay_us = after - before;
    p->clock_diff_us = facts_clock_difference(before, after, &p->greeting, &p->clock_error_us);
    return 0;
}

static int gather(struct looking *k, struct shell *s, struct err *e)
{
    struct host_probe *p = k->probe;
    struct slice said;
    int rv = greet(k, s, e);

    p->power = s->power;
    p->refusal = s->refusal;
    if (rv == 0)
        rv = ask(s, facts_script, k->rules->home, false, &k->arena, &said, e);
    if (rv == 0)
        rv = facts_read(said, &k->arena, &p->facts, e);
    if (rv == 0 && k->rules->url != NULL) {
        rv = ask(s, reach_script, k->rules->url, true, &k->arena, &said, e);
        if (rv == 0)
            rv = facts_read_reach(said, &k->arena, &p->reach, &p->reach_reason, e);
    }
    return rv;
}

/* What went wrong, as the host's finding, or as our own failure. */
static void note_failure(struct looking *k, int rv, const struct err *why)
{
    struct host_probe *p = k->probe;

    if (rv == ERR_CANCELLED.code || rv == ERR_NOMEM.code || rv == ERR_BUSY.code)
        k->ours = *why;
    else if (rv == ERR_TIMEOUT.code)
        (void)silent(p->ip, ASK_MS, &p->failed);
    else if (rv == ERR_UNEXPECTED.code)
        (void)err_set(&p->failed, &ERR_HOST_OUTPUT, "%s", p->ip);
    else if (rv != 0)
        p->failed = *why;
}

static void look(void *data)
{
    struct looking *k = data;
    const struct host_place *at = k->place;
    struct shell s = { .ssh = NULL };
    struct err e = { 0 };
    int64_t former;
    int rv = host_shell_open(k->hosts, k->login, at->ip, at->port, at->fingerprint, &k->arena, &s, k->probe->fingerprint, &e);

    former = fiber_narrow_deadline(ASK_MS);
    if (rv == 0)
        rv = gather(k, &s, &e);
    fiber_restore_deadline(former);
    shell_close(&s);
    note_failure(k, rv, &e);
}

/* ---- all of them ------------------------------------------------------------------------------------------------------- */

static bool keep(const char **text, struct arena *arena)
{
    if (*text != NULL)
        *text = arena_strdup(arena, *text);
    else
        *text = "";
    return *text != NULL;
}

/* Takes over what lies in the arena of the fiber. */
static bool keep_probe(struct host_probe *p, struct arena *arena)
{
    const char **const texts[] = { &p->refusal, &p->reach_reason, &p->facts.system, &p->facts.machine, &p->facts.kernel, &p->facts.name,
                                   &p->facts.os, &p->facts.release, &p->facts.title, &p->facts.serial, &p->facts.agent_ocp, &p->facts.agent_host, &p->facts.exporter };
    struct addr *listening = arena_array(arena, p->facts.n_listening + 1, sizeof *listening);
    bool ok = listening != NULL;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        ok = ok && keep(texts[i], arena);
    if (ok && p->facts.n_listening > 0)
        memcpy(listening, p->facts.listening, p->facts.n_listening * sizeof *listening);
    p->facts.listening = listening;
    return ok;
}

static int look_at_all(struct looking *all, size_t n, struct err *e)
{
    int rv = fiber_each("look at a host", look, all, sizeof *all, n, e);

    for (size_t i = 0; rv == 0 && i < n; i++)
        if (all[i].ours.row != NULL) {
            *e = all[i].ours;
            rv = e->row->code;
        }
    return rv;
}

/* Agents of ours whose hosts are gone from MetaDB may be replaced. */
static int find_strays(struct db *d, const struct check_rules *rules, struct host_probe *probes, size_t n, struct arena *arena, struct err *e)
{
    int rv = 0;

    for (size_t i = 0; rv == 0 && i < n; i++) {
        struct host_probe *p = &probes[i];
        struct err none = { 0 };
        struct host h;

        if (strcmp(p->facts.agent_ocp, rules->ocp_id) != 0 || p->facts.agent_ocp[0] == '\0')
            continue;
        rv = store_host_get(d, strtoll(p->facts.agent_host, NULL, 10), arena, &h, &none);
        p->agent_is_stray = rv == ERR_NOT_FOUND.code;
        if (rv == ERR_NOT_FOUND.code)
            rv = 0;
        else if (rv != 0)
            *e = none;
    }
    return rv;
}

int host_probe_all(struct hosts *h, struct db *d, const struct host_login *l, const struct host_place *places, size_t n,
                   const struct check_rules *rules, struct arena *arena, struct host_probe **out, struct err *e)
{
    struct looking *all = arena_array(arena, n + 1, sizeof *all);
    struct host_probe *probes = arena_array(arena, n + 1, sizeof *probes);
    int rv = 0;

    if (all == NULL || probes == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < n; i++) {
        all[i] = (struct looking){ .hosts = h, .login = l, .place = &places[i], .rules = rules, .probe = &probes[i] };
        arena_init(&all[i].arena);
        probes[i] = (struct host_probe){ .ip = places[i].ip, .host_id = places[i].host_id, .facts = { .free_bytes = -1 } };
    }
    rv = look_at_all(all, n, e);
    for (size_t i = 0; i < n; i++) {
        if (rv == 0 && !keep_probe(&probes[i], arena))
            rv = err_set(e, &ERR_NOMEM, "");
        arena_fini(&all[i].arena);
    }
    *out = probes;
    return rv == 0 ? find_strays(d, rules, probes, n, arena, e) : rv;
}

/* ---- what is allowed --------------------------------------------------------------------------------------------------- */

/* An address of ours that means this very machine tells a host nothing. */
static bool is_for_others(const char *url)
{
    const char *host = strstr(url, "://");

    host = host != NULL ? host + 3 : url;
    return host[0] != '\0' && strncmp(host, "localhost", 9) != 0 && strncmp(host, "127.", 4) != 0 && strncmp(host, "[::1]", 5) != 0;
}

int host_rules(struct hosts *h, struct db *d, struct arena *arena, struct check_rules *out, struct err *e)
{
    const struct parameters *p = h->conf.parameters;
    struct ocpcluster *cluster = NULL;
    const char *url, *prefix;
    int rv = parameter_text(h->conf.parameters, PARAM_OCP_SITE_URL, arena, &url, e);

    if (rv == 0)
        rv = parameter_text(h->conf.parameters, PARAM_OCP_AGENT_HOME_PATH_PREFIX, arena, &prefix, e);
    if (rv == 0)
        rv = store_ocpcluster_find(d, arena, &cluster, e);
    if (rv != 0)
        return rv;
    *out = (struct check_rules){
        .max_delay_ms = parameter_int(p, PARAM_OCP_HOST_SSH_PING_MAX_DELAY_MILLIS),
        .compare_clocks = parameter_bool(p, PARAM_OCP_HOST_CHECK_CLOCK_DIFF_ENABLE),
        .max_clock_diff_ms = parameter_int(p, PARAM_OCP_HOST_CHECK_CLOCK_DIFF_MAX_DIFF),
        .url = is_for_others(url) ? url : NULL,
        .home = arena_printf(arena, "%s/" HOST_AGENT_DIR, prefix),
        .ports = { parameter_int(p, PARAM_OCP_AGENT_MANAGER_HTTP_PORT), parameter_int(p, PARAM_OCP_AGENT_MONITOR_HTTP_PORT), HOST_NODE_EXPORTER_PORT },
        .min_free_bytes = AGENT_ROOM,
        .ocp_id = cluster != NULL ? cluster->cluster : "",
    };
    if (out->home == NULL)
        return err_set(e, &ERR_NOMEM, "");
    return host_program_machines(h->programs, arena, &out->machines, e);
}
