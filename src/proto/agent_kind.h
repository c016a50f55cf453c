/* SPDX-License-Identifier: Apache-2.0 */
/* agent_kind.h - the commands that an agent executes: what each takes and answers. Argument vectors, never a shell's line; paths are absolute
 * and lie below a root that was declared to the agent (its agent.conf, and declare_root). A command that finds its work done says so and
 * succeeds. Owners are names of users or numbers; NULL: whoever the agent is. Pure; any thread. */
#ifndef PROTO_AGENT_KIND_H
#define PROTO_AGENT_KIND_H

#include <stddef.h>
#include <stdint.h>

#include "src/base/field.h"

enum agent_kind_flags {
    AGENT_READS = 1 << 0,    /* changes nothing: not journaled, and asked anew when repeated */
    AGENT_SLOW = 1 << 1,     /* runs as a process of its own, which outlives a crash of the agent */
};
struct agent_kind {
    const char *name, *doc;
    unsigned flags;
    const struct field *args, *answer; /* NULL answer: none */
    size_t args_size, answer_size;
};
/* All of them; ends with a row without name. */
extern const struct agent_kind agent_kinds[];
/* NULL when there is none. */
const struct agent_kind *agent_kind_find(const char *name);

#define AGENT_MARK ".ocp-mark" /* file that tells whose a directory is */
/* "mkdirs": makes directories with those above them. One that is there must be empty, or bear our mark (file .ocp-mark with this text). */
struct agent_mkdirs {
    struct field_strings paths;
    const char *owner;
    int64_t mode;                /* 0750 as a number */
    const char *mark;            /* whose they are, "obcluster 7"; NULL: no mark, and what is there need not be empty */
};
struct agent_mkdirs_answer {
    struct field_strings made;
};
/* "remove_tree": removes a directory that bears this mark; one that is not there is fine. */
struct agent_remove_tree {
    const char *path, *mark;
    int keep;                    /* true: what is in it goes, the directory and its mark stay */
};
struct agent_remove_tree_answer {
    int64_t removed;             /* files and directories */
};
/* "extract_package": an RPM that was pushed as a blob, into a directory that is made by it and was not there, or holds this very package. */
struct agent_extract_package {
    const char *sha256, *directory, *owner;
    const char *strip;           /* what the paths inside begin with and lose, "/home/admin/oceanbase"; others are left out. NULL: all, as they are */
};
struct agent_extract_package_answer {
    int64_t files, bytes;
    int already;
};
/* "start_process": a daemon in a session and (with systemd) scope of its own. With a pid file whose process runs that program: that is it. */
struct agent_start_process {
    struct field_strings argv;   /* argv[0] is the program's path */
    struct field_strings env;    /* NAME=value */
    const char *cwd, *user;
    const char *pid_file;        /* NULL: none; the agent writes it unless `own_pid_file` */
    int own_pid_file;            /* the program daemonizes itself and writes it */
    const char *log_file;        /* its stdout and stderr; NULL: none */
    int64_t settle_ms;           /* it must still run so long after its start */
};
struct agent_started {
    int64_t pid, start_time;     /* start_time: clock ticks since boot (proc(5), field 22) */
    int already;
};
/* "stop_process": SIGTERM, and SIGKILL after grace_ms. One that is gone is fine. */
struct agent_stop_process {
    int64_t pid, start_time;     /* FIELD_NONE: by the pid file */
    const char *pid_file, *exe;  /* exe: it must be the program that runs, else it is another process */
    int64_t grace_ms;
};
struct agent_stopped {
    int was_running, killed;
};
/* "process_status" */
struct agent_process_status {
    int64_t pid, start_time;
    const char *pid_file, *exe;
};
struct agent_process_seen {
    int running;
    int64_t pid, start_time;     /* FIELD_NONE when it does not run */
    const char *exe, *user;
    int64_t rss_bytes, cpu_ms, threads;
};
/* "read_file_range" */
struct agent_read_file {
    const char *path;
    int64_t offset, length;      /* length: at most 128 KiB; a negative offset counts from the end */
};
struct agent_file_part {
    int64_t size, offset;        /* of the whole file; of this part */
    const char *data;            /* base64 */
};
/* "list_directory" */
struct agent_list_directory {
    const char *path;
    int64_t limit;
};
struct agent_file {
    const char *name, *type;     /* FILE, DIRECTORY, LINK, OTHER */
    const char *target;          /* of a link */
    int64_t size, mode, modified_us;
};
struct agent_files {
    struct field_list entries;   /* of struct agent_file, by name */
    int truncated;
};
/* "check_port": is it free here, or does somebody answer there? */
struct agent_check_port {
    const char *address;         /* IP address; NULL: any of this host */
    int64_t port;
    int connect;                 /* true: connect to it instead of binding it */
    int64_t timeout_ms;
};
struct agent_port {
    int free, reachable;         /* reachable: with connect */
    int64_t took_us;
    const char *reason;          /* why it is not */
};
/* "disk_usage": of the file systems that hold these paths, or would. */
struct agent_disk_usage {
    struct field_strings paths;
};
struct agent_disk {
    const char *path, *existing, *device, *type; /* existing: the part of the path that is there */
    int64_t total_bytes, available_bytes, total_files, available_files, device_number;
};
struct agent_disks {
    struct field_list disks;     /* of struct agent_disk */
};
/* "host_info" */
struct agent_host_info {
    const char *hostname, *os, *os_version, *kernel, *architecture, *boot, *cpu_model;
    int64_t cpu_count, memory_bytes, memory_available_bytes, swap_bytes, boot_us, wall_us, clock_ms, max_files, max_map_count;
    int systemd, root;
};
struct agent_nothing {
    char unused;
};
/* "symlink" */
struct agent_symlink {
    const char *path, *target;
    int replace;                 /* another link may be there */
};
/* "write_file": replaces a small file as a whole. */
struct agent_write_file {
    const char *path, *data, *owner; /* data: base64 */
    int64_t mode;
};
/* "run_script": of an extracted package, to its end. Not repeatable by itself. */
struct agent_run_script {
    const char *interpreter;     /* absolute path; NULL: the script's own first line */
    const char *script;          /* below a root */
    struct field_strings args, env;
    const char *cwd, *user;
};
struct agent_script_answer {
    int64_t exit_status;
};
/* "declare_root": commands may touch what lies below it, from now on. Never one of the system's own directories. */
struct agent_declare_root {
    const char *path;
};
/* "control": processes of the agent, by name or group. */
enum agent_action { AGENT_START, AGENT_STOP, AGENT_RESTART };
extern const char *const agent_action_names[];
struct agent_control {
    int action;
    struct field_strings names;
};
/* "install_self": another version of the agent from a blob; the former one is back when it does not answer. */
struct agent_install_self {
    const char *sha256;
};
struct agent_installed {
    const char *version;
};

/* Readers of answers: the structs' tables, for agent_result_read. */
extern const struct field agent_mkdirs_answer_fields[], agent_remove_tree_answer_fields[], agent_extract_package_answer_fields[],
    agent_started_fields[], agent_stopped_fields[], agent_process_seen_fields[], agent_file_part_fields[], agent_files_fields[],
    agent_port_fields[], agent_disks_fields[], agent_host_info_fields[], agent_script_answer_fields[], agent_installed_fields[];

#endif
