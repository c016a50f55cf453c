/* SPDX-License-Identifier: Apache-2.0 */
/* host.h - machines and containers that OCP knows. */
#ifndef STORE_HOST_H
#define STORE_HOST_H

#include "src/store/list.h"

struct host {
    int64_t id;
    const char *name, *alias, *description;
    const char *operating_system, *operating_system_release, *architecture, *serial_number;
    const char *ip;               /* address that OCP uses; unique */
    int64_t ssh_port;
    const char *kind;             /* DEDICATED_PHYSICAL_MACHINE, DEDICATED_CONTAINER, DEDICATED_ECS */
    const char *publish_ports;    /* "2881,2882"; "": none */
    const char *status;           /* NEW, AVAILABLE, ONLINE, OFFLINE, DELETING */
    int64_t idc_id, type_id;
    int64_t credential_id;        /* 0: none */
    const char *fingerprint;      /* of its SSH key, pinned at the first contact; "": not yet */
    const char *ocp_id;           /* of the OCP cluster that manages it; "": its agent was never deployed */
    int64_t created_us, updated_us;
    /* read only */
    const char *idc_name, *idc_description, *type_name, *type_description;
    int64_t region_id;
    const char *region_name, *region_description;
    int64_t agent_id;             /* FIELD_NONE: no agent was ever deployed; NULL texts then */
    const char *agent_version, *agent_status;
};

struct host_filter {
    struct field_strings status;
    const char *keyword;          /* part of name, alias, address or description; NULL: any */
    struct field_ints ids, idc_ids, type_ids;
    struct field_strings ips;
    struct field_strings with_services, without_services; /* OB_CLUSTER, OCP_AGENT ...: hosts that have any of them; that have none of them */
    const struct scope *scope;    /* NULL: all; kind HOST */
};
/* Sorted by id, name, innerIpAddress, status, createTime, updateTime; newest first by itself. `f` may be NULL. Errors: those of list_read. */
MUST_CHECK int store_host_list(struct db *d, const struct host_filter *f, const struct store_page *page, struct arena *arena,
                               struct host **out, size_t *n, int64_t *total, struct err *e);
/* Errors: NOT_FOUND, those of db_read. */
MUST_CHECK int store_host_get(struct db *d, int64_t id, struct arena *arena, struct host *out, struct err *e);
MUST_CHECK int store_host_find(struct db *d, const char *ip, struct arena *arena, struct host *out, struct err *e);

/* The id is the caller's (db_next_id), times are set here. Errors: NAME_USED (the address), NOT_FOUND (IDC or host type), those of tx_run. */
MUST_CHECK int store_host_insert(struct tx *tx, const struct host *h, struct err *e);
/* Writes what people may change: alias, description, SSH port, kind, ports, IDC, type, credential; NULL and FIELD_NONE stay. Errors: NOT_FOUND (also of IDC or host type), those of tx_run. */
MUST_CHECK int store_host_update(struct tx *tx, const struct host *h, struct err *e);
/* What the host said of itself: names, system, serial number (unless one was given). Errors: NOT_FOUND, those of tx_run. */
MUST_CHECK int store_host_describe(struct tx *tx, const struct host *h, struct err *e);
/* Pins the key of its SSH server. Errors: NOT_FOUND, those of tx_run. */
MUST_CHECK int store_host_pin(struct tx *tx, int64_t id, const char *fingerprint, struct err *e);
/* Errors: NOT_FOUND, CONFLICT when it is not `from` any more (NULL: whatever it is), those of tx_run. */
MUST_CHECK int store_host_set_status(struct tx *tx, int64_t id, const char *from, const char *to, struct err *e);
/* AVAILABLE and ONLINE become what they are: OFFLINE where the agent does not answer; ONLINE where something that OCP manages runs, else AVAILABLE.
 * NEW and DELETING stay. Errors: those of db_transact. */
MUST_CHECK int store_host_follow_agents(struct db *d, struct err *e);
/* Errors: NOT_FOUND, those of tx_run. Whether anything still runs there is the caller's to look at. */
MUST_CHECK int store_host_delete(struct tx *tx, int64_t id, struct err *e);

#endif
