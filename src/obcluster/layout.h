/* SPDX-License-Identifier: Apache-2.0 */
/* layout.h - where the files of an observer lie on its host, and how it is started. Pure.
 *
 *   InstallPath/CLUSTER/software/NAME-VERSION-RELEASE/{bin,etc,lib}  its package; those of an upgrade side by side. With "-libs" behind it
 *                                        the package of its libraries, where they are one of their own
 *   RunPath/CLUSTER/                     working directory: etc, log, run/observer.pid
 *          /store/sstable, slog       -> DataDiskPath/CLUSTER/sstable, slog
 *          /store/clog                -> LogDiskPath/CLUSTER/clog
 */
#ifndef OBCLUSTER_LAYOUT_H
#define OBCLUSTER_LAYOUT_H

#include "src/base/field.h"

struct layout_paths {
    const char *install, *run, *data, *log; /* as people give them; run "": as install */
};
extern const struct layout_paths layout_defaults;

struct layout {
    const char *software;        /* directory of the package */
    const char *libraries;       /* directory of the package of its libraries */
    const char *observer;        /* the program */
    const char *home, *pid_file, *store;
    const char *data, *log;      /* directories of this cluster on the two disks */
};
/* Errors: NOMEM. */
MUST_CHECK int layout_make(const struct layout_paths *p, const char *cluster, const char *package, struct arena *arena, struct layout *out,
                           struct err *e);
/* Directories to be made, each with those above it. `marked` bear the cluster's mark and are all that is removed later; `plain` lie in them. */
MUST_CHECK int layout_directories(const struct layout *l, struct arena *arena, struct field_strings *marked, struct field_strings *plain,
                                  struct err *e);
struct layout_link {
    const char *path, *target;
};
enum { LAYOUT_LINKS = 3 };
MUST_CHECK int layout_links(const struct layout *l, struct arena *arena, struct layout_link out[LAYOUT_LINKS], struct err *e);
/* NULL when people may give this path, else what is wrong with it. */
const char *layout_path_problem(const char *path);

struct layout_server {
    const char *ip, *zone;
    int64_t port, sql_port;      /* RPC and SQL */
};
struct layout_parameter {
    const char *name, *value;
};
/* NULL when a cluster may be given it, else what is wrong with it. */
const char *layout_parameter_problem(const struct layout_parameter *p);
/* May it stand on the command line? Commas separate there: such a value is set when the cluster is there. */
bool layout_parameter_fits(const struct layout_parameter *p);

/* First start of an observer. `founders`: the first server of each zone; `url` of the config service: "": none. */
struct layout_start {
    const char *cluster;
    int64_t cluster_id;
    struct layout_server self;
    const struct layout_server *founders;
    size_t n_founders;
    const struct layout_parameter *parameters; /* those that do not fit are left out */
    size_t n_parameters;
};
MUST_CHECK int layout_first_start(const struct layout *l, const struct layout_start *s, struct arena *arena, struct field_strings *argv,
                                  struct err *e);
/* Any later one: the rest it has kept. */
MUST_CHECK int layout_restart(const struct layout *l, const struct layout_server *self, struct arena *arena, struct field_strings *argv,
                              struct err *e);
MUST_CHECK int layout_environment(const struct layout *l, struct arena *arena, struct field_strings *env, struct err *e);

#endif
