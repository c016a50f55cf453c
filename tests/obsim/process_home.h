/* SPDX-License-Identifier: Apache-2.0 */
/* process_home.h - the folder in which an observer process lives (its working directory), and what it finds and leaves there:
 *
 *   etc/observer.config.bin, .history, copies below config_additional_dir     its options for the next start
 *   run/observer.pid                                                          its number, locked while it runs
 *   log/observer.log, rootservice.log, election.log, trace.log, alert/alert.log
 *   DATA/sstable/block_file, DATA/clog/tenant_1, DATA/slog                    empty before its first start, its own from then on */
#ifndef OBSIM_PROCESS_HOME_H
#define OBSIM_PROCESS_HOME_H

#include "tests/obsim/process_conf.h"

struct process_home {
    struct sim_values config;         /* all options, kept ones and given ones */
    bool is_first;                    /* there was nothing kept: it has never run here */
    int pid_file;                     /* locked; -1 */
};

/* Makes folders, takes over what is kept and given. False with a line on stderr: an option of a first start is missing, the process runs
 * already. Nothing else is touched then. */
bool home_enter(struct process_home *h, const struct process_options *o);
/* With the number of the process that stays. */
bool home_write_pid(struct process_home *h);
/* The data directory: empty at first, and its owner is who runs the process. False, with a line in the log. */
bool home_open_data(struct process_home *h);
/* Keeps the options. */
bool home_keep_config(struct process_home *h);
/* The cluster has taken it: from now on its log directory is not empty. */
void home_mark_member(const struct process_home *h);
void home_fini(struct process_home *h);

/* A line in log/observer.log (and rootservice.log, trace.log, ...), as the kernel writes them. `number`: 0, or that of an error. */
void home_log(const char *file, const char *level, const char *module, int number, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#endif
