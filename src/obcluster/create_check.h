/* SPDX-License-Identifier: Apache-2.0 */
/* create_check.h - may a cluster be made like this? Every reason against it at once. Pure: what is known is handed in. */
#ifndef OBCLUSTER_CREATE_CHECK_H
#define OBCLUSTER_CREATE_CHECK_H

#include "src/obcluster/layout.h"

ERR_DECLARE(ERR_CREATE_TYPE);       /* 11003 {0} type */
ERR_DECLARE(ERR_CREATE_NO_SERVER);  /* 11019 {0} zone */
ERR_DECLARE(ERR_CREATE_TAKEN);      /* 11021 {0} host, {1} port, {2} cluster */
ERR_DECLARE(ERR_CREATE_ARCH);       /* 11023 {0} host, {1} its architecture, {2} package, {3} the package's */
ERR_DECLARE(ERR_CREATE_REFUSED);    /* 11043 {0} name, {1} to {4} reasons: more than one */
ERR_DECLARE(ERR_CREATE_VERSION);    /* 11004 {0} package, {1} its version */
ERR_DECLARE(ERR_CREATE_MEMBER);     /* 11253 {0} member of the request, {1} why it cannot be had, and what can */
ERR_DECLARE(ERR_ZONE_NAME);         /* 12001 {0} name */
ERR_DECLARE(ERR_ZONE_TWICE);        /* 12009 {0} name */
ERR_DECLARE(ERR_CREATE_PORTS);      /* 13009 {0} SQL port, {1} RPC port */
ERR_DECLARE(ERR_CREATE_HOST);       /* 13016 {0} id */
ERR_DECLARE(ERR_CREATE_HOST_TWICE); /* {0} host */
ERR_DECLARE(ERR_CREATE_HOST_STATE); /* {0} host, {1} state */
ERR_DECLARE(ERR_CREATE_HOST_IDC);   /* {0} host, {1} its IDC, {2} zone, {3} IDC of the zone */
ERR_DECLARE(ERR_CREATE_IDC);        /* {0} name */
ERR_DECLARE(ERR_CREATE_PACKAGE);    /* {0} file name, {1} what is wrong with it */
ERR_DECLARE(ERR_CREATE_PATH);       /* {0} path, {1} what is wrong with it */
ERR_DECLARE(ERR_CREATE_PARAMETER);  /* {0} name, {1} what is wrong with it */
ERR_DECLARE(ERR_CREATE_PRIMARY);    /* {0} zone that is none of the cluster's */
ERR_DECLARE(ERR_CREATE_USER);       /* {0} name */
extern const struct err_row *const create_check_err_rows[];

struct create_zone {
    const char *name, *idc_name;
    struct field_ints servers;           /* ids of hosts */
    const char *package, *architecture;  /* must be those of the cluster; NULL: not said */
};
/* What OCP's clients may ask for beside it. */
struct create_beside {
    const char *proxyro_user, *load_type, *primary_cluster, *arbitration, *overselling; /* NULL: not asked for */
    size_t n_proxy_clusters;
    bool cgroup, extra_tenant;
};
/* Resources of the tenant sys, as the kernel writes sizes ("4G"); "": as the kernel chooses. */
struct create_sys_unit {
    const char *memory, *log_disk;
};
/* What people ask for. */
struct create_want {
    const char *name, *package, *type;   /* package: its file name; type: PRIMARY */
    const char *password, *proxyro_password; /* the second "": one is made */
    const char *primary_zone;            /* "zone1,zone2;zone3"; "": RANDOM */
    const struct create_zone *zones;
    size_t n_zones;
    struct layout_paths paths;
    const char *os_user;                 /* whose processes they are */
    int64_t port, sql_port;
    const struct layout_parameter *parameters;
    size_t n_parameters;
    struct create_sys_unit sys_unit;
    struct create_beside beside;
};

struct create_host {
    int64_t id;
    const char *ip, *status, *architecture, *idc_name; /* architecture "": not known */
};
/* An observer that is somewhere already. */
struct create_there {
    const char *ip, *cluster;
    int64_t port, sql_port;
};
struct create_known {
    bool name_taken, package_found;
    const char *package_type, *package_architecture, *package_version; /* "" without a package */
    const struct create_host *hosts;     /* those that are asked for, as far as they are there */
    size_t n_hosts;
    const char *const *idcs;             /* names of all */
    size_t n_idcs;
    const struct create_there *there;
    size_t n_there;
};

enum { CREATE_REASONS = 64 };
struct create_reasons {
    struct err *items;                   /* CREATE_REASONS of them */
    size_t n;
};
MUST_CHECK int create_check(const struct create_want *w, const struct create_known *k, struct arena *arena, struct create_reasons *out,
                            struct err *e);
/* Of package, zones and their hosts alone: they are to join a cluster. */
MUST_CHECK int create_check_servers(const struct create_want *w, const struct create_known *k, struct arena *arena,
                                    struct create_reasons *out, struct err *e);
/* As one error: that reason, or CREATE_REFUSED with as many as fit. 0 when there is none. */
int create_refuse(const struct create_want *w, const struct create_reasons *r, struct err *e);

/* NULL when it may be the name of a zone, else what is wrong with it. */
const char *zone_name_problem(const char *name);
/* NULL when root may have this password, else what is wrong with it. */
const char *cluster_password_problem(const char *password);

#endif
