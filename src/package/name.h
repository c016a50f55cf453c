/* SPDX-License-Identifier: Apache-2.0 */
/* name.h - what the names in a package mean: what it installs, for which operating system. Pure; any thread. */
#ifndef PACKAGE_NAME_H
#define PACKAGE_NAME_H

#include <stdbool.h>

#include "src/base/str.h"

/* Order and names are those of package_type_names. */
enum package_type { PACKAGE_OB_SERVER, PACKAGE_OCP_AGENT, PACKAGE_OBPROXY, PACKAGE_OB_BACKUP_AGENT, PACKAGE_OTHER };
extern const char *const package_type_names[]; /* as OCP writes them; NULL-terminated */

/* What the package of this name installs; -1: none of OceanBase's. */
int package_type_of(const char *name);
/* Whether hosts of this architecture can be managed: x86_64, aarch64; noarch runs on both. */
bool package_architecture_is_known(const char *architecture);
/* "101000042023.el7" is build number and operating system; without a dot there is no operating system (""). */
void package_split_release(const char *release, struct slice *build, struct slice *operating_system);

/* The last part of what a client calls its file, whatever system it comes from. */
struct slice package_base_name(struct slice said);
/* NULL when it can be kept under this name, else why not. */
const char *package_file_name_problem(struct slice name);
/* Whether the name ends with ".rpm". */
bool package_is_rpm_name(struct slice name);

#endif
