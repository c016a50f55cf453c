/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/obsim/process_conf.h"

#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* --- files of name=value ---------------------------------------------------------------------------------------------------------- */

static void take_pair(struct sim_values *v, struct slice line)
{
    struct slice name = slice_cut(&line, '=');
    char text[SIM_NAME];

    sim_name(text, slice_trim(name));
    if (text[0] != '\0' && text[0] != '#')
        sim_values_set(v, text, slice_trim(line), 0);
}

bool values_read(struct sim_values *v, const char *path)
{
    FILE *f = fopen(path, "re");
    size_t space = 0;
    char *line = NULL;
    ssize_t n;

    if (f == NULL)
        return false;
    while ((n = getline(&line, &space, f)) > 0)
        take_pair(v, (struct slice){ line, (size_t)n });
    free(line);
    (void)fclose(f); /* it was read */
    return true;
}

bool values_write(const struct sim_values *v, const char *path)
{
    char made[4200];
    bool ok = true;
    FILE *f;

    (void)snprintf(made, sizeof made, "%s.tmp", path);
    f = fopen(made, "we");
    if (f == NULL)
        return false;
    for (size_t i = 0; i < v->list.n; i++)
        ok = fprintf(f, "%s=%s\n", v->list.items[i]->name, v->list.items[i]->value) > 0 && ok;
    return fclose(f) == 0 && ok && rename(made, path) == 0;
}

const char *values_get(const struct sim_values *v, const char *name)
{
    return sim_c(sim_values_get(v, name));
}

/* --- the package -------------------------------------------------------------------------------------------------------------------- */

bool package_read(struct process_package *p)
{
    char exe[4096], path[4200];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);

    *p = (struct process_package){ .folder = "" };
    exe[n > 0 ? n : 0] = '\0';
    (void)snprintf(p->folder, sizeof p->folder, "%s", dirname(dirname(exe)));
    (void)snprintf(path, sizeof path, "%s/etc/obsim.conf", p->folder);
    if (values_read(&p->values, path))
        return true;
    (void)fprintf(stderr, "observer: %s: %s: the program has to lie in the bin of a package made by obrpm.py\n", path, strerror(errno));
    return false;
}

void package_fini(struct process_package *p)
{
    sim_values_fini(&p->values);
}

const char *package_get(const struct process_package *p, const char *name, const char *otherwise)
{
    static const char *const variables[][2] = {
        { "state", "OBSIM_STATE" }, { "speed", "OBSIM_SPEED" }, { "seed", "OBSIM_SEED" }, { "lease_ms", "OBSIM_LEASE_MS" },
    };
    const char *value = NULL;

    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
        if (strcmp(variables[i][0], name) == 0)
            value = getenv(variables[i][1]);
    if (value == NULL)
        value = sim_values_get(&p->values, name);
    return value != NULL ? value : otherwise;
}

bool package_is_enterprise(const struct process_package *p)
{
    return strcmp(package_get(p, "name", "oceanbase-ce"), "oceanbase") == 0;
}

void package_build(const struct process_package *p, char to[SIM_NAME])
{
    (void)snprintf(to, SIM_NAME, "%s-%s(%s)", package_get(p, "build", "1"), package_get(p, "hash", "0"), package_get(p, "date", ""));
}

void package_print_version(const struct process_package *p, FILE *out)
{
    (void)fprintf(out, "observer (OceanBase%s %s)\n\nREVISION: %s-%s\nBUILD_BRANCH: HEAD\nBUILD_TIME: %s\nBUILD_FLAGS: RelWithDebInfo\n",
                  package_is_enterprise(p) ? "" : "_CE", package_get(p, "version", ""), package_get(p, "build", ""), package_get(p, "hash", ""),
                  package_get(p, "date", ""));
}

/* --- the command line ------------------------------------------------------------------------------------------------------------- */

static const struct option rows[] = {
    { "mysql_port", required_argument, NULL, 'p' }, { "rpc_port", required_argument, NULL, 'P' },
    { "zone", required_argument, NULL, 'z' },       { "appname", required_argument, NULL, 'n' },
    { "cluster_id", required_argument, NULL, 'c' }, { "data_dir", required_argument, NULL, 'd' },
    { "devname", required_argument, NULL, 'i' },    { "local_ip", required_argument, NULL, 'I' },
    { "log_level", required_argument, NULL, 'l' },  { "rs_list", required_argument, NULL, 'r' },
    { "optstr", required_argument, NULL, 'o' },     { "mode", required_argument, NULL, 'm' },
    { "scn", required_argument, NULL, 'f' },        { "nodaemon", no_argument, NULL, 'N' },
    { "use_ipv6", no_argument, NULL, '6' },         { "version", no_argument, NULL, 'V' },
    { "help", no_argument, NULL, 'h' },             { NULL, 0, NULL, 0 },
};

static const char *parameter_of(int option)
{
    static const struct {
        int option;
        const char *parameter;
    } names[] = {
        { 'p', "mysql_port" }, { 'P', "rpc_port" }, { 'z', "zone" },         { 'n', "cluster" },          { 'c', "cluster_id" },
        { 'd', "data_dir" },   { 'i', "devname" },  { 'I', "local_ip" },     { 'l', "syslog_level" },     { 'r', "rootservice_list" },
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].option == option)
            return names[i].parameter;
    return NULL;
}

static bool refuse(const char *name, const char *value, const char *why)
{
    (void)fprintf(stderr, "observer: %s=%s: %s\n", name, value, why);
    return false;
}

/* Hidden parameters are not known one by one. */
static bool take(struct process_options *o, const char *name, struct slice value)
{
    const struct sim_parameter *p = sim_parameter_find(sim_slice(name));
    char text[512];

    (void)snprintf(text, sizeof text, "%.*s", SLICE_FMT(value));
    if (p == NULL && name[0] != '_')
        return refuse(name, text, "there is no such parameter");
    if (p != NULL && !sim_parameter_accepts(p, value))
        return refuse(name, text, "this is no value for it");
    sim_values_set(&o->given, p != NULL ? p->name : name, value, 0);
    return true;
}

/* -o name=value,name=value */
static bool take_list(struct process_options *o, struct slice list)
{
    while (list.n > 0) {
        struct slice value = slice_cut(&list, ','), name = slice_cut(&value, '=');
        char text[SIM_NAME];

        sim_name(text, slice_trim(name));
        if (!take(o, text, slice_trim(value)))
            return false;
    }
    return true;
}

enum process_wish options_read(struct process_options *o, int argc, char **argv)
{
    int option;

    *o = (struct process_options){ .stays = false };
    while ((option = getopt_long(argc, argv, "p:P:z:n:c:d:i:I:l:r:o:m:f:N6Vh", rows, NULL)) >= 0) {
        const char *parameter = parameter_of(option);

        if (option == 'V' || option == 'h')
            return option == 'V' ? PROCESS_VERSION : PROCESS_HELP;
        if (option == '?' || (option == 'o' && !take_list(o, sim_slice(optarg))) ||
            (parameter != NULL && !take(o, parameter, sim_slice(optarg))))
            return PROCESS_BAD;
        if (option == '6' || option == 'm' || option == 'f') {
            (void)fprintf(stderr, "observer: -%c is not simulated\n", option);
            return PROCESS_BAD;
        }
        o->stays = o->stays || option == 'N';
    }
    if (optind == argc)
        return PROCESS_RUN;
    (void)fprintf(stderr, "observer: %s is no option\n", argv[optind]);
    return PROCESS_BAD;
}
