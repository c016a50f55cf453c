/* SPDX-License-Identifier: Apache-2.0 */
#include "src/host/shell.h"

#include <string.h>

ERR_DEFINE(ERR_HOST_COMMAND, 90510, 500, ERR_FINAL, "On the host {0} it was not possible to {1}: {2}. Put that right there, then run the task again.",
           "在主机 {0} 上执行操作（{1}）失败：{2}。请在主机上处理后重试任务。");

enum { MAX_WORDS = 24, LINE_MAX_BYTES = 150 };

/* ---- text that a host printed ------------------------------------------------------------------------------------------ */

char *shell_line(struct slice text, size_t max, struct arena *arena)
{
    struct str t;

    str_init(&t, arena);
    text = slice_trim(text);
    while (text.n > 0 && !str_failed(&t)) {
        size_t n = str_utf8_length(text.s, text.n);
        bool plain = n > 1 || (n == 1 && (unsigned char)text.s[0] >= 0x20 && text.s[0] != 0x7f);

        if (t.n + (n > 0 ? n : 1) > max)
            break;
        if (plain)
            str_add_n(&t, text.s, n);
        else
            str_add_c(&t, n == 1 ? ' ' : '?');
        n = n > 0 ? n : 1;
        text = (struct slice){ text.s + n, text.n - n };
    }
    if (str_failed(&t))
        return NULL;
    return t.s != NULL ? t.s : arena_strdup(arena, "");
}

/* ---- becoming root ----------------------------------------------------------------------------------------------------- */

/* -k: what sudo remembers of earlier logins does not count, so that it always asks, or never. */
static const char *const sudo_silent[] = { "sudo", "-k", "-n", "--", NULL };
static const char *const sudo_asking[] = { "sudo", "-k", "-S", "-p", "", "--", NULL };

static size_t add_words(const char **to, size_t n, const char *const *words)
{
    while (words != NULL && *words != NULL && n < MAX_WORDS)
        to[n++] = *words++;
    return n;
}

/* The password and a newline in front of the input. */
static int with_password(const struct shell *s, struct slice *input, struct str *t, struct err *e)
{
    str_init(t, NULL);
    str_printf(t, "%s\n", s->password);
    str_add_n(t, input->s, input->n);
    *input = (struct slice){ t->s, t->n };
    return str_failed(t) ? err_set(e, &ERR_NOMEM, "") : 0;
}

static int run_as(struct shell *s, enum shell_power power, const struct shell_command *c, struct arena *arena, struct ssh_outcome *out,
                  struct err *e)
{
    const char *words[MAX_WORDS + 1] = { NULL };
    struct ssh_command command = { .argv = words, .input = c->input, .input_file = c->input_file };
    struct str typed = { 0 };
    size_t n = 0;
    int rv = 0;

    if (power == SHELL_SUDO)
        n = add_words(words, n, sudo_silent);
    else if (power == SHELL_SUDO_PASSWORD)
        n = add_words(words, n, sudo_asking);
    n = add_words(words, n, c->argv);
    if (n == MAX_WORDS)
        return err_set(e, &ERR_INVALID, "a command with too many words");
    if (power == SHELL_SUDO_PASSWORD)
        rv = with_password(s, &command.input, &typed, e);
    if (rv == 0)
        rv = ssh_client_run(s->ssh, &command, arena, out, e);
    if (typed.s != NULL)
        mem_wipe(typed.s, typed.space);
    str_fini(&typed);
    return rv;
}

int shell_run(struct shell *s, const struct shell_command *c, struct arena *arena, struct ssh_outcome *out, struct err *e)
{
    if (!c->as_user && s->power == SHELL_NO_POWER)
        return err_set(e, &ERR_INVALID, "the user may not become root on %s", s->host);
    return run_as(s, c->as_user ? SHELL_ROOT : s->power, c, arena, out, e);
}

static int find_power(struct shell *s, struct arena *arena, struct err *e)
{
    static const char *const id[] = { "id", "-u", NULL }, *const nothing[] = { "sh", "-c", "true", NULL }; /* of what is run later */
    const struct shell_command ask = { .argv = id, .as_user = true }, attempt = { .argv = nothing };
    const enum shell_power ways[] = { SHELL_SUDO, SHELL_SUDO_PASSWORD };
    struct ssh_outcome out;
    int rv = shell_run(s, &ask, arena, &out, e);

    s->refusal = "";
    if (rv == 0 && slice_is(slice_trim(out.out), "0")) {
        s->power = SHELL_ROOT;
        return 0;
    }
    for (size_t i = 0; rv == 0 && s->power == SHELL_NO_POWER && i < (s->password != NULL ? 2 : 1); i++) {
        rv = run_as(s, ways[i], &attempt, arena, &out, e);
        if (rv == 0 && out.exit_status == 0)
            s->power = ways[i];
        else if (rv == 0 && (s->refusal = shell_line(out.err, LINE_MAX_BYTES, arena)) == NULL)
            rv = err_set(e, &ERR_NOMEM, "");
    }
    return rv;
}

int shell_open(struct work_pool *pool, const struct ssh_login *login, struct arena *arena, struct shell *out, char *fingerprint, struct err *e)
{
    int rv;

    *out = (struct shell){ .host = login->host, .password = login->password };
    rv = ssh_client_open(pool, login, &out->ssh, fingerprint, e);
    if (rv == 0)
        rv = find_power(out, arena, e);
    if (rv != 0)
        shell_close(out);
    return rv;
}

void shell_close(struct shell *s)
{
    if (s == NULL)
        return;
    ssh_client_close(s->ssh);
    s->ssh = NULL;
}

/* ---- what must succeed ------------------------------------------------------------------------------------------------- */

/* The last line of what it printed says most. */
static struct slice last_line(struct slice text)
{
    text = slice_trim(text);
    for (size_t i = text.n; i > 0; i--)
        if (text.s[i - 1] == '\n')
            return (struct slice){ text.s + i, text.n - i };
    return text;
}

static int not_done(const struct shell *s, const char *what, const struct ssh_outcome *out, struct arena *arena, struct err *e)
{
    struct slice said = last_line(slice_trim(out->err).n > 0 ? out->err : out->out);
    const char *line = shell_line(said, LINE_MAX_BYTES, arena);

    if (line == NULL)
        return err_set(e, &ERR_NOMEM, "");
    (void)err_set(e, &ERR_HOST_COMMAND, "%s", s->host);
    (void)err_arg(e, "%s", what);
    return line[0] != '\0' ? err_arg(e, "%s", line) : err_arg(e, "exit status %d", out->exit_status);
}

int shell_do(struct shell *s, const char *what, const struct shell_command *c, struct arena *arena, struct ssh_outcome *out, struct err *e)
{
    struct ssh_outcome mine;
    int rv = shell_run(s, c, arena, &mine, e);

    if (rv != 0)
        return rv;
    if (out != NULL)
        *out = mine;
    return mine.exit_status == 0 ? 0 : not_done(s, what, &mine, arena, e);
}

static int script(struct shell *s, const char *what, const char *text, const char *const *args, struct slice input, const char *input_file,
                  struct arena *arena, struct ssh_outcome *out, struct err *e)
{
    const char *words[MAX_WORDS + 1] = { "sh", "-c", text, "ocp-server" };
    const struct shell_command c = { .argv = words, .input = input, .input_file = input_file };

    (void)add_words(words, 4, args);
    return shell_do(s, what, &c, arena, out, e);
}

int shell_script(struct shell *s, const char *what, const char *text, const char *const *args, struct arena *arena, struct ssh_outcome *out,
                 struct err *e)
{
    return script(s, what, text, args, SLICE(""), NULL, arena, out, e);
}

/* ---- files ------------------------------------------------------------------------------------------------------------- */

static const char compare[] = "[ -f \"$1\" ] && [ ! -L \"$1\" ] && sha256sum \"$1\" || true";
static const char receive[] = "umask 077 && rm -f \"$1\" && cat > \"$1\"";
/* What was cut short on the way never gets the name. */
static const char put_in_place[] = "[ \"$(sha256sum \"$1\" | cut -d ' ' -f 1)\" = \"$3\" ] || { echo 'it did not arrive whole' >&2; exit 1; }\n"
                                   "chmod \"$4\" \"$1\" && mv -f \"$1\" \"$2\"";
static const char put_small[] = "chmod \"$3\" \"$1\" && mv -f \"$1\" \"$2\"";

static const char *doing(struct arena *arena, const char *verb, const char *path)
{
    const char *what = arena_printf(arena, "%s %s", verb, path);

    return what != NULL ? what : verb;
}

int shell_upload(struct shell *s, const char *file, const char *sha256, const char *path, const char *mode, struct arena *arena, bool *sent,
                 struct err *e)
{
    const char *beside = arena_printf(arena, "%s.part", path), *what = doing(arena, "upload", path);
    const char *const known[] = { path, NULL }, *const part[] = { beside, NULL }, *const whole[] = { beside, path, sha256, mode, NULL };
    struct ssh_outcome out;
    int rv = beside != NULL ? shell_script(s, what, compare, known, arena, &out, e) : err_set(e, &ERR_NOMEM, "");

    *sent = false;
    if (rv != 0 || slice_starts(slice_trim(out.out), sha256))
        return rv;
    *sent = true;
    rv = script(s, what, receive, part, SLICE(""), file, arena, NULL, e);
    return rv == 0 ? shell_script(s, what, put_in_place, whole, arena, NULL, e) : rv;
}

int shell_write(struct shell *s, const char *path, struct slice content, const char *mode, struct arena *arena, struct err *e)
{
    const char *beside = arena_printf(arena, "%s.part", path), *what = doing(arena, "write", path);
    const char *const part[] = { beside, NULL }, *const whole[] = { beside, path, mode, NULL };
    int rv = beside != NULL ? script(s, what, receive, part, content, NULL, arena, NULL, e) : err_set(e, &ERR_NOMEM, "");

    return rv == 0 ? shell_script(s, what, put_small, whole, arena, NULL, e) : rv;
}
