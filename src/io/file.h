/* SPDX-License-Identifier: Apache-2.0 */
/* file.h - what every careful writer of a file does. Both block, and leave the reason of a failure in errno. Any thread. */
#ifndef IO_FILE_H
#define IO_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* All of the bytes, whatever signals and short writes come between. */
bool file_write_all(int fd, const void *bytes, size_t n);
/* What was made, renamed or removed in the directory is on the disk when it returns. */
bool file_sync_dir(const char *dir);

#endif
