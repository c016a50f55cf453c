/* SPDX-License-Identifier: Apache-2.0 */
#include "src/io/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

enum { MAX_SECRET = 4096, CTRL_C = 3 };

/* Reads up to the first newline; false when reading failed. */
static bool read_line(int fd, char *buf, size_t size)
{
    size_t n = 0;

    while (n + 1 < size) {
        ssize_t got = read(fd, buf + n, 1);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        if (got == 0 || buf[n] == '\n')
            break;
        n++;
    }
    if (n > 0 && buf[n - 1] == '\r')
        n--;
    buf[n] = '\0';
    return true;
}

static int keep(char *buf, struct arena *arena, const char **out, struct err *e)
{
    *out = arena_strdup(arena, buf);
    mem_wipe(buf, MAX_SECRET);
    return *out != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

static int from_file(const char *file, struct arena *arena, const char **out, struct err *e)
{
    char buf[MAX_SECRET];
    struct stat st;
    bool is_stdin = strcmp(file, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && read_line(fd, buf, sizeof buf);
    int reason = errno;

    if (ok && !is_stdin && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
        (void)fprintf(stderr, "ocpctl: others can read the password in %s; chmod 600 it\n", file);
    if (fd >= 0 && !is_stdin)
        (void)close(fd); /* only read from */
    return ok ? keep(buf, arena, out, e) : err_set(e, &ERR_IO, "password file %s: %s", file, strerror(reason));
}

static int from_terminal(const char *prompt, struct arena *arena, const char **out, struct err *e)
{
    char buf[MAX_SECRET];
    struct termios before, quiet;
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    bool ok;

    if (fd < 0 || tcgetattr(fd, &before) != 0) {
        if (fd >= 0)
            (void)close(fd);
        return err_set(e, &ERR_INVALID, "there is no terminal to ask for the password; give it in a file or in the environment (ocpctl --help)");
    }
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ISIG); /* Ctrl-C must not leave the terminal without echo */
    (void)tcsetattr(fd, TCSAFLUSH, &quiet); /* before the prompt: flushing forgets what was typed until now */
    (void)dprintf(fd, "%s: ", prompt);
    ok = read_line(fd, buf, sizeof buf) && strchr(buf, CTRL_C) == NULL;
    (void)tcsetattr(fd, TCSAFLUSH, &before);
    (void)dprintf(fd, "\n");
    (void)close(fd);
    return ok ? keep(buf, arena, out, e) : err_set(e, &ERR_INVALID, "no password was typed");
}

int secret_read(const char *file, const char *environment, const char *prompt, struct arena *arena, const char **out, struct err *e)
{
    if (file != NULL)
        return from_file(file, arena, out, e);
    *out = environment != NULL ? getenv(environment) : NULL;
    if (*out != NULL)
        return 0;
    return from_terminal(prompt, arena, out, e);
}
