/* SPDX-License-Identifier: Apache-2.0 */
/* probe.h - what kind of OceanBase answers: told by its answers, never by a setting. */
#ifndef OCEANBASE_PROBE_H
#define OCEANBASE_PROBE_H

#include "src/io/sql.h"

enum ob_engine {
    OB_ENGINE_OCEANBASE, /* a cluster of observers */
    OB_ENGINE_SEEKDB,    /* OceanBase seekdb: one server, one tenant */
};
extern const char *const ob_engine_names[]; /* "OCEANBASE", "SEEKDB", NULL */

struct ob_probe {
    enum ob_engine engine;
    const char *version;       /* of the product: seekdb "1.4.0.0"; OceanBase "4.2.5.1" */
    const char *ob_version;    /* ob_version(): the lineage of the kernel, "4.3.5.3" */
    const char *full_version;  /* version comment as it is */
    const char *cluster_name;  /* parameter `cluster`; NULL: this kernel has none */
    int64_t cluster_id;        /* parameter `cluster_id`; -1: this kernel has none */
    const char *min_version;   /* parameter `min_observer_version`: what all its servers are at least; NULL: this kernel has none */
    const char *zone;          /* parameter `zone`; NULL: this kernel has none */
    int64_t created_us;        /* when the instance was first made (an OceanBase: its tenant sys): tells two instances apart; 0: unknown */
    const char *uuid;          /* server_uuid: tells them apart even when they were made in one moment; NULL: this kernel has none */
};

ERR_DECLARE(ERR_OB_FOREIGN);     /* {0} address, {1} what answered: not an OceanBase */
ERR_DECLARE(ERR_OB_UNSUPPORTED); /* {0} address, {1} version, {2} why this release cannot manage it */
extern const struct err_row *const oceanbase_err_rows[];

/* Asks the server behind `s`. Texts lie in `arena`. Errors: OB_FOREIGN, OB_UNSUPPORTED (an OceanBase without the views that are read
 * here: older than version 4), those of sql_run. */
MUST_CHECK int ob_probe(struct sql *s, struct arena *arena, struct ob_probe *out, struct err *e);
/* Only who it is: cluster_name, cluster_id, created_us, min_version and, where it has one, zone; one statement, the rest of *out stays. For sessions to
 * servers that were found to be an OceanBase before. Errors: those of sql_run. */
MUST_CHECK int ob_identify(struct sql *s, struct arena *arena, struct ob_probe *out, struct err *e);
/* "5.7.25-OceanBase seekdb-v1.4.0.0" -> SEEKDB, "1.4.0.0". False when it is no OceanBase. Pure. */
bool ob_parse_version(const char *version, const char *comment, struct arena *arena, enum ob_engine *engine, const char **product_version);

#endif
