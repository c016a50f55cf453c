/* SPDX-License-Identifier: Apache-2.0 */
/* identity.h - what an observer says it is: the truth, or what it was told to claim. Under the lock. */
#ifndef OBSIM_IDENTITY_H
#define OBSIM_IDENTITY_H

#include "tests/obsim/session.h"

/* "5.7.25-OceanBase_CE-v4.2.1.0"; in `buf`, or the observer's. */
const char *identity_version(const struct sim_observer *o, char *buf, size_t size);
/* "4.2.1.0": of its own binary. */
const char *identity_ob_version(const struct sim_observer *o, char *buf, size_t size);
/* "OceanBase_CE 4.2.1.0 (r100000102023092807-<hash>) (Built Sep 28 2023 07:25:28)" */
const char *identity_comment(const struct sim_observer *o, char *buf, size_t size);
/* System variables that belong to the server and not to the tenant: version, version_comment, hostname, port. NULL: another one. */
const char *identity_variable(const struct sim_session *s, struct slice name, char *buf, size_t size);

#endif
