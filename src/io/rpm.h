/* SPDX-License-Identifier: Apache-2.0 */
/* rpm.h - what the header of an RPM package says, read and verified by librpm. Blocks; any thread. librpm keeps state of its own for
 * the whole process, so that one header is read at a time. */
#ifndef IO_RPM_H
#define IO_RPM_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/err.h"

enum { RPM_TEXT_SIZE = 256, RPM_DIGEST_SIZE = 129 };

/* Text is "" where the package says nothing. */
struct rpm_facts {
    char name[RPM_TEXT_SIZE], version[RPM_TEXT_SIZE], release[RPM_TEXT_SIZE], architecture[RPM_TEXT_SIZE];
    bool source;                           /* of sources, not of programs */
    uint64_t size;                         /* bytes of main header and payload together; 0: unknown */
    char payload_sha256[RPM_DIGEST_SIZE];  /* of the payload as it stands in the file, in hex */
};

ERR_DECLARE(ERR_PACKAGE_PARSE); /* 400 7506 {0} what is wrong with the package */
extern const struct err_row *const rpm_err_rows[];

/* Reads the `n` bytes from the file's first byte to the end of its main header (package/frame.h finds it); digests of the header must fit,
 * signatures are not looked at. Errors: PACKAGE_PARSE, IO, NOMEM. */
MUST_CHECK int rpm_read(const void *bytes, size_t n, struct rpm_facts *out, struct err *e);

#endif
