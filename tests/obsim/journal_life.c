/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/obsim/journal_life.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Read-only is enough for locks; any user's process may look. */
static int open_file(int folder, const char *ip, int port, int flags)
{
    char name[128];

    (void)snprintf(name, sizeof name, "alive-%s-%d", ip, port);
    return openat(folder, name, O_RDONLY | O_CLOEXEC | flags, 0644);
}

bool life_begin(struct journal_life *l, int folder, const char *ip, int port)
{
    l->own = open_file(folder, ip, port, O_CREAT);
    if (l->own < 0 || flock(l->own, LOCK_EX | LOCK_NB) != 0)
        return false;
    life_touch(l);
    return true;
}

void life_touch(const struct journal_life *l)
{
    (void)futimens(l->own, NULL); /* the others see it */
}

/* File times are those of the wall clock. */
static bool is_fresh(int fd, int64_t lease_us)
{
    struct timespec now;
    struct stat st;

    if (fstat(fd, &st) != 0 || clock_gettime(CLOCK_REALTIME, &now) != 0)
        return false;
    return (now.tv_sec - st.st_mtim.tv_sec) * INT64_C(1000000) + (now.tv_nsec - st.st_mtim.tv_nsec) / 1000 < lease_us;
}

bool life_of(const struct journal_life *l, int folder, const char *ip, int port)
{
    int fd = open_file(folder, ip, port, 0);
    bool lives = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && is_fresh(fd, l->lease_us);

    if (fd >= 0)
        (void)close(fd); /* and the lock with it */
    return lives;
}
