/* SPDX-License-Identifier: Apache-2.0 */
#include "src/server_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/host/host.h"
#include "src/iam/iam.h"
#include "src/iam/loginkey.h"
#include "src/configurl/configurl.h"
#include "src/package/package.h"
#include "src/obcluster/obcluster.h"
#include "src/setting/setting.h"
#include "src/store/embedded.h"
#include "src/store/migrate.h"
#include "src/vault/vault.h"

enum { RETRY_MS = 500, CERTIFICATES_MS = 5000 };

static int sign_of_life(void *data, struct err *e)
{
    struct server *s = data;

    (void)e;
    for (unsigned i = 0; i < s->n_workers; i++)
        if (clock_now_ms(&clock_system) - loop_stats(s->workers[i].api.loop).turned_at_ms > 5000)
            return err_set(e, &ERR_UNEXPECTED, "loop %s has not turned for 5 seconds", s->workers[i].name);
    notify_watchdog(&s->notify);
    return 0;
}

static int migrate_both(struct server *s, struct err *e)
{
    int rv = migrate(s->metadb, metadb_migrations, s->node.name, e);

    return rv == 0 ? migrate(s->monitordb, monitordb_migrations, s->node.name, e) : rv;
}

/* Waits for the database as long as it takes; what waiting cannot cure ends the process. */
static int prepare_database(struct server *s, struct err *e)
{
    bool told = false;
    int rv;

    while ((rv = migrate_both(s, e)) != 0) {
        struct err ended;

        if (err_is(e, &ERR_SCHEMA_NEWER) || err_is(e, &ERR_SCHEMA_CHANGED) || fiber_is_cancelled(fiber_current()))
            return rv;
        if (!told)
            log_warn(&s->log, "waiting for the database", LOG_E(e));
        told = true;
        rv = fiber_sleep(RETRY_MS, &ended);
        if (rv != 0)
            return rv;
    }
    return 0;
}

int server_make_data_dir(const struct settings *set, struct err *e)
{
    if (mkdir(set->data_dir, 0700) == 0 || errno == EEXIST)
        return 0;
    return err_set(e, &ERR_IO, "data_dir %s cannot be made: %s; make it, owned by the user that ocp-server runs as", set->data_dir, strerror(errno));
}

static int prepare_keys(struct server *s, struct err *e)
{
    bool created = false;
    char name[9];
    int rv = vault_new(s->boot->key_file, true, &created, &s->shared.vault, e);

    if (rv == 0)
        log_info(&s->log, created ? "master key made; keep a copy of the file" : "master key read", LOG_S("file", s->boot->key_file),
                 LOG_S("key", vault_key_name(s->shared.vault, name)));
    if (rv == 0)
        iam_use_vault(s->shared.iam, s->shared.vault);
    return rv == 0 ? setting_keeper_new(s->parameters, s->shared.vault, &s->log, &s->shared.setting, e) : rv;
}

/* Where nobody else reads it: a terminal or pipe that somebody gave us; the journal keeps things, so there a file of ours. */
static int tell_first_password(struct server *s, const char *password, struct err *e)
{
    char path[4096];
    FILE *f = stdout;

    if (!s->sink->journal) {
        (void)fprintf(f, "First administrator: user %s, password: %s (it must be changed at the first login)\n", USER_ADMIN, password);
        return fflush(f) == 0 ? 0 : err_set(e, &ERR_IO, "the first password could not be printed");
    }
    (void)snprintf(path, sizeof path, "%s/first-password", s->boot->data_dir);
    (void)umask(077);
    f = fopen(path, "we");
    if (f == NULL || fprintf(f, "%s\n", password) < 0 || fclose(f) != 0)
        return err_set(e, &ERR_IO, "%s: the first password could not be written", path);
    log_info(&s->log, "first administrator made; the password, to be changed at the first login, is in a file", LOG_S("user", USER_ADMIN),
             LOG_S("file", path));
    return 0;
}

static int prepare_admin(struct server *s, struct err *e)
{
    struct user_context c = server_user_context(s);
    char password[PASSWORD_RANDOM_SIZE];
    bool created = false;
    int rv = user_found_admin(&c, password, &created, e);

    if (rv == 0 && created)
        rv = tell_first_password(s, password, e);
    mem_wipe(password, sizeof password);
    return rv;
}

static void watch_users(void *data)
{
    struct server *s = data;

    iam_watch(s->shared.iam, s->metadb);
}

static int refresh_parameters(void *data, struct err *e)
{
    struct server *s = data;

    return setting_refresh(s->shared.setting, s->metadb, e);
}

static const struct job domain_jobs[] = {
    { "node", NODE_BEAT_MS, 5000, server_beat, true },
    { "certificates", CERTIFICATES_MS, 20000, server_keep_certificates, true },
    { "system parameters", SETTING_REFRESH_MS, 5000, refresh_parameters, false },
    { NULL },
};

static int make_leases(struct server *s, struct err *e)
{
    struct leases_conf conf = { .loop = s->control, .db = s->metadb, .log = &s->log, .self = &s->self, .seed = s->seed += 0x9e3779b97f4a7c15u };
    int rv = leases_new(&conf, &s->leases, e);

    s->shared.leases = rv == 0 ? s->leases : NULL;

    return rv == 0 ? leases_start(s->leases, e) : rv;
}

/* Needs the keys, so it is not part of server_build(). */
static int make_obclusters(struct server *s, struct err *e)
{
    struct obclusters_conf conf = {
        .vault = s->shared.vault,
        .connect_pool = s->visits,
        .settings = s->box,
        .clock = &clock_system,
        .log = &s->log,
        .node = s->node.name,
        .leases = s->leases,
    };

    return obclusters_new(&conf, &s->domains.obclusters, e);
}

static int make_configurl(struct server *s, struct err *e)
{
    struct configurl_conf conf = { .settings = s->box, .parameters = s->parameters, .clock = &clock_system, .log = &s->log };

    return configurl_new(&conf, &s->domains.configurl, e);
}

static int make_hosts(struct server *s, struct err *e)
{
    struct hosts_conf conf = {
        .vault = s->shared.vault,
        .connect_pool = s->connect,
        .long_pool = s->longer,
        .parameters = s->parameters,
        .home = s->home,
        .settings = s->box,
        .clock = &clock_system,
        .program_dir = s->boot->agent.program_dir,
    };

    return hosts_new(&conf, &s->domains.hosts, e);
}

static const int64_t login_key_bits[] = { 0, 1024, 2048 }; /* by the setting's values */

/* Sealed under another master key than this node has: a node without it is better than none. */
static int prepare_login_key(struct server *s, struct err *e)
{
    int64_t bits = login_key_bits[s->boot->iam.login_key];
    int rv = login_keys_new(bits, s->metadb, s->shared.vault, s->crypto, &s->shared.login_keys, e);

    if (rv == 0 || !err_is(e, &ERR_VAULT_OPEN))
        return rv;
    log_warn(&s->log, "there is no login key: this node takes passwords in clear only", LOG_E(e));
    return login_keys_new(0, s->metadb, s->shared.vault, s->crypto, &s->shared.login_keys, e);
}

static int prepare_domains(struct server *s, struct err *e)
{
    int rv = refresh_parameters(s, e);

    if (rv == 0)
        rv = prepare_admin(s, e);
    if (rv == 0)
        rv = iam_refresh_rules(s->shared.iam, s->metadb, e);
    if (rv == 0)
        rv = prepare_login_key(s, e);
    if (rv == 0)
        rv = make_leases(s, e);
    if (rv == 0)
        rv = make_configurl(s, e);
    if (rv == 0)
        rv = make_obclusters(s, e);
    if (rv == 0)
        rv = make_hosts(s, e);
    if (rv == 0)
        rv = packages_recover(s->domains.packages, s->metadb, e);
    if (rv == 0)
        rv = obclusters_watch(s->domains.obclusters, s->metadb, s->seed += 0x9e3779b97f4a7c15u, e);
    if (rv == 0)
        rv = jobs_start(s->control, domain_jobs, s, &s->log, s->seed + 1, NULL, e);
    return rv == 0 ? fiber_start(s->control, "users", watch_users, s, NULL, e) : rv;
}

static int start_jobs(struct server *s, struct err *e)
{
    const struct job always[] = {
        { "sign of life", s->notify.watchdog_ms > 0 ? s->notify.watchdog_ms / 3 : 5000, 5000, sign_of_life, true },
        { NULL },
    };

    memcpy(s->jobs, always, sizeof always);
    return jobs_start(s->control, s->jobs, s, &s->log, s->seed, NULL, e);
}

int server_start_embedded(struct server *s, struct err *e)
{
    const char *const databases[] = { s->boot->db.database, s->boot->monitordb.database, s->package_schema, NULL };
    struct embedded_conf conf = {
        .dir = s->boot->standalone.data_dir,
        .databases = databases,
        .connect_pool = s->connect,
        .log = &s->log,
    };

    return s->boot->standalone.enabled ? embedded_start(&conf, &s->embedded, e) : 0;
}

static int prepare(struct server *s, struct err *e)
{
    int rv = server_make_data_dir(s->boot, e);

    if (rv == 0)
        rv = prepare_keys(s, e);
    if (rv == 0)
        rv = start_jobs(s, e);
    if (rv == 0)
        rv = server_open_home(s, e);
    if (rv == 0)
        rv = server_start_embedded(s, e);
    if (rv == 0)
        rv = prepare_database(s, e);
    if (rv == 0)
        rv = server_take_part(s, e);
    if (rv == 0)
        rv = prepare_domains(s, e);
    return rv == 0 ? server_may_lead(s, e) : rv;
}

void server_start(void *data)
{
    struct server *s = data;

    s->start_rv = prepare(s, &s->start_error);
    if (s->start_rv != 0) {
        if (!s->stopping)
            server_begin_stop(s);
        return;
    }
    s->node.ready = true;
    log_info(&s->log, "ready", LOG_S("version", s->node.version), LOG_I("loops", s->n_workers));
    notify_ready(&s->notify, "serving");
}
