/* SPDX-License-Identifier: Apache-2.0 */
/* ocpctl: reads the command line, asks for the password if it must, then runs the command in a fiber on a loop of its own. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "src/base/log.h"
#include "src/base/num.h"
#include "src/ctl/ctl.h"
#include "src/io/secret.h"
#include "src/io/crash.h"
#include "src/io/fiber.h"
#include "src/io/http_client.h"

enum { CALL_MS = 30000, LOOK_MS = 120000, TASK_MS = 3600 * 1000 };

struct run {
    struct ctl *ctl;
    struct loop *loop;
    struct remote_conf conf;
    struct err error;
    int rv;
};

/* Cleartext with a password is fine on this machine only; elsewhere it is said, not refused. */
static void warn_cleartext(const struct remote_conf *conf)
{
    struct slice rest = { conf->endpoints, strlen(conf->endpoints) };

    while (conf->user != NULL && rest.n > 0) {
        struct slice url = slice_trim(slice_cut(&rest, ','));

        if (!slice_starts(url, "https://") && !slice_starts(url, "http://127.") && !slice_starts(url, "http://localhost") &&
            !slice_starts(url, "http://[::1]") && !slice_starts(url, "127.") && !slice_starts(url, "localhost"))
            (void)fprintf(stderr, "ocpctl: the password goes to %.*s readable for everybody on the way; use https\n", SLICE_FMT(url));
    }
}

static int read_timeout(const struct ctl *c, int64_t fallback, int64_t *ms, struct err *e)
{
    const char *text = ctl_option(c, OPT_TIMEOUT);

    *ms = fallback;
    if (text == NULL || (num_parse_duration_ms((struct slice){ text, strlen(text) }, ms) && *ms > 0))
        return 0;
    return err_set(e, &ERR_INVALID, "--timeout: \"%.20s\" is no time; write 500ms, 10s or 2m", text);
}

static int read_output(struct ctl *c, struct err *e)
{
    const char *text = ctl_option(c, OPT_OUTPUT);

    c->is_json = text != NULL && strcmp(text, "json") == 0;
    if (text == NULL || c->is_json || strcmp(text, "table") == 0)
        return 0;
    return err_set(e, &ERR_INVALID, "--output: \"%.20s\" is neither table nor json", text);
}

static int prepare(struct ctl *c, struct remote_conf *conf, struct err *e)
{
    const char *server = ctl_option(c, OPT_SERVER), *user = ctl_option(c, OPT_USER), *name;
    bool waits = ctl_option(c, OPT_WAIT) != NULL;
    int64_t call_ms = c->args.command->run == ctl_host_check ? LOOK_MS : CALL_MS; /* hosts that are silent take their time */
    int rv = read_output(c, e);

    *conf = (struct remote_conf){ .endpoints = server != NULL ? server : "http://127.0.0.1:8080", .tls_ca = ctl_option(c, OPT_CA),
                                  .tls_unverified = ctl_option(c, OPT_INSECURE) != NULL, .language = ctl_option(c, OPT_LANGUAGE), .message = c->message };
    if (rv == 0)
        rv = read_timeout(c, call_ms, &conf->timeout_ms, e);
    if (waits)
        conf->timeout_ms = CALL_MS;
    name = user != NULL ? user : "admin";
    if (rv != 0 || c->args.command->is_public)
        return rv;
    conf->access_key = ctl_option(c, OPT_ACCESS_KEY);
    if (conf->access_key != NULL)
        return secret_read(ctl_option(c, OPT_SECRET_KEY_FILE), "OCP_SECRET_KEY", "Secret of the access key", &c->arena, &conf->secret_key, e);
    if (name[0] == '\0')
        return rv;
    rv = secret_read(ctl_option(c, OPT_PASSWORD_FILE), "OCP_PASSWORD", arena_printf(&c->arena, "Password of %s", name), &c->arena,
                     &c->password, e);
    conf->user = name;
    conf->password = c->password;
    if (rv == 0)
        warn_cleartext(conf);
    return rv;
}

static void run_command(void *data)
{
    struct run *r = data;
    struct ctl *c = r->ctl;
    int64_t task_ms = TASK_MS;

    r->rv = remote_new(&r->conf, &c->remote, &r->error);
    if (r->rv == 0 && ctl_option(c, OPT_WAIT) != NULL && read_timeout(c, TASK_MS, &task_ms, &r->error) == 0)
        (void)fiber_narrow_deadline(task_ms);
    if (r->rv == 0)
        r->rv = c->args.command->run(c, &r->error);
    remote_free(c->remote);
    loop_stop(r->loop);
}

static int exit_status(const struct err *e)
{
    static const struct {
        const struct err_row *row;
        int status;
    } rows[] = {
        { &ERR_CTL_REFUSED, EXIT_REFUSED },   { &ERR_CTL_ODD, EXIT_REFUSED }, { &ERR_NOT_FOUND, EXIT_REFUSED },
        { &ERR_CTL_UNREACHABLE, EXIT_UNREACHABLE }, { &ERR_CTL_LOGIN, EXIT_LOGIN }, { &ERR_TIMEOUT, EXIT_LATE },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (err_is(e, rows[i].row))
            return rows[i].status;
    return EXIT_USAGE;
}

/* What the server or the network said stands in c->message in full; an error's own arguments are short. */
static int complain(const struct ctl *c, const struct err *e)
{
    char text[1024];
    bool from_remote = err_is(e, &ERR_CTL_REFUSED) || err_is(e, &ERR_CTL_LOGIN) || err_is(e, &ERR_CTL_UNREACHABLE);

    (void)fprintf(stderr, "ocpctl: %s\n", from_remote ? c->message
                                            : err_is(e, &ERR_INVALID) ? e->arg[0] : err_text(e, ERR_EN, text, sizeof text));
    return exit_status(e);
}

static int on_loop(struct ctl *c, const struct remote_conf *conf, struct err *e)
{
    struct log silent = { .sink = NULL };
    struct loop_conf loop_conf = { "ocpctl", &clock_system, &silent, 16, LOOP_STACK_BYTES };
    struct run run = { .ctl = c, .conf = *conf };
    int rv = loop_new(&loop_conf, &run.loop, e);

    if (rv != 0)
        return rv;
    run.conf.loop = run.loop;
    rv = fiber_start(run.loop, "command", run_command, &run, NULL, e);
    if (rv == 0) {
        loop_run(run.loop);
        rv = run.rv;
        *e = run.error;
    }
    loop_free(run.loop);
    return rv;
}

/* --help, --version and --dump need no server. */
static int print_text(const struct args *a)
{
    struct str t;
    bool ok;

    str_init(&t, NULL);
    if (a->option[OPT_HELP] != NULL)
        help_write(&t, a->command);
    else if (a->option[OPT_VERSION] != NULL)
        str_add(&t, "ocpctl " PACKAGE_VERSION "\n");
    else
        commands_dump(&t);
    ok = !str_failed(&t) && fwrite(str_c(&t), 1, t.n, stdout) == t.n && fflush(stdout) == 0;
    str_fini(&t);
    return ok ? 0 : EXIT_USAGE;
}

static int run(struct ctl *c)
{
    struct remote_conf conf;
    struct err e = { .row = NULL };
    int rv;

    if (c->args.option[OPT_HELP] != NULL || c->args.option[OPT_VERSION] != NULL || c->args.option[OPT_DUMP] != NULL)
        return print_text(&c->args);
    rv = prepare(c, &conf, &e);
    if (rv == 0)
        rv = on_loop(c, &conf, &e);
    return rv == 0 ? c->status : complain(c, &e);
}

int main(int argc, char **argv)
{
    struct ctl c = { .status = 0 };
    struct err e = { .row = NULL };
    int status;

    json_set_alloc_funcs(mem_alloc, mem_free);
    (void)signal(SIGPIPE, SIG_IGN);
    crash_install();
    if (args_parse(argc, argv, &c.args, &e) != 0) {
        (void)complain(&c, &e);
        return EXIT_USAGE;
    }
    arena_init(&c.arena);
    status = run(&c);
    arena_fini(&c.arena);
    args_fini(&c.args);
    return status;
}
