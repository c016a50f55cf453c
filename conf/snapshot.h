/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot.h - the memory behind a struct settings. */
#ifndef CONF_SNAPSHOT_H
#define CONF_SNAPSHOT_H

#include "conf/settings.h"

struct settings_snapshot {
    struct settings settings;  /* first: a pointer to it is a pointer to the snapshot */
    struct arena arena;        /* holds the texts */
    _Atomic unsigned n_owners;
};

/* An empty one with one owner. NULL when memory is out. */
MUST_CHECK struct settings_snapshot *snapshot_new(void);

#endif
