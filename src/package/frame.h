/* SPDX-License-Identifier: Apache-2.0 */
/* frame.h - where the parts of an RPM package lie: lead, signature header, main header, payload. Only what is needed to know how many
 * bytes librpm wants to see; what they say is librpm's to judge (io/rpm.h). Pure; any thread. */
#ifndef PACKAGE_FRAME_H
#define PACKAGE_FRAME_H

#include <stddef.h>

enum { PACKAGE_MAX_HEADER = 16 * 1024 * 1024 }; /* bytes before the payload */

enum package_frame_result {
    PACKAGE_FRAME_MORE,     /* more bytes are needed */
    PACKAGE_FRAME_DONE,
    PACKAGE_FRAME_FOREIGN,  /* these bytes begin no RPM package */
    PACKAGE_FRAME_TOO_LARGE /* its headers are larger than PACKAGE_MAX_HEADER */
};

struct package_frame {
    size_t header_at;   /* main header */
    size_t payload_at;
};

/* Looks at the first `n` bytes of a file; `out` is filled when it is done. */
enum package_frame_result package_frame_find(const void *bytes, size_t n, struct package_frame *out);

#endif
