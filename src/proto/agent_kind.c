/* SPDX-License-Identifier: Apache-2.0 */
#include "src/proto/agent_kind.h"

#include <string.h>

const char *const agent_action_names[] = { "START", "STOP", "RESTART", NULL };

/* Paths, and all that ends in one: no control characters, and of a size that the kernel takes. */
static const char *check_path(const char *s)
{
    if (s[0] != '/')
        return "must be an absolute path";
    for (; *s != '\0'; s++)
        if ((unsigned char)*s < ' ' || *s == 0x7f)
            return "must hold no control characters";
    return NULL;
}

#define PATH(S, M, NAME, ...) F_STRING(S, M, NAME, .max = 4000, .check = check_path, ##__VA_ARGS__)
#define USER(S, M, NAME, ...) F_STRING(S, M, NAME, .max = 64, ##__VA_ARGS__)
enum { ARGS_MAX = 512, PATHS_MAX = 256, PORT_MAX = 65535, MODE_MAX = 07777, GRACE_MAX_MS = 600000 };

static const struct field mkdirs_args[] = {
    F_STRINGS(agent_mkdirs, paths, "paths", .flags = FIELD_REQUIRED, .max = PATHS_MAX),
    USER(agent_mkdirs, owner, "owner"),
    F_INT(agent_mkdirs, mode, "mode", .def = "493", .min = 0, .max = MODE_MAX),
    F_STRING(agent_mkdirs, mark, "mark", .max = 200),
    FIELD_END,
};
const struct field agent_mkdirs_answer_fields[] = { F_STRINGS(agent_mkdirs_answer, made, "made"), FIELD_END };

static const struct field remove_tree_args[] = {
    PATH(agent_remove_tree, path, "path", .flags = FIELD_REQUIRED),
    F_STRING(agent_remove_tree, mark, "mark", .flags = FIELD_REQUIRED, .max = 200),
    F_BOOL(agent_remove_tree, keep, "keep", .def = "false"),
    FIELD_END,
};
const struct field agent_remove_tree_answer_fields[] = { F_INT(agent_remove_tree_answer, removed, "removed"), FIELD_END };

static const struct field extract_package_args[] = {
    F_STRING(agent_extract_package, sha256, "sha256", .flags = FIELD_REQUIRED, .min = 64, .max = 64),
    PATH(agent_extract_package, directory, "directory", .flags = FIELD_REQUIRED),
    USER(agent_extract_package, owner, "owner"),
    PATH(agent_extract_package, strip, "strip"),
    FIELD_END,
};
const struct field agent_extract_package_answer_fields[] = {
    F_INT(agent_extract_package_answer, files, "files"), F_INT(agent_extract_package_answer, bytes, "bytes"),
    F_BOOL(agent_extract_package_answer, already, "already"), FIELD_END,
};

static const struct field start_process_args[] = {
    F_STRINGS(agent_start_process, argv, "argv", .flags = FIELD_REQUIRED, .max = ARGS_MAX),
    F_STRINGS(agent_start_process, env, "env", .max = ARGS_MAX),
    PATH(agent_start_process, cwd, "cwd"),
    USER(agent_start_process, user, "user"),
    PATH(agent_start_process, pid_file, "pidFile"),
    F_BOOL(agent_start_process, own_pid_file, "ownPidFile", .def = "false"),
    PATH(agent_start_process, log_file, "logFile"),
    F_INT(agent_start_process, settle_ms, "settleMs", .def = "200", .min = 0, .max = 60000),
    FIELD_END,
};
const struct field agent_started_fields[] = {
    F_INT(agent_started, pid, "pid"), F_INT(agent_started, start_time, "startTime"), F_BOOL(agent_started, already, "already"), FIELD_END,
};

static const struct field stop_process_args[] = {
    F_INT(agent_stop_process, pid, "pid", .min = 2, .max = INT32_MAX),
    F_INT(agent_stop_process, start_time, "startTime", .min = 0, .max = INT64_MAX),
    PATH(agent_stop_process, pid_file, "pidFile"),
    PATH(agent_stop_process, exe, "exe"),
    F_INT(agent_stop_process, grace_ms, "graceMs", .def = "10000", .min = 0, .max = GRACE_MAX_MS),
    FIELD_END,
};
const struct field agent_stopped_fields[] = {
    F_BOOL(agent_stopped, was_running, "wasRunning"), F_BOOL(agent_stopped, killed, "killed"), FIELD_END,
};

static const struct field process_status_args[] = {
    F_INT(agent_process_status, pid, "pid", .min = 2, .max = INT32_MAX),
    F_INT(agent_process_status, start_time, "startTime", .min = 0, .max = INT64_MAX),
    PATH(agent_process_status, pid_file, "pidFile"),
    PATH(agent_process_status, exe, "exe"),
    FIELD_END,
};
const struct field agent_process_seen_fields[] = {
    F_BOOL(agent_process_seen, running, "running"), F_INT(agent_process_seen, pid, "pid"),
    F_INT(agent_process_seen, start_time, "startTime"), F_STRING(agent_process_seen, exe, "exe"),
    F_STRING(agent_process_seen, user, "user"), F_INT(agent_process_seen, rss_bytes, "rssBytes"),
    F_INT(agent_process_seen, cpu_ms, "cpuMs"), F_INT(agent_process_seen, threads, "threads"), FIELD_END,
};

static const struct field read_file_args[] = {
    PATH(agent_read_file, path, "path", .flags = FIELD_REQUIRED),
    F_INT(agent_read_file, offset, "offset", .def = "0", .min = INT64_MIN + 1, .max = INT64_MAX),
    F_INT(agent_read_file, length, "length", .def = "65536", .min = 1, .max = 128 * 1024),
    FIELD_END,
};
const struct field agent_file_part_fields[] = {
    F_INT(agent_file_part, size, "size"), F_INT(agent_file_part, offset, "offset"),
    F_STRING(agent_file_part, data, "data", .max = 256 * 1024), FIELD_END,
};

static const struct field list_directory_args[] = {
    PATH(agent_list_directory, path, "path", .flags = FIELD_REQUIRED),
    F_INT(agent_list_directory, limit, "limit", .def = "200", .min = 1, .max = 1000),
    FIELD_END,
};
static const struct field file_fields[] = {
    F_STRING(agent_file, name, "name"), F_STRING(agent_file, type, "type"), F_STRING(agent_file, target, "target"),
    F_INT(agent_file, size, "size"), F_INT(agent_file, mode, "mode"), F_INT(agent_file, modified_us, "modifiedUs"), FIELD_END,
};
const struct field agent_files_fields[] = {
    F_LIST(agent_files, entries, "entries", agent_file, file_fields), F_BOOL(agent_files, truncated, "truncated"), FIELD_END,
};

static const struct field check_port_args[] = {
    F_STRING(agent_check_port, address, "address", .max = 64),
    F_INT(agent_check_port, port, "port", .flags = FIELD_REQUIRED, .min = 1, .max = PORT_MAX),
    F_BOOL(agent_check_port, connect, "connect", .def = "false"),
    F_INT(agent_check_port, timeout_ms, "timeoutMs", .def = "2000", .min = 1, .max = 60000),
    FIELD_END,
};
const struct field agent_port_fields[] = {
    F_BOOL(agent_port, free, "free"), F_BOOL(agent_port, reachable, "reachable"), F_INT(agent_port, took_us, "tookUs"),
    F_STRING(agent_port, reason, "reason"), FIELD_END,
};

static const struct field disk_usage_args[] = {
    F_STRINGS(agent_disk_usage, paths, "paths", .flags = FIELD_REQUIRED, .max = PATHS_MAX), FIELD_END,
};
static const struct field disk_fields[] = {
    F_STRING(agent_disk, path, "path"), F_STRING(agent_disk, existing, "existing"), F_STRING(agent_disk, device, "device"),
    F_STRING(agent_disk, type, "type"), F_INT(agent_disk, total_bytes, "totalBytes"),
    F_INT(agent_disk, available_bytes, "availableBytes"), F_INT(agent_disk, total_files, "totalFiles"),
    F_INT(agent_disk, available_files, "availableFiles"), F_INT(agent_disk, device_number, "deviceNumber"), FIELD_END,
};
const struct field agent_disks_fields[] = { F_LIST(agent_disks, disks, "disks", agent_disk, disk_fields), FIELD_END };

static const struct field nothing_args[] = { FIELD_END };
const struct field agent_host_info_fields[] = {
    F_STRING(agent_host_info, hostname, "hostname"), F_STRING(agent_host_info, os, "os"),
    F_STRING(agent_host_info, os_version, "osVersion"), F_STRING(agent_host_info, kernel, "kernel"),
    F_STRING(agent_host_info, architecture, "architecture"), F_STRING(agent_host_info, boot, "boot"),
    F_STRING(agent_host_info, cpu_model, "cpuModel"), F_INT(agent_host_info, cpu_count, "cpuCount"),
    F_INT(agent_host_info, memory_bytes, "memoryBytes"), F_INT(agent_host_info, memory_available_bytes, "memoryAvailableBytes"),
    F_INT(agent_host_info, swap_bytes, "swapBytes"), F_INT(agent_host_info, boot_us, "bootUs"),
    F_INT(agent_host_info, wall_us, "wallUs"), F_INT(agent_host_info, clock_ms, "clockMs"),
    F_INT(agent_host_info, max_files, "maxFiles"), F_INT(agent_host_info, max_map_count, "maxMapCount"),
    F_BOOL(agent_host_info, systemd, "systemd"), F_BOOL(agent_host_info, root, "root"), FIELD_END,
};

static const struct field symlink_args[] = {
    PATH(agent_symlink, path, "path", .flags = FIELD_REQUIRED),
    PATH(agent_symlink, target, "target", .flags = FIELD_REQUIRED),
    F_BOOL(agent_symlink, replace, "replace", .def = "false"),
    FIELD_END,
};

static const struct field write_file_args[] = {
    PATH(agent_write_file, path, "path", .flags = FIELD_REQUIRED),
    F_STRING(agent_write_file, data, "data", .flags = FIELD_REQUIRED | FIELD_EMPTY_OK, .max = 128 * 1024),
    USER(agent_write_file, owner, "owner"),
    F_INT(agent_write_file, mode, "mode", .def = "416", .min = 0, .max = 0777),
    FIELD_END,
};

static const struct field run_script_args[] = {
    PATH(agent_run_script, interpreter, "interpreter"),
    PATH(agent_run_script, script, "script", .flags = FIELD_REQUIRED),
    F_STRINGS(agent_run_script, args, "args", .max = ARGS_MAX),
    F_STRINGS(agent_run_script, env, "env", .max = ARGS_MAX),
    PATH(agent_run_script, cwd, "cwd"),
    USER(agent_run_script, user, "user"),
    FIELD_END,
};
const struct field agent_script_answer_fields[] = { F_INT(agent_script_answer, exit_status, "exitStatus"), FIELD_END };

static const struct field declare_root_args[] = { PATH(agent_declare_root, path, "path", .flags = FIELD_REQUIRED), FIELD_END };

static const struct field control_args[] = {
    F_ENUM(agent_control, action, "action", agent_action_names, .flags = FIELD_REQUIRED),
    F_STRINGS(agent_control, names, "names", .flags = FIELD_REQUIRED, .max = 16),
    FIELD_END,
};

static const struct field install_self_args[] = {
    F_STRING(agent_install_self, sha256, "sha256", .flags = FIELD_REQUIRED, .min = 64, .max = 64), FIELD_END,
};
const struct field agent_installed_fields[] = { F_STRING(agent_installed, version, "version"), FIELD_END };

#define KIND(NAME, FLAGS, ARGS, S, ANSWER, A, TEXT) \
    { .name = NAME, .doc = TEXT, .flags = FLAGS, .args = ARGS, .args_size = sizeof(struct S), .answer = ANSWER, .answer_size = sizeof(struct A) }
#define KIND_MUTE(NAME, FLAGS, ARGS, S, TEXT) { .name = NAME, .doc = TEXT, .flags = FLAGS, .args = ARGS, .args_size = sizeof(struct S) }

const struct agent_kind agent_kinds[] = {
    KIND("mkdirs", 0, mkdirs_args, agent_mkdirs, agent_mkdirs_answer_fields, agent_mkdirs_answer, "Makes directories."),
    KIND("remove_tree", AGENT_SLOW, remove_tree_args, agent_remove_tree, agent_remove_tree_answer_fields, agent_remove_tree_answer,
         "Removes a directory that bears our mark."),
    KIND("extract_package", AGENT_SLOW, extract_package_args, agent_extract_package, agent_extract_package_answer_fields,
         agent_extract_package_answer, "Extracts a package into a directory of its own."),
    KIND("start_process", 0, start_process_args, agent_start_process, agent_started_fields, agent_started, "Starts a daemon."),
    KIND("stop_process", 0, stop_process_args, agent_stop_process, agent_stopped_fields, agent_stopped, "Stops a process."),
    KIND("process_status", AGENT_READS, process_status_args, agent_process_status, agent_process_seen_fields, agent_process_seen,
         "Looks at a process."),
    KIND("read_file_range", AGENT_READS, read_file_args, agent_read_file, agent_file_part_fields, agent_file_part, "Reads a part of a file."),
    KIND("list_directory", AGENT_READS, list_directory_args, agent_list_directory, agent_files_fields, agent_files, "Lists a directory."),
    KIND("check_port", AGENT_READS, check_port_args, agent_check_port, agent_port_fields, agent_port, "Is a port free, or does it answer?"),
    KIND("disk_usage", AGENT_READS, disk_usage_args, agent_disk_usage, agent_disks_fields, agent_disks, "Size and room of file systems."),
    KIND("host_info", AGENT_READS, nothing_args, agent_nothing, agent_host_info_fields, agent_host_info, "What the host is."),
    KIND_MUTE("symlink", 0, symlink_args, agent_symlink, "Makes a symbolic link."),
    KIND_MUTE("write_file", 0, write_file_args, agent_write_file, "Replaces a small file."),
    KIND("run_script", AGENT_SLOW, run_script_args, agent_run_script, agent_script_answer_fields, agent_script_answer, "Runs a package's script."),
    KIND_MUTE("declare_root", 0, declare_root_args, agent_declare_root, "Lets commands touch what lies below a directory."),
    KIND_MUTE("control", 0, control_args, agent_control, "Starts, stops or restarts processes of the agent."),
    KIND("install_self", 0, install_self_args, agent_install_self, agent_installed_fields, agent_installed, "Upgrades the agent."),
    { .name = NULL },
};

const struct agent_kind *agent_kind_find(const char *name)
{
    for (const struct agent_kind *k = agent_kinds; k->name != NULL; k++)
        if (strcmp(k->name, name) == 0)
            return k;
    return NULL;
}
