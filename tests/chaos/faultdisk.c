/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into a node: makes fsync and fdatasync below one folder slow, hang or fail, as the first word of a control file says now.
 *
 *   FAULTDISK_DIR   the folder, as /proc/self/fd shows it
 *   FAULTDISK_FILE  the control file: "" nothing happens; "slow MS" it takes so much longer; "hang" it does not come back until the file says
 *                   something else; "fail" it ends with EIO */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_MS = 10 };

static void pause_ms(long ms)
{
    struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}

static bool is_below(int fd, const char *dir)
{
    char link[64], path[PATH_MAX];
    ssize_t n;

    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof path - 1);
    return n > 0 && (size_t)n >= strlen(dir) && strncmp(path, dir, strlen(dir)) == 0;
}

static void read_order(const char *file, char *order, size_t size)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, order, size - 1);

    if (fd >= 0)
        (void)close(fd);
    order[n > 0 ? n : 0] = '\0';
}

/* 0, or -1 with errno when the call is to fail. */
static int obey(int fd)
{
    const char *dir = getenv("FAULTDISK_DIR"), *file = getenv("FAULTDISK_FILE");
    char order[64];
    long ms;

    if (dir == NULL || file == NULL || !is_below(fd, dir))
        return 0;
    for (read_order(file, order, sizeof order); strncmp(order, "hang", 4) == 0; read_order(file, order, sizeof order))
        pause_ms(LOOK_MS);
    if (sscanf(order, "slow %ld", &ms) == 1)
        pause_ms(ms);
    if (strncmp(order, "fail", 4) != 0)
        return 0;
    errno = EIO;
    return -1;
}

static int sync_by(const char *name, int fd)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);

    return obey(fd) == 0 ? real(fd) : -1;
}

int fdatasync(int fd)
{
    return sync_by("fdatasync", fd);
}

int fsync(int fd)
{
    return sync_by("fsync", fd);
}
