/* SPDX-License-Identifier: Apache-2.0 */
/* fault.h - what is made to go wrong with statements: for those that match, a number of times. */
#ifndef OBSIM_FAULT_H
#define OBSIM_FAULT_H

#include <regex.h>

#include "tests/obsim/list.h"

struct sim_deployment;
struct sim_session;

enum sim_fault_kind {
    SIM_FAULT_ERROR,   /* answered with an error */
    SIM_FAULT_TIMEOUT, /* 4012 once ob_query_timeout is over */
    SIM_FAULT_LOST,    /* the connection ends without an answer */
    SIM_FAULT_CUT,     /* the connection is reset in the middle of the answer */
    SIM_FAULT_SILENT,  /* never answered */
    SIM_FAULT_SLOW,    /* answered late */
    SIM_FAULT_N
};
extern const char *const sim_fault_names[SIM_FAULT_N]; /* "error" ... */

struct sim_fault {
    enum sim_fault_kind kind;
    int64_t id;
    char server[64];                  /* ip; "" any */
    char user[SIM_NAME];              /* as logged in, before the '@'; "" any */
    regex_t pattern;                  /* owned; extended, any case, somewhere in the statement */
    int64_t skip, times;              /* passes over the first `skip` matches; then for `times` of them, -1: for ever */
    bool is_done;                     /* the statement takes effect all the same */
    unsigned number;                  /* of SIM_FAULT_ERROR */
    char *text;                       /* owned; of SIM_FAULT_ERROR */
    int64_t delay_us;                 /* of SIM_FAULT_SLOW */
};

/* The first fault that strikes the statement now, counted as used; NULL: none. */
struct sim_fault *fault_strike(struct sim_deployment *d, const struct sim_session *s, struct slice sql);
/* One match is counted; false: it was one of those that are passed over. */
bool fault_use(struct sim_fault *f);
struct sim_fault *fault_find(struct sim_deployment *d, int64_t id);
/* Adds one; `pattern` NULL: everything. NULL: the pattern is none. */
struct sim_fault *fault_add(struct sim_deployment *d, enum sim_fault_kind kind, const char *pattern);
/* Removes the fault with that id, or all with id 0. */
void fault_clear(struct sim_deployment *d, int64_t id);

#endif
