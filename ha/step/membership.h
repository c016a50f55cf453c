/* SPDX-License-Identifier: Apache-2.0 */
/* membership.h - what the leader does about the members of its cluster, and what it lets people do: pure decisions.
 *
 *   added --> SPARE --- at once ---> STANDBY (gets the log) --- an odd number of voters comes of it ---> VOTER --- removed --->
 *                                       ^                                                                  |
 *                                       '------- their number is even, and no standby can make it odd -----'
 *
 * An even number of voters survives no more than the odd one below it, and is lost more easily. So there are always the largest odd number that
 * can be had: of two nodes one votes, of four three. Voters are made one after the other, the second of a pair only when it can follow at once. */
#ifndef HA_STEP_MEMBERSHIP_H
#define HA_STEP_MEMBERSHIP_H

#include <stdbool.h>
#include <stdint.h>

/* The numbers are those of Raft (enum member_role). */
enum membership_role { MEMBERSHIP_STANDBY, MEMBERSHIP_VOTER, MEMBERSHIP_SPARE };

struct membership_member {
    uint64_t id;
    enum membership_role role;
    bool self;               /* the leader, who looks */
    bool alive;              /* the leader hears it */
    bool caught_up;          /* has all of the log that is committed */
};

enum membership_action { MEMBERSHIP_NOTHING, MEMBERSHIP_MAKE_STANDBY, MEMBERSHIP_MAKE_VOTER };
struct membership_do {
    enum membership_action action;
    uint64_t id;
};
/* One step; the next one when that is committed. `changing`: a change is under way. */
struct membership_do membership_next(const struct membership_member *m, unsigned n, bool changing);

/* Why a member that is no voter is none. */
enum membership_wait {
    MEMBERSHIP_VOTES,        /* it is one */
    MEMBERSHIP_SILENT,       /* the leader does not hear it */
    MEMBERSHIP_BEHIND,       /* it has not caught up with the log */
    MEMBERSHIP_EVEN,         /* the number of voters would be even */
    MEMBERSHIP_SOON,         /* nothing keeps it from becoming one */
    MEMBERSHIP_WAITS
};
extern const char *const membership_wait_names[MEMBERSHIP_WAITS];
enum membership_wait membership_waits(const struct membership_member *m, unsigned n, uint64_t id);

/* May it be done now? */
enum membership_verdict {
    MEMBERSHIP_FINE,
    MEMBERSHIP_CHANGING,     /* another change is under way */
    MEMBERSHIP_DOWN,         /* a voter does not answer: one more member would not make up for it */
    MEMBERSHIP_FULL,         /* `most` members are there */
    MEMBERSHIP_LAST,         /* it is the only member, or the only voter */
    MEMBERSHIP_QUORUM,       /* the voters that answer would be no majority any more */
    MEMBERSHIP_LEADS,        /* it leads: leadership is handed over first */
};
enum membership_verdict membership_may_add(const struct membership_member *m, unsigned n, bool changing, unsigned most);
enum membership_verdict membership_may_remove(const struct membership_member *m, unsigned n, bool changing, uint64_t id);

/* How many voters may be lost before nobody can be elected. */
unsigned membership_tolerates(const struct membership_member *m, unsigned n);

#endif
