/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/embedded_server.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "src/io/fiber.h"

enum { INSTALL_TIMEOUT_MS = 180 * 1000, UPGRADE_TIMEOUT_MS = 1800 * 1000, VERSION_TIMEOUT_MS = 30 * 1000 };

/* Texts of one command, in an arena: the vector grows until its end is asked for. */
struct command {
    struct arena arena;
    const char *argv[64];
    unsigned n;
    const char *env[8];
    bool failed;
};

__attribute__((format(printf, 2, 3))) static void add(struct command *c, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof text || c->n + 1 >= sizeof c->argv / sizeof c->argv[0])
        c->failed = true;
    else if ((c->argv[c->n] = arena_strdup(&c->arena, text)) == NULL)
        c->failed = true;
    else
        c->n++;
}

static void command_init(struct command *c, const char *program, const struct embedded_dir *d)
{
    memset(c, 0, sizeof *c);
    arena_init(&c->arena);
    add(c, "%s", program);
    c->env[0] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    c->env[1] = "LC_ALL=C.UTF-8";
    c->env[2] = "TZ=UTC";
    c->env[3] = "UMASK=0600"; /* of MariaDB: modes of the files and folders it makes */
    c->env[4] = "UMASK_DIR=0700";
    c->env[5] = arena_printf(&c->arena, "HOME=%s", d->path);
    c->env[6] = c->env[5] != NULL ? arena_printf(&c->arena, "TMPDIR=%s/tmp", d->path) : NULL;
    c->failed = c->failed || c->env[6] == NULL;
}

static struct child_conf conf_of(const struct command *c, const struct embedded_dir *d)
{
    return (struct child_conf){ .argv = c->argv, .env = c->env, .cwd = d->path, .set_user = d->changes_user, .uid = d->uid, .gid = d->gid,
                                .death_signal = SIGTERM, .capture_bytes = 16384 };
}

/* Says in the log all that a failed command said, and returns the line that names what went wrong: the first that speaks of an
 * error, else the last. */
static struct slice report(const struct embedded_conf *conf, const char *program, struct slice text)
{
    struct slice chosen = SLICE("no message"), rest = text;
    bool is_error = false;

    while (rest.n > 0) {
        struct slice line = slice_trim(slice_cut(&rest, '\n'));
        char copy[CHILD_LINE_MAX];

        if (line.n == 0)
            continue;
        (void)snprintf(copy, sizeof copy, "%.*s", SLICE_FMT(line));
        log_warn(conf->log, "a command of the embedded MetaDB failed", LOG_S("command", program), LOG_S("text", copy));
        if (!is_error)
            chosen = line;
        is_error = is_error || strcasestr(copy, "error") != NULL;
    }
    return chosen;
}

/* Runs a command to its end; what it wrote to stdout in `out` when that is not NULL. Takes the command. */
static int run(struct command *c, const struct embedded_conf *conf, const struct embedded_dir *d, int64_t timeout_ms, char *out, size_t size,
               struct err *e)
{
    struct child_conf child = conf_of(c, d);
    int64_t former = fiber_narrow_deadline(timeout_ms);
    struct child_result r;
    char status[64];
    int rv = c->failed ? err_set(e, &ERR_NOMEM, "") : child_run(&child, &c->arena, &r, e);

    fiber_restore_deadline(former);
    if (rv == 0 && r.status.code != 0)
        rv = embedded_dir_fails(d, e, "%s: %s: %.*s", c->argv[0], child_status_text(&r.status, status, sizeof status),
                                SLICE_FMT(report(conf, c->argv[0], r.err.n > 0 ? r.err : r.out)));
    else if (rv == 0 && out != NULL)
        (void)snprintf(out, size, "%s", r.out.s);
    arena_fini(&c->arena);
    return rv;
}

bool mariadb_version_parse(const char *text, struct mariadb_version *v)
{
    unsigned patch;

    *v = (struct mariadb_version){ .major = 0 };
    if (sscanf(text, "%3u.%3u.%3u", &v->major, &v->minor, &patch) != 3 || strstr(text, "MariaDB") == NULL)
        return false;
    (void)snprintf(v->text, sizeof v->text, "%.*s", (int)strcspn(text, " \n"), text);
    return true;
}

int mariadb_version(const struct embedded_conf *conf, const struct embedded_dir *d, struct mariadb_version *v, struct err *e)
{
    struct command c;
    char text[256];
    const char *at;
    int rv;

    command_init(&c, conf->mariadbd, d);
    add(&c, "%s", "--no-defaults");
    add(&c, "%s", "--version");
    rv = run(&c, conf, d, VERSION_TIMEOUT_MS, text, sizeof text, e);
    if (err_is(e, &ERR_IO) && rv != 0)
        return embedded_dir_fails(d, e, "%s cannot be run; install the package mariadb-server-core", conf->mariadbd);
    if (rv != 0)
        return rv;
    at = strstr(text, "Ver "); /* "mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu ..." */
    if (at == NULL || !mariadb_version_parse(at + 4, v))
        return embedded_dir_fails(d, e, "%s is not MariaDB: %.60s", conf->mariadbd, text);
    return 0;
}

static int remove_folder(const struct embedded_conf *conf, const struct embedded_dir *d, const char *name, struct err *e)
{
    struct command c;

    command_init(&c, "/bin/rm", d);
    add(&c, "%s", "-rf");
    add(&c, "%s/%s", d->path, name);
    return run(&c, conf, d, INSTALL_TIMEOUT_MS, NULL, 0, e);
}

int mariadb_install(const struct embedded_conf *conf, const struct embedded_dir *d, const struct mariadb_version *v, struct err *e)
{
    struct command c;
    int rv = embedded_dir_has(d, "data.new") ? remove_folder(conf, d, "data.new", e) : 0;

    if (rv == 0)
        rv = embedded_dir_make(d, "data.new", e);
    if (rv != 0)
        return rv;
    command_init(&c, conf->install_db, d);
    add(&c, "%s", "--no-defaults");
    add(&c, "--datadir=%s/data.new", d->path);
    add(&c, "--tmpdir=%s/tmp", d->path);
    add(&c, "%s", "--auth-root-authentication-method=socket");
    add(&c, "--auth-root-socket-user=%s", d->self);
    add(&c, "%s", "--skip-test-db");
    add(&c, "%s", "--skip-name-resolve");
    add(&c, "%s", "--force"); /* a machine that cannot resolve its own name is fine: nothing comes over the network */
    add(&c, "%s", "--innodb-log-file-size=32M");
    rv = run(&c, conf, d, INSTALL_TIMEOUT_MS, NULL, 0, e);
    if (rv == 0)
        rv = embedded_dir_write(d, "data.new", "ocp_version", v->text, e);
    return rv == 0 ? embedded_dir_rename(d, "data.new", "data", e) : rv;
}

int mariadb_upgrade(const struct embedded_conf *conf, const struct embedded_dir *d, struct err *e)
{
    struct command c;

    /* as the account, which has a database user of its own for this: it writes a file into the data folder */
    command_init(&c, conf->upgrade, d);
    add(&c, "%s", "--no-defaults");
    add(&c, "--socket=%s/sock", d->path);
    add(&c, "--user=%s", d->account);
    add(&c, "--tmpdir=%s/tmp", d->path);
    add(&c, "%s", "--force");
    return run(&c, conf, d, UPGRADE_TIMEOUT_MS, NULL, 0, e);
}

/* Options of mariadbd but for paths and sizes. All exist in 10.11 and in 11.8. */
static const char *const options[] = {
    /* only the socket, only by user id */
    "--skip-networking", "--skip-name-resolve", "--skip-symbolic-links", "--local-infile=OFF",
    /* a commit is on disk before it is acknowledged; there is no replica, so no binary log */
    "--skip-log-bin", "--innodb-flush-log-at-trx-commit=1", "--innodb-doublewrite=ON",
    /* what the SQL of the store expects from any server */
    "--character-set-server=utf8mb4", "--collation-server=utf8mb4_bin", "--transaction-isolation=READ-COMMITTED",
    "--default-time-zone=+00:00", "--max-allowed-packet=64M", "--default-storage-engine=InnoDB",
    /* small */
    "--performance-schema=OFF", "--feedback=OFF", "--event-scheduler=OFF", "--innodb-log-file-size=32M",
    "--innodb-buffer-pool-dump-at-shutdown=OFF", "--innodb-buffer-pool-load-at-startup=OFF", "--innodb-read-io-threads=1",
    "--innodb-write-io-threads=2", "--innodb-purge-threads=1", "--key-buffer-size=1M", "--aria-pagecache-buffer-size=2M",
    "--table-open-cache=400", "--thread-cache-size=8",
};

static void add_account_name(struct str *t, const char *name)
{
    str_add_c(t, '\'');
    for (; *name != '\0'; name++) {
        if (*name == '\'' || *name == '\\')
            str_add_c(t, '\\');
        str_add_c(t, *name);
    }
    str_add(t, "'@'localhost'");
}

static void add_user(struct str *t, const char *name)
{
    static const char *const statements[][2] = {
        { "CREATE USER IF NOT EXISTS ", " IDENTIFIED VIA unix_socket;\n" },
        { "ALTER USER ", " IDENTIFIED VIA unix_socket;\n" },
        { "GRANT ALL ON *.* TO ", " WITH GRANT OPTION;\n" },
    };

    for (unsigned i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        str_add(t, statements[i][0]);
        add_account_name(t, name);
        str_add(t, statements[i][1]);
    }
}

/* Run by mariadbd with all rights before it listens: our way in, and the databases. One statement in a line. */
static int write_init_file(const struct embedded_conf *conf, const struct embedded_dir *d, struct err *e)
{
    struct str t;
    int rv;

    str_init(&t, NULL);
    add_user(&t, d->self);
    if (d->account[0] != '\0' && strcmp(d->account, d->self) != 0)
        add_user(&t, d->account);
    for (const char *const *name = conf->databases; *name != NULL; name++)
        str_printf(&t, "CREATE DATABASE IF NOT EXISTS `%s` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;\n", *name);
    rv = str_failed(&t) ? err_set(e, &ERR_NOMEM, "") : embedded_dir_write(d, ".", "init.sql", str_c(&t), e);
    str_fini(&t);
    return rv;
}

int mariadb_spawn(const struct embedded_conf *conf, const struct embedded_dir *d,
                  void (*on_line)(void *data, enum child_stream stream, struct slice line), void *data, struct child **out, struct err *e)
{
    struct command c;
    struct child_conf child;
    int rv = write_init_file(conf, d, e);

    if (rv != 0)
        return rv;
    command_init(&c, conf->mariadbd, d);
    add(&c, "%s", "--no-defaults");
    add(&c, "--datadir=%s/data", d->path);
    add(&c, "--socket=%s/sock", d->path);
    add(&c, "--pid-file=%s/pid", d->path);
    add(&c, "--tmpdir=%s/tmp", d->path);
    add(&c, "--secure-file-priv=%s/tmp", d->path);
    add(&c, "--init-file=%s/init.sql", d->path);
    add(&c, "--innodb-buffer-pool-size=%uM", conf->buffer_pool_mb);
    add(&c, "--max-connections=%u", conf->max_connections);
    for (unsigned i = 0; i < sizeof options / sizeof options[0]; i++)
        add(&c, "%s", options[i]);
    child = conf_of(&c, d);
    child.on_line = on_line;
    child.data = data;
    rv = c.failed ? err_set(e, &ERR_NOMEM, "") : child_start(&child, out, e);
    arena_fini(&c.arena);
    return rv;
}
