/* SPDX-License-Identifier: Apache-2.0 */
/* record.h - reads what observers report about their root service and writes what proxies and observers get to read. Pure. */
#ifndef CONFIGURL_RECORD_H
#define CONFIGURL_RECORD_H

#include "src/store/configurl.h"

enum { CONFIG_NAME_MAX = 128, CONFIG_SERVERS_MAX = 64, CONFIG_AHEAD_US = 300 * 1000000 };

struct config_rs {
    const char *address;         /* "10.0.0.1:2882", "[::1]:2882": RPC */
    int role;                    /* enum config_role */
    int64_t sql_port;
};
enum config_role { CONFIG_LEADER, CONFIG_FOLLOWER };

/* Which cluster is meant, as the query says it. */
struct config_ask {
    const char *name;            /* NULL: not said */
    int64_t id;                  /* 0: not said */
    int64_t version;             /* of the protocol: 1, 2 */
};

struct config_report {
    struct config_record record;
    const struct config_rs *servers;
    size_t n_servers;
};

/* NULL when `name` may be that of a cluster, else what is wrong with it. */
const char *config_name_problem(const char *name);

/* Reads the body of a report; what it does not say the query says. Its time is `now_us` when it says none, and at most CONFIG_AHEAD_US later,
 * so that a clock that is ahead keeps later reports out for no longer. `out` lies in `arena`.
 * Errors: REQUEST, INVALID, NOMEM. */
MUST_CHECK int config_report_read(struct slice body, const struct config_ask *ask, int64_t now_us, struct arena *arena,
                                  struct config_report *out, struct err *e);
/* Fills record.servers from the list. Errors: NOMEM. */
MUST_CHECK int config_report_finish(struct config_report *r, struct arena *arena, struct err *e);

typedef void (*config_writer)(struct str *t, const struct config_record *r, const void *data);
/* {"ObRegion":...,"RsList":[...],"ReadonlyRsList":[]}; `data` is not used. */
void config_write_servers(struct str *t, const struct config_record *r, const void *data);
/* {"ObRegion":...,"IDCList":[...],"ReadonlyRsList":""}; `data` is a struct config_idcs. */
struct config_idcs {
    const struct config_idc *items;
    size_t n;
};
void config_write_idcs(struct str *t, const struct config_record *r, const void *data);

/* Appends what `write` makes of the records that are asked for, out of all, which are sorted by name and number: with version 2 and no number an
 * array of all of the name, else one: that with the number, or of several a PRIMARY first, then the latest. False: there is none. */
bool config_write_answer(struct str *t, const struct config_record *all, size_t n, const struct config_ask *ask, config_writer write,
                         const void *data);

#endif
