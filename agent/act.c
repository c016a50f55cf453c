/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/act.h"

#include <string.h>

const struct act_row act_rows[] = {
    { "mkdirs", act_mkdirs },
    { "remove_tree", act_remove_tree },
    { "symlink", act_symlink },
    { "write_file", act_write_file },
    { "read_file_range", act_read_file },
    { "list_directory", act_list_directory },
    { "extract_package", act_extract_package },
    { "run_script", act_run_script },
    { "process_status", act_process_status },
    { "check_port", act_check_port },
    { "disk_usage", act_disk_usage },
    { "host_info", act_host_info },
    { .kind = NULL },
};

const struct act_row *act_find(const char *kind)
{
    for (const struct act_row *r = act_rows; r->kind != NULL; r++)
        if (strcmp(r->kind, kind) == 0)
            return r;
    return NULL;
}
