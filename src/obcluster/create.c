/* SPDX-License-Identifier: Apache-2.0 */
#include "src/obcluster/create_inside.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "src/store/place.h"

enum { SECRET_BYTES = 16, MAX_SERVERS = 60 };

/* --- what is known --------------------------------------------------------------------------------------------------------------- */

static size_t count_servers(const struct create_want *w)
{
    size_t n = 0;

    for (size_t i = 0; i < w->n_zones; i++)
        n += w->zones[i].servers.n;
    return n;
}

static int read_hosts(struct create *c, struct err *e)
{
    size_t n = count_servers(c->want), at = 0;
    struct create_host *known;
    struct host_filter f = { .ids = { arena_array(c->arena, n + 1, sizeof(int64_t)), 0 } };
    int rv;

    if (f.ids.items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < c->want->n_zones; i++)
        for (size_t k = 0; k < c->want->zones[i].servers.n; k++)
            f.ids.items[f.ids.n++] = c->want->zones[i].servers.items[k];
    if (n == 0)
        return 0;
    if (n > MAX_SERVERS)
        return err_set(e, &ERR_INVALID, "zones: at most %d servers at once; add the others when the cluster is there", MAX_SERVERS);
    rv = store_host_list(c->db, &f, NULL, c->arena, &c->hosts, &c->n_hosts, NULL, e);
    known = arena_array(c->arena, c->n_hosts + 1, sizeof *known);
    if (rv != 0 || known == NULL)
        return rv != 0 ? rv : err_set(e, &ERR_NOMEM, "");
    for (; at < c->n_hosts; at++) {
        const struct host *h = &c->hosts[at];

        known[at] = (struct create_host){ h->id, h->ip, h->status, h->architecture != NULL ? h->architecture : "", h->idc_name != NULL ? h->idc_name : "" };
    }
    c->known.hosts = known;
    c->known.n_hosts = c->n_hosts;
    return 0;
}

static int read_idcs(struct create *c, struct err *e)
{
    const char **names;
    struct idc *list;
    size_t n;
    int rv = store_idc_list(c->db, NULL, c->arena, &list, &n, NULL, e);

    names = rv == 0 ? arena_array(c->arena, n + 1, sizeof *names) : NULL;
    if (names == NULL)
        return rv != 0 ? rv : err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < n; i++)
        names[i] = list[i].name;
    c->known.idcs = names;
    c->known.n_idcs = n;
    return 0;
}

static int read_package(struct create *c, struct err *e)
{
    int rv = store_package_get_named(c->db, c->want->package, c->arena, &c->package, e);

    c->known.package_found = rv == 0;
    c->known.package_type = rv == 0 ? c->package.type : "";
    c->known.package_architecture = rv == 0 ? c->package.architecture : "";
    c->known.package_version = rv == 0 ? c->package.version : "";
    if (rv != ERR_NOT_FOUND.code)
        return rv;
    err_clear(e);
    return 0;
}

static int read_there(struct create *c, struct err *e)
{
    struct field_strings ips = { arena_array(c->arena, c->n_hosts + 1, sizeof(char *)), c->n_hosts };
    struct obinstall_there *list;
    struct create_there *there;
    size_t n;
    int rv;

    if (ips.items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < c->n_hosts; i++)
        ips.items[i] = c->hosts[i].ip;
    if (ips.n == 0)
        return 0;
    rv = store_obinstall_there(c->db, ips, c->arena, &list, &n, e);
    there = rv == 0 ? arena_array(c->arena, n + 1, sizeof *there) : NULL;
    if (there == NULL)
        return rv != 0 ? rv : err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < n; i++)
        there[i] = (struct create_there){ list[i].ip, list[i].cluster, list[i].port, list[i].sql_port };
    c->known.there = there;
    c->known.n_there = n;
    return 0;
}

int create_read_known(struct create *c, struct err *e)
{
    int rv = read_hosts(c, e);

    if (rv == 0)
        rv = read_idcs(c, e);
    if (rv == 0)
        rv = read_package(c, e);
    return rv == 0 ? read_there(c, e) : rv;
}

static int look_up(struct create *c, struct create_reasons *out, struct err *e)
{
    struct obcluster *same;
    int rv = store_obcluster_find(c->db, "", 0, NULL, c->want->name, c->arena, &same, e);

    c->known.name_taken = rv == 0 && same != NULL;
    if (rv == 0)
        rv = create_read_known(c, e);
    return rv == 0 ? create_check(c->want, &c->known, c->arena, out, e) : rv;
}

int obcluster_create_check(struct db *d, const struct create_want *want, struct arena *arena, struct create_reasons *out, struct err *e)
{
    struct create c = { .db = d, .want = want, .arena = arena };

    return look_up(&c, out, e);
}

/* --- rows ------------------------------------------------------------------------------------------------------------------------ */

static int seal(struct create *c, struct vault_place at, const char *secret, struct slice *out, struct err *e)
{
    struct str sealed;
    int rv;

    str_init(&sealed, c->arena);
    rv = vault_seal(c->o->conf.vault, &at, (struct slice){ secret, strlen(secret) }, &sealed, e);
    *out = (struct slice){ sealed.s, sealed.n };
    return rv == 0 && str_failed(&sealed) ? err_set(e, &ERR_NOMEM, "") : rv;
}

static int make_secret(struct create *c, const char **out, struct err *e)
{
    unsigned char bytes[SECRET_BYTES];
    struct str t;

    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return err_set(e, &ERR_UNEXPECTED, "no random bytes");
    str_init(&t, c->arena);
    str_add(&t, "Ob1#");
    str_add_hex(&t, bytes, sizeof bytes);
    *out = str_c(&t);
    return str_failed(&t) ? err_set(e, &ERR_NOMEM, "") : 0;
}

static int seal_all(struct create *c, struct err *e)
{
    const char *proxyro = c->want->proxyro_password, *monitor;
    int rv = seal(c, obcluster_place(c->c.id), c->want->password, &c->c.password, e);

    if (rv == 0 && proxyro[0] == '\0')
        rv = make_secret(c, &proxyro, e);
    if (rv == 0)
        rv = seal(c, obcluster_proxyro_place(c->c.id), proxyro, &c->c.proxyro_password, e);
    if (rv == 0)
        rv = make_secret(c, &monitor, e);
    return rv == 0 ? seal(c, obcluster_monitor_place(c->c.id), monitor, &c->install.monitor_password, e) : rv;
}

static const struct host *host_of(const struct create *c, int64_t id)
{
    for (size_t i = 0; i < c->n_hosts; i++)
        if (c->hosts[i].id == id)
            return &c->hosts[i];
    return NULL; /* checked before */
}

static int compare_servers(const void *a, const void *b)
{
    const struct obinstall_server *x = a, *y = b;
    int by_zone = strcmp(x->zone, y->zone);

    return by_zone != 0 ? by_zone : (x->id > y->id) - (x->id < y->id);
}

int create_describe_servers(struct create *c, struct err *e)
{
    const struct create_want *w = c->want;

    c->servers = arena_array(c->arena, count_servers(w), sizeof *c->servers);
    if (c->servers == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < w->n_zones; i++)
        for (size_t k = 0; k < w->zones[i].servers.n; k++) {
            struct obinstall_server *s = &c->servers[c->n_servers++];
            const struct host *h = host_of(c, w->zones[i].servers.items[k]);
            int rv = db_next_id(c->db, &s->id, e);

            if (rv != 0)
                return rv;
            s->cluster_id = c->c.id;
            s->host_id = h->id;
            s->zone = w->zones[i].name;
            s->region = h->region_name != NULL && h->region_name[0] != '\0' ? h->region_name : "default_region";
            s->idc = w->zones[i].idc_name;
            s->ip = h->ip;
            s->port = w->port;
            s->sql_port = w->sql_port;
        }
    qsort(c->servers, c->n_servers, sizeof *c->servers, compare_servers);
    return 0;
}

static const char *parameters_text(const struct create *c)
{
    struct str t;

    str_init(&t, c->arena);
    str_add_c(&t, '{');
    for (size_t i = 0; i < c->want->n_parameters; i++) {
        json_add_key(&t, c->want->parameters[i].name);
        json_add_string(&t, c->want->parameters[i].value);
    }
    str_add_c(&t, '}');
    return str_failed(&t) ? NULL : t.s;
}

/* File names end with ".rpm". */
static const char *directory_of(const struct create *c)
{
    size_t n = strlen(c->package.file_name);

    return arena_strndup(c->arena, c->package.file_name, n > 4 ? n - 4 : n);
}

static int describe_install(struct create *c, struct err *e)
{
    const struct create_want *w = c->want;

    c->install = (struct obinstall){
        .cluster_id = c->c.id,
        .install_path = w->paths.install,
        .run_path = w->paths.run,
        .data_path = w->paths.data,
        .log_path = w->paths.log,
        .os_user = w->os_user,
        .package_id = c->package.id,
        .package = directory_of(c),
        .primary_zone = w->primary_zone,
        .parameters = parameters_text(c),
    };
    return c->install.package != NULL && c->install.parameters != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

static int describe_cluster(struct create *c, const struct obcluster_user *who, struct err *e)
{
    int64_t now = clock_wall_us(c->o->conf.clock);

    c->c.name = c->want->name;
    c->c.ob_cluster_id = now / 1000000; /* as OCP numbers them: a second is another number, and fits the kernel's 32 bits */
    c->c.engine = "OCEANBASE";
    c->c.type = "PRIMARY";
    c->c.status = OBCLUSTER_CREATING;
    c->c.address = c->servers[0].ip;
    c->c.port = c->servers[0].sql_port;
    c->c.connection_mode = "direct";
    c->c.username = "root@sys";
    c->c.instance = arena_printf(c->arena, "new:%lld", (long long)c->c.id);
    c->c.version = c->package.version;
    c->c.full_version = "";
    c->c.architecture = c->package.architecture;
    c->c.creator_id = who->id;
    c->c.creator_name = who->name;
    c->c.created_us = c->c.updated_us = now;
    return c->c.instance != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

static const char *arguments(const struct create *c)
{
    struct str t;

    str_init(&t, c->arena);
    str_add_c(&t, '{');
    json_add_key(&t, "sysMemory");
    json_add_string(&t, c->want->sys_unit.memory);
    json_add_key(&t, "sysLogDisk");
    json_add_string(&t, c->want->sys_unit.log_disk);
    str_add_c(&t, '}');
    return str_failed(&t) ? NULL : t.s;
}

static int describe_task(struct create *c, const struct obcluster_user *who, struct err *e)
{
    int rv = install_plan_make(c->servers, c->n_servers, c->arena, &c->plan, e);

    c->locks = arena_array(c->arena, c->n_servers + 1, sizeof *c->locks);
    if (rv != 0 || c->locks == NULL)
        return rv != 0 ? rv : err_set(e, &ERR_NOMEM, "");
    c->locks[0] = (struct task_lock_want){ "obcluster", c->c.id };
    for (size_t i = 0; i < c->n_servers; i++)
        c->locks[i + 1] = (struct task_lock_want){ "host", c->servers[i].host_id };
    c->task = (struct task_new){
        .flow = &flow_create,
        .name = arena_printf(c->arena, "Create cluster %s", c->c.name),
        .cluster_id = c->c.id,
        .ob_cluster_id = c->c.ob_cluster_id,
        .tenant_id = -1,
        .cluster_name = c->c.name,
        .creator_id = who->id,
        .creator_name = who->name,
        .arguments = arguments(c),
        .plan_data = &c->plan,
        .locks = c->locks,
        .n_locks = c->n_servers + 1,
        .node = c->o->conf.node,
        .now_us = c->c.created_us,
    };
    return c->task.name != NULL && c->task.arguments != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

static int describe(struct create *c, const struct obcluster_user *who, struct err *e)
{
    int rv = db_next_id(c->db, &c->c.id, e);

    if (rv == 0)
        rv = create_describe_servers(c, e);
    if (rv == 0)
        rv = describe_cluster(c, who, e);
    if (rv == 0)
        rv = describe_install(c, e);
    if (rv == 0)
        rv = seal_all(c, e);
    return rv == 0 ? describe_task(c, who, e) : rv;
}

static int insert_body(struct tx *tx, void *data, struct err *e)
{
    struct create *c = data;
    int rv = store_obcluster_insert(tx, &c->c, e);

    if (rv == 0)
        rv = store_obinstall_insert(tx, &c->install, e);
    for (size_t i = 0; rv == 0 && i < c->n_servers; i++)
        rv = store_obinstall_server_insert(tx, &c->servers[i], e);
    if (rv == 0)
        rv = task_insert(tx, &c->prepared, &c->task, c->arena, e);
    return rv == 0 ? store_package_use_in(tx, c->package.id, c->prepared.id, e) : rv;
}

int obcluster_create(struct obclusters *o, struct db *d, struct task_engine *t, const struct create_want *want, const struct obcluster_user *who,
                     struct arena *arena, struct obcluster_started *out, struct err *e)
{
    struct create c = { .o = o, .db = d, .want = want, .arena = arena };
    struct create_reasons reasons;
    int rv = look_up(&c, &reasons, e);

    if (rv == 0)
        rv = create_refuse(want, &reasons, e);
    if (rv == 0)
        rv = describe(&c, who, e);
    if (rv == 0)
        rv = task_prepare(d, &c.task, arena, &c.prepared, e);
    if (rv == 0)
        rv = db_transact(d, insert_body, &c, e);
    if (rv != 0)
        return rv;
    *out = (struct obcluster_started){ c.prepared.id, c.c.id, c.c.name };
    task_kick(t);
    return 0;
}
