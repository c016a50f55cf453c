/* SPDX-License-Identifier: Apache-2.0 */
/* ocp-server --found, --join and --recover: they do their work and end. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/io/file.h"
#include "src/io/secret.h"
#include "src/node/address.h"
#include "src/node/members.h"
#include "src/server.h"
#include "src/server_parts.h"
#include "src/store/embedded.h"
#include "src/store/migrate.h"
#include "src/vault/vault.h"

enum { COMMAND_MS = 120000 };

/* --- join ------------------------------------------------------------------------------------------------------------------------ */

static int read_bundle_file(const char *path, struct arena *arena, struct slice *out, struct err *e)
{
    char *text = arena_alloc(arena, BUNDLE_MAX_BYTES + 1);
    FILE *f;

    if (text == NULL)
        return err_set(e, &ERR_NOMEM, "");
    f = fopen(path, "re");
    if (f == NULL)
        return err_set(e, &ERR_IO, "%s cannot be read: %s", path, strerror(errno));
    *out = (struct slice){ text, fread(text, 1, BUNDLE_MAX_BYTES + 1, f) };
    (void)fclose(f); /* it was read only */
    return 0;
}

static int settle(const struct settings *set, const struct bundle *b, struct err *e)
{
    struct node_home *home;
    int rv = server_make_data_dir(set, e);

    if (rv == 0)
        rv = node_home_open(set->data_dir, &home, e);
    if (rv != 0)
        return rv;
    rv = node_join(home, set->key_file, b, e);
    node_home_close(home);
    return rv;
}

static int open_and_settle(const struct settings *set, struct slice text, const char *secret, struct arena *arena, struct err *e)
{
    struct bundle_sealed sealed;
    struct bundle b;
    int rv = bundle_read(text, arena, &b, &sealed, e);

    if (rv == 0)
        rv = bundle_open(&b, &sealed, secret, arena, e);
    if (rv == 0)
        rv = settle(set, &b, e);
    if (rv == 0)
        (void)printf("This machine is node %" PRIu64 " of a cluster of %u, in generation %" PRIu64 ". Start ocp-server now.\n", b.identity.node,
                     b.n_members, b.identity.generation);
    bundle_wipe(&b);
    return rv;
}

int server_join(struct settings_box *box, const struct cli *cli, struct log_sink *sink, struct err *e)
{
    const struct settings *set = settings_get(box);
    struct slice text;
    const char *secret;
    struct arena arena;
    int rv = 0;

    (void)sink;
    arena_init(&arena);
    if (set->standalone.enabled)
        rv = err_set(e, &ERR_INVALID, "a node of a cluster shares its MetaDB with the others: remove standalone, and give db.endpoints");
    if (rv == 0)
        rv = read_bundle_file(cli->argument, &arena, &text, e);
    if (rv == 0)
        rv = secret_read(cli->secret_file, "OCP_JOIN_SECRET", "Join secret of this bundle: ", &arena, &secret, e);
    if (rv == 0)
        rv = open_and_settle(set, text, secret, &arena, e);
    arena_fini(&arena);
    settings_put(set);
    return rv;
}

/* --- bundles for others ---------------------------------------------------------------------------------------------------------- */

struct members_run {
    struct server *s;
    struct members_context c;
    struct node_seat seats[MEMBERS_MAX];
    struct charter charter;
    struct arena arena;
};

static int make_out_dir(const char *dir, struct err *e)
{
    if (mkdir(dir, 0700) == 0 || errno == EEXIST)
        return 0;
    return err_set(e, &ERR_IO, "%s cannot be made: %s", dir, strerror(errno));
}

static int save(const char *path, const struct str *text, struct err *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), rv = 0;

    if (fd < 0)
        return err_set(e, &ERR_IO, "%s cannot be made: %s", path, strerror(errno));
    if (!file_write_all(fd, text->s, text->n) || fsync(fd) != 0)
        rv = err_set(e, &ERR_IO, "%s cannot be written: %s", path, strerror(errno));
    (void)close(fd); /* what fsync has confirmed stays */
    return rv;
}

/* "DIR/10.0.0.1_8081.bundle" */
static char *bundle_path(struct members_run *r, unsigned i)
{
    char *path = arena_printf(&r->arena, "%s/%s.bundle", r->s->cli->out, r->seats[i].address);

    for (char *p = path != NULL ? path + strlen(r->s->cli->out) : NULL; p != NULL && *p != '\0'; p++)
        if (*p == ':' || *p == '[' || *p == ']')
            *p = '_';
    return path;
}

static int write_bundle(struct members_run *r, unsigned i, struct err *e)
{
    char secret[BUNDLE_SECRET_SIZE], *path = bundle_path(r, i);
    struct str text;
    int rv;

    if (path == NULL)
        return err_set(e, &ERR_NOMEM, "");
    str_init(&text, &r->arena);
    rv = node_bundle_make(&r->c, &r->charter, i, true, &r->arena, &text, secret, e);
    if (rv == 0)
        rv = save(path, &text, e);
    if (rv == 0)
        (void)printf("%-24s %-8s %s   secret %s\n", r->seats[i].address, r->seats[i].role == MEMBER_VOTER ? "voter" : "standby", path, secret);
    mem_wipe(secret, sizeof secret);
    return rv;
}

static int write_bundles(struct members_run *r, struct err *e)
{
    int rv = make_out_dir(r->s->cli->out, e);

    if (rv == 0)
        (void)printf("Cluster %s, generation %" PRId64 ", %u nodes:\n", r->charter.row->cluster, r->charter.generation, r->charter.n);
    for (unsigned i = 0; rv == 0 && i < r->charter.n; i++)
        rv = write_bundle(r, i, e);
    if (rv == 0)
        (void)puts("Take each file to its node and run there: ocp-server --join FILE. Each secret is shown here only; "
                   "run this command again for new ones until the cluster has had its first leader.");
    return rv;
}

/* This machine joins by its own hand. */
static int settle_here(struct members_run *r, struct err *e)
{
    char secret[BUNDLE_SECRET_SIZE];
    struct str text;
    int rv;

    str_init(&text, &r->arena);
    rv = node_bundle_make(&r->c, &r->charter, 0, true, &r->arena, &text, secret, e);
    if (rv == 0)
        rv = open_and_settle(r->s->boot, (struct slice){ text.s, text.n }, secret, &r->arena, e);
    mem_wipe(secret, sizeof secret);
    return rv;
}

/* --- found and recover ----------------------------------------------------------------------------------------------------------- */

static int take_seats(struct members_run *r, unsigned *n, struct err *e)
{
    struct server *s = r->s;
    struct addr own;
    int rv;

    if (s->cli->nodes != NULL)
        return node_seats_parse(s->cli->nodes, s->connect, r->seats, n, e);
    rv = node_peer_address(s->boot, s->connect, &own, e);
    r->seats[0] = (struct node_seat){ .role = MEMBER_VOTER };
    (void)addr_text_port(&own, r->seats[0].address);
    *n = 1;
    return rv;
}

/* A lock on the folder shows that no ocp-server uses it: before anything is changed. */
static int check_unused(const struct settings *set, struct err *e)
{
    struct node_home *home;
    int rv = server_make_data_dir(set, e);

    if (rv == 0)
        rv = node_home_open(set->data_dir, &home, e);
    if (rv == 0)
        node_home_close(home);
    return rv;
}

static int prepare(struct members_run *r, unsigned *n, struct err *e)
{
    struct server *s = r->s;
    bool created, founds = s->cli->command == CLI_FOUND;
    int rv = take_seats(r, n, e);

    if (rv == 0 && s->cli->nodes == NULL)
        rv = check_unused(s->boot, e);
    if (rv == 0 && founds)
        rv = server_make_data_dir(s->boot, e);
    if (rv == 0)
        rv = vault_new(s->boot->key_file, founds, &created, &s->shared.vault, e);
    if (rv == 0 && created)
        (void)printf("Master key made: %s. Keep a copy; all nodes get it in their bundles.\n", s->boot->key_file);
    if (rv == 0)
        rv = server_start_embedded(s, e);
    if (rv == 0)
        rv = migrate(s->metadb, metadb_migrations, s->node.name, e);
    r->c = (struct members_context){ s->metadb, s->shared.vault, s->boot->key_file };
    return rv;
}

static int run_found(struct members_run *r, struct err *e)
{
    unsigned n = 0;
    int rv = prepare(r, &n, e);

    if (rv == 0)
        rv = node_cluster_found(&r->c, r->seats, n, &r->arena, &r->charter, e);
    return rv == 0 ? write_bundles(r, e) : rv;
}

static int run_recover(struct members_run *r, struct err *e)
{
    unsigned n = 0;
    int rv = prepare(r, &n, e);

    if (rv == 0)
        rv = node_cluster_recover(&r->c, r->seats, n, r->s->cli->restored, &r->arena, &r->charter, e);
    if (rv != 0)
        return rv;
    return r->s->cli->nodes != NULL ? write_bundles(r, e) : settle_here(r, e);
}

static void members_fiber(void *data)
{
    struct server *s = data;
    struct members_run *r = mem_zalloc(sizeof *r);

    (void)fiber_narrow_deadline(COMMAND_MS);
    if (r == NULL) {
        s->start_rv = err_set(&s->start_error, &ERR_NOMEM, "");
    } else {
        r->s = s;
        arena_init(&r->arena);
        s->start_rv = s->cli->command == CLI_FOUND ? run_found(r, &s->start_error) : run_recover(r, &s->start_error);
        (void)fiber_shield(true);
        embedded_stop(s->embedded);
        arena_fini(&r->arena);
        mem_free(r);
    }
    loop_stop(s->control);
}

int server_found(struct settings_box *box, const struct cli *cli, struct log_sink *sink, struct err *e)
{
    const struct settings *set = settings_get(box);
    bool alone = set->standalone.enabled;

    settings_put(set);
    if (alone)
        return err_set(e, &ERR_INVALID, "standalone has a MetaDB of its own that no other node reaches: remove standalone, and give db.endpoints");
    return server_run_once(box, cli, sink, "found", members_fiber, e);
}

int server_recover(struct settings_box *box, const struct cli *cli, struct log_sink *sink, struct err *e)
{
    const struct settings *set = settings_get(box);
    bool alone = set->standalone.enabled;

    settings_put(set);
    if (alone && cli->nodes != NULL)
        return err_set(e, &ERR_INVALID, "with standalone there is this node alone: leave out --nodes");
    return server_run_once(box, cli, sink, "recover", members_fiber, e);
}
