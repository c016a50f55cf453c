/* SPDX-License-Identifier: Apache-2.0 */
#include "src/io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

bool file_write_all(int fd, const void *bytes, size_t n)
{
    const char *s = bytes;

    while (n > 0) {
        ssize_t done = write(fd, s, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        s += done;
        n -= (size_t)done;
    }
    return true;
}

bool file_sync_dir(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), number;
    bool ok = fd >= 0 && fsync(fd) == 0;

    number = errno;
    if (fd >= 0)
        (void)close(fd);
    errno = number;
    return ok;
}
