/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/install.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/act.h"
#include "agent/process.h"

enum { PATH_SIZE = 4096 };

static const char *const folders[] = { "bin", "conf", "run", "log", "data" };
enum { N_FOLDERS = sizeof folders / sizeof folders[0] };
static const char *const names[] = { "ocp_agentd", "pos_proxy", "ocp_exporter", "ob_cleaner", "obstat2", "ob_logtailer", "ocp_agent_ctl" };

static int failed(const char *path, struct err *e)
{
    return err_set(e, &ERR_IO, "%s: %s", path, strerror(errno));
}

bool install_has_unit(struct frame *f)
{
    char path[PATH_SIZE];

    (void)snprintf(path, sizeof path, "%s/conf/systemd", f->home);
    return access(path, F_OK) == 0;
}

int install_systemctl(const char *verb, struct err *e)
{
    pid_t pid = fork();
    int status = -1;

    if (pid == 0) {
        (void)execl("/usr/bin/systemctl", "systemctl", "--quiet", verb, strcmp(verb, "daemon-reload") == 0 ? (char *)NULL : INSTALL_UNIT, (char *)NULL);
        _exit(127);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : err_set(e, &ERR_IO, "systemctl %s " INSTALL_UNIT " failed", verb);
}

int install_start_agentd(struct frame *f, struct err *e)
{
    static const char *const env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", NULL };
    char program[PATH_SIZE];
    const char *argv[] = { program, NULL };
    const struct daemon d = { .argv = argv, .env = env, .input = -1, .output = -1 };
    struct spawned s;
    int rv;

    (void)snprintf(program, sizeof program, "%s/bin/ocp_agentd", f->home);
    rv = daemon_spawn(&d, &s, e);
    return rv == 0 ? daemon_go(&s, program, e) : rv;
}

/* ---- install --------------------------------------------------------------------------------------------------------------------------------- */

static int make_folders(struct frame *f, struct err *e)
{
    char path[PATH_SIZE];

    for (unsigned i = 0; i < N_FOLDERS; i++) {
        mode_t mode = i == 0 || i == 3 ? 0755 : 0700;

        (void)snprintf(path, sizeof path, "%s/%s", f->home, folders[i]);
        if ((mkdir(path, mode) != 0 && errno != EEXIST) || chmod(path, mode) != 0)
            return failed(path, e);
    }
    (void)snprintf(path, sizeof path, "%s/conf/agent.key", f->home);
    return chmod(path, 0600) == 0 || errno == ENOENT ? 0 : failed(path, e);
}

static int make_links(struct frame *f, struct err *e)
{
    char path[PATH_SIZE];

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/bin/%s", f->home, names[i]);
        if (symlink("ocp-agent", path) != 0 && errno != EEXIST)
            return failed(path, e);
    }
    return 0;
}

/* KillMode=process: what runs in the unit's control group besides ocp_agentd is not systemd's to end. The limit of starts is off: who kills it
 * often does not get rid of it. (Service's name for it is the one that systemd before 230 knows.) */
static int unit_text(struct frame *f, struct slice *out, struct err *e)
{
    const char *text = arena_printf(&f->arena,
                                    "[Unit]\nDescription=Agent of OceanBase Cloud Platform\nAfter=network-online.target\nWants=network-online.target\n\n"
                                    "[Service]\nType=simple\nExecStart=%s/bin/ocp_agentd\nKillMode=process\nRestart=on-failure\nRestartSec=500ms\n"
                                    "StartLimitInterval=0\nLimitNOFILE=65535\nTimeoutStopSec=30\n\n[Install]\nWantedBy=multi-user.target\n", f->home);

    if (text == NULL)
        return err_set(e, &ERR_NOMEM, "");
    *out = (struct slice){ text, strlen(text) };
    return 0;
}

static int write_unit(struct frame *f, struct err *e)
{
    struct slice text = { NULL, 0 };
    int rv = unit_text(f, &text, e);

    if (rv == 0)
        rv = frame_write(INSTALL_UNIT_FILE, text, true, e);
    if (rv == 0 && chmod(INSTALL_UNIT_FILE, 0644) != 0)
        rv = failed(INSTALL_UNIT_FILE, e);
    return rv == 0 ? install_systemctl("daemon-reload", e) : rv;
}

static int make_unit(struct frame *f, struct err *e)
{
    char mark[PATH_SIZE];
    int rv = write_unit(f, e);

    (void)snprintf(mark, sizeof mark, "%s/conf/systemd", f->home);
    if (rv == 0)
        rv = install_systemctl("enable", e);
    return rv == 0 ? frame_write(mark, SLICE(INSTALL_UNIT "\n"), false, e) : rv;
}

int install_refresh_unit(struct frame *f, struct err *e)
{
    struct slice text = { NULL, 0 }, there;
    int rv;

    if (!install_has_unit(f))
        return 0;
    rv = unit_text(f, &text, e);
    if (rv == 0)
        rv = frame_read(INSTALL_UNIT_FILE, &f->arena, &there, e);
    if (rv != 0 || there.s == NULL || (there.n == text.n && memcmp(there.s, text.s, text.n) == 0))
        return rv; /* one that somebody has removed stays away */
    return write_unit(f, e);
}

bool install_uses_systemd(const struct frame *f)
{
    return (f->conf.scope == NULL || f->conf.scope[0] != '\0') && geteuid() == 0 && access("/run/systemd/system", F_OK) == 0;
}

int install(struct frame *f, struct err *e)
{
    int rv = make_folders(f, e);

    if (rv == 0)
        rv = make_links(f, e);
    if (rv == 0 && install_uses_systemd(f))
        rv = make_unit(f, e);
    return rv;
}

/* ---- uninstall ------------------------------------------------------------------------------------------------------------------------------- */

static int remove_unit(struct frame *f, struct err *e)
{
    int rv;

    if (!install_has_unit(f))
        return 0;
    rv = install_systemctl("disable", e);
    if (rv == 0 && unlink(INSTALL_UNIT_FILE) != 0 && errno != ENOENT)
        rv = failed(INSTALL_UNIT_FILE, e);
    return rv == 0 ? install_systemctl("daemon-reload", e) : rv;
}

/* Removes one folder of the agent's own, by the way that remove_tree goes. */
static int remove_folder(struct frame *f, const char *name, struct err *e)
{
    const char *dirs[] = { f->home };
    const struct roots roots = { dirs, 1, false };
    struct agent_remove_tree args = { .mark = "agent", .keep = 0 };
    struct agent_remove_tree_answer out;
    struct act a = { &roots, "", &f->arena, INT64_MAX };
    struct slice mark = SLICE("agent");
    char path[PATH_SIZE], file[PATH_SIZE];
    int rv;

    (void)snprintf(path, sizeof path, "%s/%s", f->home, name);
    if (access(path, F_OK) != 0)
        return 0;
    (void)snprintf(file, sizeof file, "%.3000s/" ACT_MARK, path);
    rv = frame_write(file, mark, false, e);
    args.path = path;
    return rv == 0 ? act_remove_tree(&a, &args, &out, e) : rv;
}

int uninstall(struct frame *f, struct err *e)
{
    int rv = remove_unit(f, e);

    for (unsigned i = 0; rv == 0 && i < N_FOLDERS; i++)
        rv = remove_folder(f, folders[i], e);
    if (rv == 0 && rmdir(f->home) != 0 && errno != ENOENT && errno != ENOTEMPTY) /* what is not ours stays */
        rv = failed(f->home, e);
    return rv;
}
