/* SPDX-License-Identifier: Apache-2.0 */
/*   settings (whose agent it is)  -->  certificate with key, authority  -->  program  -->  installed  -->  started
 *
 * The settings come first, so that whatever was cut short is known for ours and can be gone on with, or removed. */
#include "src/host/install.h"

#include <inttypes.h>
#include <string.h>

enum { WORDS_MAX = 600 };

static const char make_directories[] =
    "umask 022; mkdir -p \"$1\" && cd \"$1\" && mkdir -p bin conf run log data && chmod 0755 . bin log && chmod 0700 conf run data";
/* One file, so that no moment has a certificate with another's key. */
static const char name_certificate[] = "cd \"$1/conf\" && ln -sfn agent.pem agent.crt && ln -sfn agent.pem agent.key";
static const char install[] = "\"$1/bin/ocp-agent\" ocp_agent_ctl install";
static const char start[] = "\"$1/bin/ocp-agent\" ocp_agent_ctl start ocp_agent";
static const char stop[] = "\"$1/bin/ocp-agent\" ocp_agent_ctl stop ocp_agent";
static const char remove_all[] =
    "[ -e \"$1\" ] || { echo gone; exit 0; }\n"
    "c=\"$1/conf/agent.conf\"\n"
    "if [ -f \"$c\" ]; then\n"
    "  [ \"$(sed -n 's/^ocp_id *= *//p' \"$c\")\" = \"$2\" ] && [ \"$(sed -n 's/^host_id *= *//p' \"$c\")\" = \"$3\" ] || { echo other; exit 0; }\n"
    "  [ ! -x \"$1/bin/ocp-agent\" ] || \"$1/bin/ocp-agent\" ocp_agent_ctl uninstall || exit 1\n"
    "elif [ -n \"$(find \"$1\" ! -type d -print 2>/dev/null | head -n 1)\" ]; then echo other; exit 0\n"
    "fi\n"
    "rm -rf \"$1\" && echo gone";
static const char last_words[] = "cd \"$1/log\" 2>/dev/null && tail -q -n 2 ocp_agentd.log pos_proxy.log 2>/dev/null || true";

static const char *settings_of(const struct agent_install *a, struct arena *arena)
{
    const char *exporter = a->exporter.file != NULL ? arena_printf(arena, "%s/bin/node_exporter", a->agent->install_home) : a->node_exporter;
    struct str t;

    str_init(&t, arena);
    str_add(&t, "# Written by ocp-server when the agent was installed.\n");
    str_printf(&t, "ocp_id = %s\nhost_id = %" PRId64 "\nlisten = %s\n", a->ocp_id, a->host_id, a->agent->listen);
    str_printf(&t, "port = %" PRId64 "\nexporter_port = %" PRId64 "\n", a->agent->manager_port, a->agent->monitor_port);
    if (exporter != NULL && exporter[0] != '\0')
        str_printf(&t, "node_exporter = %s\n", exporter);
    str_printf(&t, "roots = %s,/data\nepoch = %" PRId64 "\n", a->prefix, a->epoch);
    return str_failed(&t) || exporter == NULL ? NULL : str_c(&t);
}

static int write_text(struct shell *s, const char *home, const char *name, const char *text, struct arena *arena, struct err *e)
{
    const char *path = arena_printf(arena, "%s/%s", home, name);

    if (path == NULL || text == NULL)
        return err_set(e, &ERR_NOMEM, "");
    return shell_write(s, path, (struct slice){ text, strlen(text) }, "0600", arena, e);
}

static int write_identity(struct shell *s, const struct agent_install *a, struct arena *arena, struct err *e)
{
    const char *const home[] = { a->agent->install_home, NULL };
    struct str both;
    int rv;

    str_init(&both, NULL);
    (void)str_reserve(&both, strlen(a->identity->certificate) + strlen(a->identity->key) + 1); /* at once: no copy of the key is left behind */
    str_add(&both, a->identity->certificate);
    str_add(&both, a->identity->key);
    rv = str_failed(&both) ? err_set(e, &ERR_NOMEM, "") : write_text(s, home[0], "conf/agent.pem", str_c(&both), arena, e);
    if (both.s != NULL)
        mem_wipe(both.s, both.space);
    str_fini(&both);
    return rv == 0 ? shell_script(s, "name the certificate of the agent", name_certificate, home, arena, NULL, e) : rv;
}

static int bring_program(struct shell *s, const char *home, const char *name, const struct host_program *p, struct arena *arena, bool *sent,
                         struct err *e)
{
    const char *path = arena_printf(arena, "%s/bin/%s", home, name);

    return path != NULL ? shell_upload(s, p->file, p->sha256, path, "0755", arena, sent, e) : err_set(e, &ERR_NOMEM, "");
}

int agent_bring(struct shell *s, const struct agent_install *a, struct arena *arena, bool *sent, struct err *e)
{
    const char *const home[] = { a->agent->install_home, NULL };
    bool also;
    int rv = shell_script(s, "make the directory of the agent", make_directories, home, arena, NULL, e);

    if (rv == 0)
        rv = write_text(s, home[0], "conf/agent.conf", settings_of(a, arena), arena, e);
    if (rv == 0)
        rv = write_text(s, home[0], "conf/authority.crt", a->authority, arena, e);
    if (rv == 0)
        rv = write_identity(s, a, arena, e);
    if (rv == 0)
        rv = bring_program(s, home[0], "ocp-agent", &a->program, arena, sent, e);
    if (rv == 0 && a->exporter.file != NULL)
        rv = bring_program(s, home[0], "node_exporter", &a->exporter, arena, &also, e);
    return rv == 0 ? shell_script(s, "install the agent", install, home, arena, NULL, e) : rv;
}

int agent_start(struct shell *s, const char *home, struct arena *arena, struct err *e)
{
    const char *const args[] = { home, NULL };
    int rv = agent_halt(s, home, arena, e);

    return rv == 0 ? shell_script(s, "start the agent", start, args, arena, NULL, e) : rv;
}

int agent_halt(struct shell *s, const char *home, struct arena *arena, struct err *e)
{
    const char *const args[] = { home, NULL };

    return shell_script(s, "stop the agent", stop, args, arena, NULL, e);
}

int agent_remove(struct shell *s, const char *home, const char *ocp_id, int64_t host_id, struct arena *arena, bool *gone, struct err *e)
{
    const char *id = arena_printf(arena, "%" PRId64, host_id);
    const char *const args[] = { home, ocp_id, id, NULL };
    struct ssh_outcome out;
    int rv = id != NULL ? shell_script(s, "remove the agent", remove_all, args, arena, &out, e) : err_set(e, &ERR_NOMEM, "");

    if (rv == 0)
        *gone = !slice_is(slice_trim(out.out), "other");
    return rv;
}

int agent_last_words(struct shell *s, const char *home, struct arena *arena, const char **out, struct err *e)
{
    const char *const words[] = { "sh", "-c", last_words, "ocp-server", home, NULL };
    const struct shell_command c = { .argv = words };
    struct ssh_outcome said;
    int rv = shell_run(s, &c, arena, &said, e);

    if (rv != 0)
        return rv;
    *out = shell_line(said.out, WORDS_MAX, arena);
    return *out != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}
