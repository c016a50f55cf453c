/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/settings.h"
#include "src/base/json.h"

enum { MAX_ARGS = 16 };

/* A directory with the files of one test, and the sources made of them. */
struct place {
    char dir[32];
    char file[64], secret[64];
    const char *arguments[MAX_ARGS];
    struct settings_sources from;
    struct settings *settings;
    struct settings_problems problems;
    struct err e;
};

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static int make_place(void **state)
{
    struct place *p = calloc(1, sizeof *p);

    assert_non_null(p);
    memcpy(p->dir, "/tmp/ocp-settings-XXXXXX", 25);
    assert_non_null(mkdtemp(p->dir));
    (void)snprintf(p->file, sizeof p->file, "%s/ocp-server.conf", p->dir);
    (void)snprintf(p->secret, sizeof p->secret, "%s/secret", p->dir);
    p->from.arguments = p->arguments;
    settings_problems_init(&p->problems);
    *state = p;
    return 0;
}

static int remove_place(void **state)
{
    struct place *p = *state;

    settings_put(p->settings);
    settings_problems_fini(&p->problems);
    (void)unlink(p->file);
    (void)unlink(p->secret);
    (void)rmdir(p->dir);
    free(p);
    return 0;
}

static void set_file(struct place *p, const char *text)
{
    write_file(p->file, text, 0640);
    p->from.file = p->file;
}

static void set_argument(struct place *p, const char *text)
{
    p->arguments[p->from.n_arguments++] = text;
}

static int load(struct place *p)
{
    settings_put(p->settings);
    p->settings = NULL;
    settings_problems_fini(&p->problems);
    settings_problems_init(&p->problems);
    return settings_load(&p->from, &p->settings, &p->problems, &p->e);
}

/* The text of all problems, with the directory's name replaced by "DIR". Freed by the next call. */
static const char *problems(struct place *p)
{
    static char text[4096];
    struct str t;
    char *at;

    str_init(&t, NULL);
    settings_problems_add_text(&p->problems, &t);
    (void)snprintf(text, sizeof text, "%s", str_c(&t));
    str_fini(&t);
    while ((at = strstr(text, p->dir)) != NULL) {
        memcpy(at, "DIR", 3);
        memmove(at + 3, at + strlen(p->dir), strlen(at + strlen(p->dir)) + 1);
    }
    return text;
}

static void check_value(const struct settings *s, const char *name, const char *expected)
{
    struct str t;

    str_init(&t, NULL);
    setting_add_value(settings_find((struct slice){ name, strlen(name) }), s, &t);
    assert_string_equal(str_c(&t), expected);
    str_fini(&t);
}

/* ---- the table ------------------------------------------------------------------------------------------------------- */

static void check_row(const struct setting *s)
{
    size_t n = strlen(s->name);

    assert_true(n <= 64);
    for (size_t i = 0; i < n; i++)
        assert_true(islower((unsigned char)s->name[i]) || s->name[i] == '.' || s->name[i] == '_');
    assert_true(strcmp(s->name + (n > 5 ? n - 5 : 0), "_file") != 0 || settings_find((struct slice){ s->name, n - 5 }) == NULL);
    assert_non_null(s->def);
    assert_true(strlen(s->doc) > 10 && s->doc[strlen(s->doc) - 1] == '.');
    assert_int_equal(s->names != NULL, strcmp(s->type->name, "choice") == 0);
}

static void test_rows_are_whole(void **state)
{
    struct str a, b;

    (void)state;
    str_init(&a, NULL);
    str_init(&b, NULL);
    for (const struct setting *s = settings_table; s->name != NULL; s++) {
        check_row(s);
        str_clear(&a);
        setting_add_environment_name(s, &a);
        for (const struct setting *o = s + 1; o->name != NULL; o++) { /* no two share a member or a variable */
            assert_true(o->offset >= s->offset + s->type->size || s->offset >= o->offset + o->type->size);
            str_clear(&b);
            setting_add_environment_name(o, &b);
            assert_string_not_equal(str_c(&a), str_c(&b));
        }
    }
    str_fini(&a);
    str_fini(&b);
}

static void test_dump_is_json(void **state)
{
    struct str t;
    json_t *dump;
    struct err e;
    size_t n = 0;

    (void)state;
    str_init(&t, NULL);
    conf_dump_settings(&t);
    assert_ok(json_parse((struct slice){ t.s, t.n }, &dump, &e), &e);
    while (settings_table[n].name != NULL)
        n++;
    assert_int_equal(json_array_size(dump), n);
    for (size_t i = 0; i < n; i++) {
        json_t *row = json_array_get(dump, i);

        assert_string_equal(json_string_value(json_object_get(row, "name")), settings_table[i].name);
        assert_string_equal(json_string_value(json_object_get(row, "doc")), settings_table[i].doc);
        if (strcmp(settings_table[i].name, "db.password") == 0) {
            assert_true(json_is_true(json_object_get(row, "secret")));
            assert_string_equal(json_string_value(json_object_get(row, "environment")), "OCP_DB_PASSWORD");
        }
    }
    json_decref(dump);
    str_fini(&t);
}

/* ---- loading --------------------------------------------------------------------------------------------------------- */

static void test_defaults(void **state)
{
    struct place *p = *state;
    const struct settings *s;

    set_argument(p, "standalone");
    assert_ok(load(p), &p->e);
    s = p->settings;
    assert_int_equal(p->problems.n, 0);
    assert_true(s->standalone.enabled);
    assert_string_equal(s->key_file, "/var/lib/ocp-server/master.key");
    assert_int_equal(s->http.listen.n, 2);
    assert_string_equal(s->http.listen.items[1].host, "::1");
    assert_int_equal(s->http.listen.items[1].port, 8080);
    check_value(s, "http.listen", "127.0.0.1:8080, [::1]:8080");
    assert_int_equal(s->http.max_header_bytes, 32768);
    assert_int_equal(s->drain.lb_wait_ms, 2000);
    assert_int_equal(s->log.level, LOG_INFO);
    assert_string_equal(s->node.name, "");
}

static void test_values_in_force_are_read_again_as_they_are_written(void **state)
{
    struct place *p = *state;
    struct str text;

    set_argument(p, "standalone");
    set_argument(p, "http.listen=127.0.0.9:1, [fe80::1]:2,10.0.0.1:65535");
    set_argument(p, "http.allow_cleartext=on");
    set_argument(p, "log.format=JSON");
    assert_ok(load(p), &p->e);
    str_init(&text, NULL);
    for (const struct setting *s = settings_table; s->name != NULL; s++) {
        str_printf(&text, "%s = ", s->name);
        setting_add_value(s, p->settings, &text);
        str_add_c(&text, '\n');
    }
    set_file(p, str_c(&text));
    p->from.n_arguments = 0;
    assert_ok(load(p), &p->e);
    check_value(p->settings, "http.listen", "127.0.0.9:1, [fe80::1]:2, 10.0.0.1:65535");
    check_value(p->settings, "log.format", "json");
    check_value(p->settings, "http.max_header_size", "32KiB");
    check_value(p->settings, "drain.stream_timeout", "10s");
    str_fini(&text);
}

/* The shipped file says what the defaults are: with every '#' before a key removed it changes nothing. */
static void test_shipped_file_shows_the_defaults(void **state)
{
    const char *srcdir = getenv("srcdir");
    struct place *p = *state;
    char path[512], line[512];
    struct str text;
    unsigned n = 0;
    FILE *f;

    (void)snprintf(path, sizeof path, "%s/conf/dist/ocp-server.conf", srcdir != NULL ? srcdir : ".");
    f = fopen(path, "r");
    assert_non_null(f);
    str_init(&text, NULL);
    while (fgets(line, sizeof line, f) != NULL) {
        bool key = line[0] == '#' && islower((unsigned char)line[1]);

        n += key;
        str_add(&text, line + key);
    }
    (void)fclose(f);
    set_file(p, str_c(&text));
    str_fini(&text);
    set_argument(p, "standalone");
    assert_ok(load(p), &p->e);
    assert_int_equal(p->problems.n, 0);
    for (const struct setting *s = settings_table; s->name != NULL; s++, n--)
        if (strchr(s->def, '$') == NULL && strcmp(s->name, "standalone") != 0)
            check_value(p->settings, s->name, s->def);
    assert_int_equal(n, 0);
    assert_string_equal(p->settings->standalone.data_dir, "/var/lib/ocp-server/mariadb");
}

static void test_later_sources_win(void **state)
{
    static const char *const environment[] = { "PATH=/bin", "OCP_DB_USER=from environment", "OCP_DB_DATABASE=from environment", NULL };
    struct place *p = *state;

    set_file(p, "db.endpoints = a:1\ndb.user = from file\ndb.database = from file\nnode.zone = from file\n");
    p->from.environment = environment;
    set_argument(p, "db.database=first");
    set_argument(p, "db.database=from command line");
    assert_ok(load(p), &p->e);
    assert_int_equal(p->problems.n, 0);
    assert_string_equal(p->settings->node.zone, "from file");
    assert_string_equal(p->settings->db.user, "from environment");
    assert_string_equal(p->settings->db.database, "from command line");
}

static void test_secrets_come_from_files(void **state)
{
    static const char *const environment[] = { "OCP_DB_PASSWORD_FILE=/nonexistent", NULL };
    struct place *p = *state;
    char line[128];

    write_file(p->secret, " a;#b \n", 0600);
    (void)snprintf(line, sizeof line, "db.endpoints=a:1\ndb.user=u\ndb.password_file = %s\n", p->secret);
    set_file(p, line);
    assert_ok(load(p), &p->e);
    assert_string_equal(p->settings->db.password, " a;#b ");
    check_value(p->settings, "db.password", "******");
    check_value(p->settings, "monitordb.password", "******");
    p->from.environment = environment;
    assert_err(load(p), &p->e, ERR_INVALID);
    assert_string_equal(problems(p), "environment: db.password: cannot read its file /nonexistent: No such file or directory\n");
    p->from.environment = NULL;
    set_argument(p, "db.password=x");
    assert_ok(load(p), &p->e);
    assert_string_equal(problems(p), "command line: warning: db.password: every user of this machine can see it there: use a file\n");
}

static void test_readable_secrets_are_warned_of(void **state)
{
    struct place *p = *state;

    set_file(p, "db.endpoints=a:1\ndb.user=u\ndb.password = x\n");
    assert_int_equal(chmod(p->file, 0644), 0);
    assert_ok(load(p), &p->e);
    assert_string_equal(problems(p), "DIR/ocp-server.conf: warning: it holds a secret and everybody may read it: chmod o-r\n");
    assert_int_equal(p->problems.n_warnings, 1);
}

static void test_every_problem_is_found(void **state)
{
    static const char *const environment[] = { "OCP_LOG_LEVEL=loud", "OCP_HTTP_LOPS=3", "OCP_SERVER_PORT=tcp://1.2.3.4:5", NULL };
    struct place *p = *state;

    set_file(p, "# settings\nhttp.lisen = 127.0.0.1:80\nhttp.loops = 99\nhttp.loops = 3\nwhat is this\n\nlog.format = \"json\nrefresh.interval = 5\n"
                "db.endpoints = a:1, b\ndb.user_file = /x\nhttp.max_upload_size = 2 MB \nhttp.trusted_proxies = 10.0.0.0/8, 10.0.0.0/40\n"
                "data_dir = var/lib\nzzzzzzzz = 1\nhttp.tls.key = /nonexistent/key\nnode.zone = \"a\\tb\"\n");
    p->from.environment = environment;
    set_argument(p, "http.loops");
    set_argument(p, "drain.lb_wait=6m");
    assert_err(load(p), &p->e, ERR_INVALID);
    assert_null(p->settings);
    assert_string_equal(
        problems(p),
        "DIR/ocp-server.conf:2: http.lisen: unknown key (nearest known key: http.listen)\n"
        "DIR/ocp-server.conf:4: http.loops: given before, in line 3\n"
        "DIR/ocp-server.conf:5: what is this: there is no '=': a line is `key = value`\n"
        "DIR/ocp-server.conf:7: log.format: the closing quote is missing\n"
        "DIR/ocp-server.conf:10: db.user_file: unknown key\n"
        "DIR/ocp-server.conf:14: zzzzzzzz: unknown key\n"
        "environment: warning: OCP_HTTP_LOPS: no setting has this variable (nearest known key: http.loops)\n"
        "environment: warning: OCP_SERVER_PORT: no setting has this variable\n"
        "command line: http.loops: a value is missing: key=value\n"
        "DIR/ocp-server.conf:13: data_dir: a path must be absolute\n"
        "DIR/ocp-server.conf:16: node.zone: control characters are not allowed\n"
        "DIR/ocp-server.conf:15: http.tls.key: cannot read it: No such file or directory\n"
        "DIR/ocp-server.conf:3: http.loops: more than the most allowed, 64\n"
        "DIR/ocp-server.conf:12: http.trusted_proxies: \"10.0.0.0/40\" is not an address or network (10.0.0.0/8), several separated by commas\n"
        "DIR/ocp-server.conf:9: db.endpoints: \"b\" is not host:port or [IPv6]:port, several separated by commas\n"
        "environment: log.level: \"loud\" is not one of error, warn, info, debug\n"
        "command line: drain.lb_wait: more than the most allowed, 5m\n"
        "DIR/ocp-server.conf:8: refresh.interval: \"5\" is not a number with its unit: ms, s, m, h or d\n"
        "DIR/ocp-server.conf:15: http.tls.key: http.tls.certificate is missing\n"
        "default: db.user: it must be given, unless standalone is on\n");
}

static void check_problem(struct place *p, const char *argument, const char *expected)
{
    unsigned n = p->from.n_arguments;

    set_argument(p, argument);
    assert_err(load(p), &p->e, ERR_INVALID);
    assert_string_equal(problems(p), expected);
    p->from.n_arguments = n;
}

static void test_settings_must_fit_together(void **state)
{
    struct place *p = *state;

    set_argument(p, "standalone=yes");
    check_problem(p, "http.listen=127.0.0.1:1, 0.0.0.0:80, [::]:80",
                  "command line: http.listen: other machines reach 0.0.0.0:80, and TLS is off: set http.tls.certificate and http.tls.key, "
                  "or choose http.allow_cleartext = true\n"
                  "command line: http.listen: other machines reach :::80, and TLS is off: set http.tls.certificate and http.tls.key, "
                  "or choose http.allow_cleartext = true\n");
    check_problem(p, "http.listen=127.0.0.1.example:1, [::ffff:127.0.0.1]:2",
                  "command line: http.listen: 127.0.0.1.example is a name: give an address\n");
    check_problem(p, "http.listen=", "command line: http.listen: at least one address is needed\n");
    check_problem(p, "http.tls.certificate=/dev/null", "command line: http.tls.certificate: http.tls.key is missing\n");
    check_problem(p, "http.proxy_protocol=true",
                  "command line: http.proxy_protocol: http.trusted_proxies is empty: nobody may send a PROXY header\n");
    check_problem(p, "peer.listen=127.0.0.1:1, 127.0.0.2:1", "command line: peer.listen: give one IP address with a port\n");
    check_problem(p, "peer.listen=node1:8081", "command line: peer.listen: give one IP address with a port\n");
    check_problem(p, "peer.address=[::]:8081",
                  "command line: peer.address: give one IP address with a port, the one at which other nodes reach this one\n");
    check_problem(p, "db.endpoints=a:1", "command line: db.endpoints: standalone starts a database of its own: remove one of the two\n");
    check_problem(p, "monitordb.database=ocp", "command line: monitordb.database: it is the same database as db.database\n");
    check_problem(p, "data_dir=", "command line: data_dir: it must not be empty\n");
    set_argument(p, "http.allow_cleartext=true");
    set_argument(p, "http.listen=0.0.0.0:80");
    assert_ok(load(p), &p->e);
}

static void test_a_default_file_may_be_missing_a_named_one_not(void **state)
{
    struct place *p = *state;

    set_argument(p, "standalone");
    p->from.file = "/nonexistent/ocp-server.conf";
    p->from.file_may_be_missing = true;
    assert_ok(load(p), &p->e);
    p->from.file_may_be_missing = false;
    assert_err(load(p), &p->e, ERR_INVALID);
    assert_string_equal(problems(p), "/nonexistent/ocp-server.conf: No such file or directory\n");
    p->from.file = p->dir;
    assert_err(load(p), &p->e, ERR_INVALID);
    assert_string_equal(problems(p), "DIR: is a directory\n");
}

static void test_monitordb_shares_metadb_unless_it_has_its_own(void **state)
{
    struct place *p = *state;

    set_file(p, "db.endpoints=a:1,b:2\ndb.user=u\ndb.tls.required=1\nmonitordb.user=ignored\n");
    assert_ok(load(p), &p->e);
    check_value(p->settings, "monitordb.endpoints", "a:1, b:2");
    check_value(p->settings, "monitordb.user", "u");
    check_value(p->settings, "monitordb.tls.required", "true");
    set_argument(p, "monitordb.endpoints=m:3");
    assert_ok(load(p), &p->e);
    check_value(p->settings, "monitordb.endpoints", "m:3");
    check_value(p->settings, "monitordb.user", "ignored");
    check_value(p->settings, "monitordb.tls.required", "false");
}

static void test_long_values_are_kept_whole(void **state)
{
    struct place *p = *state;
    char text[1200] = "standalone=1\ndb.password=";
    size_t n = strlen(text);

    memset(text + n, 'x', 1024);
    set_file(p, text);
    assert_ok(load(p), &p->e);
    assert_int_equal(strlen(p->settings->db.password), 1024);
    text[n + 1024] = 'x';
    set_file(p, text);
    assert_err(load(p), &p->e, ERR_INVALID);
    assert_string_equal(problems(p), "DIR/ocp-server.conf:2: db.password: longer than 1024 characters\n");
}

/* ---- reload ---------------------------------------------------------------------------------------------------------- */

static int reload(struct place *p, struct settings_box *b, struct arena *a, struct settings_change **changes, unsigned *n)
{
    settings_problems_fini(&p->problems);
    settings_problems_init(&p->problems);
    return settings_reload(b, &p->from, &p->problems, a, changes, n, &p->e);
}

static void test_reload_applies_what_may_change(void **state)
{
    struct place *p = *state;
    const struct settings *former, *now;
    struct settings_change *changes;
    struct settings_box *b;
    struct arena a;
    unsigned n;

    arena_init(&a);
    set_file(p, "standalone=1\nnode.zone=z1\nlog.level=info\ndb.password=one\n");
    assert_ok(load(p), &p->e);
    assert_ok(settings_box_new(p->settings, &b, &p->e), &p->e);
    p->settings = NULL;
    former = settings_get(b);
    set_file(p, "standalone=1\nnode.zone=z2\nlog.level=debug\ndb.password=two\n");
    assert_ok(reload(p, b, &a, &changes, &n), &p->e);
    assert_int_equal(n, 4);
    assert_true(strcmp(changes[0].setting->name, "node.zone") == 0 && !changes[0].applied);
    assert_true(strcmp(changes[1].setting->name, "db.password") == 0 && !changes[1].applied);
    assert_true(strcmp(changes[2].setting->name, "monitordb.password") == 0 && !changes[2].applied);
    assert_true(strcmp(changes[3].setting->name, "log.level") == 0 && changes[3].applied);
    now = settings_get(b);
    assert_true(former->log.level == LOG_INFO && now->log.level == LOG_DEBUG);
    assert_string_equal(former->node.zone, "z1");
    settings_put(former);
    assert_string_equal(now->node.zone, "z1");
    assert_string_equal(now->db.password, "one");
    assert_string_equal(now->monitordb.password, "one");
    settings_put(now);
    settings_box_free(b);
    arena_fini(&a);
}

static void test_failed_reload_changes_nothing(void **state)
{
    struct place *p = *state;
    const struct settings *before, *after;
    struct settings_change *changes;
    struct settings_box *b;
    struct arena a;
    unsigned n;

    arena_init(&a);
    set_file(p, "standalone=1\n");
    assert_ok(load(p), &p->e);
    assert_ok(settings_box_new(p->settings, &b, &p->e), &p->e);
    p->settings = NULL;
    before = settings_get(b);
    set_file(p, "standalone=1\nlog.level=debug\nhttp.loops=many\n");
    assert_err(reload(p, b, &a, &changes, &n), &p->e, ERR_INVALID);
    assert_string_equal(problems(p), "DIR/ocp-server.conf:3: http.loops: \"many\" is not a whole number\n");
    set_file(p, "standalone=1\nnode.idc=new\n"); /* nothing that may change did: the snapshot stays */
    assert_ok(reload(p, b, &a, &changes, &n), &p->e);
    assert_int_equal(n, 1);
    after = settings_get(b);
    assert_ptr_equal(before, after);
    settings_put(before);
    settings_put(after);
    settings_box_free(b);
    arena_fini(&a);
}

struct reader {
    struct settings_box *box;
    _Atomic bool stop;
    _Atomic unsigned n_reads;
};

static void *read_settings(void *data)
{
    struct reader *r = data;

    while (!r->stop) {
        const struct settings *s = settings_get(r->box);

        if (s->refresh.interval_ms != (s->log.level == LOG_DEBUG ? 2000 : 1000) || strcmp(s->node.zone, "z1") != 0)
            return data; /* half of one snapshot, half of another */
        settings_put(s);
        r->n_reads++;
    }
    return NULL;
}

static void test_readers_see_whole_snapshots_while_they_are_replaced(void **state)
{
    struct place *p = *state;
    struct reader r = { .stop = false };
    struct settings_change *changes;
    pthread_t threads[2];
    struct arena a;
    void *failed;
    unsigned n;

    arena_init(&a);
    set_file(p, "standalone=1\nnode.zone=z1\nlog.level=info\nrefresh.interval=1s\n");
    assert_ok(load(p), &p->e);
    assert_ok(settings_box_new(p->settings, &r.box, &p->e), &p->e);
    p->settings = NULL;
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_settings, &r), 0);
    for (int i = 0; i < 50 || r.n_reads < 100; i++) {
        set_file(p, i % 2 == 0 ? "standalone=1\nlog.level=debug\nrefresh.interval=2s\n" : "standalone=1\nlog.level=info\nrefresh.interval=1s\n");
        assert_ok(reload(p, r.box, &a, &changes, &n), &p->e);
    }
    r.stop = true;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    settings_box_free(r.box);
    arena_fini(&a);
}

/* ---- lack of memory -------------------------------------------------------------------------------------------------- */

static int loads_and_reloads(void *data)
{
    static const char *const environment[] = { "OCP_LOG_LEVEL=warn", "OCP_NOTHING=1", NULL };
    struct place *p = data;
    struct settings_change *changes;
    struct settings_box *b;
    struct arena a;
    unsigned n;
    int rv;

    p->from.environment = environment;
    rv = load(p);
    if (rv != 0)
        return rv;
    rv = settings_box_new(p->settings, &b, &p->e);
    p->settings = NULL;
    if (rv != 0)
        return rv;
    arena_init(&a);
    p->from.environment = NULL;
    rv = reload(p, b, &a, &changes, &n);
    if (rv == 0)
        assert_int_equal(n, 1);
    settings_box_free(b);
    arena_fini(&a);
    return rv;
}

static void test_lack_of_memory(void **state)
{
    struct place *p = *state;
    char text[256];

    write_file(p->secret, "s", 0600);
    (void)snprintf(text, sizeof text, "db.endpoints=a:1,b:2\ndb.user=u\nmonitordb.password_file=%s\ndb.password=\"x\"\n", p->secret);
    set_file(p, text);
    test_oom_sweep(loads_and_reloads, p);
}

static int finds_problems(void *data)
{
    struct place *p = data;
    int rv = load(p);

    assert_true(rv == ERR_INVALID.code || rv == ERR_NOMEM.code);
    return rv == ERR_INVALID.code ? 0 : rv;
}

static void test_lack_of_memory_while_noting_problems(void **state)
{
    struct place *p = *state;

    set_file(p, "a\nb=1\nhttp.loops=x\nhttp.listen=1\nlog.level=x\nc=1\nd=1\ne=1\nf=1\ndb.password_file=/nonexistent\n");
    test_oom_sweep(finds_problems, p);
}

#define WITH_PLACE(TEST) cmocka_unit_test_setup_teardown(TEST, make_place, remove_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_whole),
        cmocka_unit_test(test_dump_is_json),
        WITH_PLACE(test_defaults),
        WITH_PLACE(test_values_in_force_are_read_again_as_they_are_written),
        WITH_PLACE(test_shipped_file_shows_the_defaults),
        WITH_PLACE(test_later_sources_win),
        WITH_PLACE(test_secrets_come_from_files),
        WITH_PLACE(test_readable_secrets_are_warned_of),
        WITH_PLACE(test_every_problem_is_found),
        WITH_PLACE(test_settings_must_fit_together),
        WITH_PLACE(test_a_default_file_may_be_missing_a_named_one_not),
        WITH_PLACE(test_monitordb_shares_metadb_unless_it_has_its_own),
        WITH_PLACE(test_long_values_are_kept_whole),
        WITH_PLACE(test_reload_applies_what_may_change),
        WITH_PLACE(test_failed_reload_changes_nothing),
        WITH_PLACE(test_readers_see_whole_snapshots_while_they_are_replaced),
        WITH_PLACE(test_lack_of_memory),
        WITH_PLACE(test_lack_of_memory_while_noting_problems),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
