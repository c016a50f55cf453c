/* SPDX-License-Identifier: Apache-2.0 */
#include "src/package/name.h"

#include <string.h>

enum { MAX_FILE_NAME = 200 };

const char *const package_type_names[] = {
    "OB_SERVER_INSTALL_PACKAGE", "OCP_AGENT_INSTALL_PACKAGE", "OBPROXY_INSTALL_PACKAGE", "OB_BACKUP_AGENT_INSTALL_PACKAGE", "OTHERS_RPM", NULL,
};

static const struct {
    const char *name;
    enum package_type type;
} known[] = {
    { "oceanbase", PACKAGE_OB_SERVER },
    { "oceanbase-ce", PACKAGE_OB_SERVER },
    { "oceanbase-standalone", PACKAGE_OB_SERVER },
    { "t-oceanbase-ocp-agent", PACKAGE_OCP_AGENT },
    { "ocp-agent", PACKAGE_OCP_AGENT },
    { "ocp-agent-ce", PACKAGE_OCP_AGENT },
    { "obproxy", PACKAGE_OBPROXY },
    { "obproxy-ce", PACKAGE_OBPROXY },
    { "t-oceanbase-obproxy", PACKAGE_OBPROXY },
    { "t-oceanbase-backup-agent", PACKAGE_OB_BACKUP_AGENT },
    { "oceanbase-backup-agent", PACKAGE_OB_BACKUP_AGENT },
    { "ob-backup-agent", PACKAGE_OB_BACKUP_AGENT },
    { "oceanbase-libs", PACKAGE_OTHER },
    { "oceanbase-utils", PACKAGE_OTHER },
    { "oceanbase-ce-libs", PACKAGE_OTHER },
    { "oceanbase-ce-utils", PACKAGE_OTHER },
};

int package_type_of(const char *name)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i].name, name) == 0)
            return (int)known[i].type;
    return -1;
}

bool package_architecture_is_known(const char *architecture)
{
    return strcmp(architecture, "x86_64") == 0 || strcmp(architecture, "aarch64") == 0 || strcmp(architecture, "noarch") == 0;
}

void package_split_release(const char *release, struct slice *build, struct slice *operating_system)
{
    const char *dot = strrchr(release, '.');
    size_t n = strlen(release);

    *build = (struct slice){ release, dot != NULL ? (size_t)(dot - release) : n };
    *operating_system = dot != NULL ? (struct slice){ dot + 1, n - build->n - 1 } : SLICE("");
}

struct slice package_base_name(struct slice said)
{
    for (size_t i = said.n; i > 0; i--)
        if (said.s[i - 1] == '/' || said.s[i - 1] == '\\')
            return (struct slice){ said.s + i, said.n - i };
    return said;
}

static bool is_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c != '\0' && strchr("._+~-", c) != NULL);
}

const char *package_file_name_problem(struct slice name)
{
    if (name.n == 0 || name.n > MAX_FILE_NAME)
        return "it must have 1 to 200 characters";
    if (strchr(".-+~_", name.s[0]) != NULL)
        return "it must begin with a letter or a digit";
    for (size_t i = 0; i < name.n; i++)
        if (!is_name_character(name.s[i]))
            return "it may hold letters, digits and . _ + ~ - only";
    return NULL;
}

bool package_is_rpm_name(struct slice name)
{
    return name.n > 4 && memcmp(name.s + name.n - 4, ".rpm", 4) == 0;
}
