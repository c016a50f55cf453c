/* SPDX-License-Identifier: Apache-2.0 */
/* leasing.h - who does standing work (looking at managed clusters, collecting): pure decisions. The work is cut into shards; a row of MetaDB
 * leases each shard to one node. The leader assigns, a node acts only while it holds, and writes results only under the lease's view.
 *
 * What the leader makes of a node, one round a second:
 *
 *             seen            draining             not seen, or dead
 *   SILENT ---------> UP -----------------> LEAVING ---------> HELD          UP       gets shards
 *    ^  ^             | ^                    |   |               |           LEAVING  gives its shards back, and comes back itself
 *    |  |  not seen   | |        seen        |   |     seen      |           HELD     gone for a restart: its shards wait for it
 *    |  +-------------+ +--------------------+---|---------------+           SILENT   its shards are its own until their leases end
 *    |                |                          |               |           DEAD     its shards go elsewhere at once
 *    | not seen       | process known dead       | 30 s          | 30 s      AWAY     people want it without work: its shards move
 *    |                v                          v               v
 *    +--------------(DEAD)                     AWAY            DEAD          DEAD and AWAY: UP again when seen (and not withdrawn)
 *    +----------------------------------------'  (and from any state when people withdraw it)
 *
 * What a node makes of one shard:
 *
 *                 granted                    is to go elsewhere                  nothing acts any more
 *   NONE -----------------------> HOLDING ------------------------> STOPPING --------------------------> RELEASED
 *    ^                               | not leased any more, or         |                                    |
 *    +-------------------------------+ LEASING_STOP_MS without renewal-+------------------------------------+
 *
 * Ages and ends of leases are counted by MetaDB's clock alone; a node counts what is left of its own from before it asked. */
#ifndef HA_STEP_LEASING_H
#define HA_STEP_LEASING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LEASING_SHARDS = 256,
    LEASING_TTL_MS = 10000,
    LEASING_RENEW_MS = LEASING_TTL_MS / 3,
    LEASING_STOP_MS = LEASING_TTL_MS * 2 / 3, /* since the last renewal was sent: nothing is begun after it */
    LEASING_ROUND_MS = 1000,                  /* of the leader, and between two looks of a node at its leases */
    LEASING_HOLD_MS = 30000,                  /* shards wait so long for a node that restarts */
    LEASING_FRESH_MS = 5000,                  /* not seen in MetaDB for longer: SILENT */
    LEASING_SETTLE_MS = 5000,                 /* MetaDB in sight for so long: who was not seen is not there */
    LEASING_MOVES = 64,                       /* shards that change hands in a second, at most */
    LEASING_NODES = 16,
    LEASING_WEIGHT = 100,                     /* usual weight of a node */
};

/* The shard of the managed object `id`. */
unsigned leasing_shard(int64_t id);

/* So many parts of object `id` stand in `idc` ("": nobody says where). */
struct leasing_place {
    int64_t id;
    const char *idc;
    int64_t n;
};
/* Where each shard's work is best done: the IDC in which most objects of the shard have most of their parts; "" where there is none. `places` is
 * sorted by id; the texts are borrowed from it. */
void leasing_idcs(const struct leasing_place *places, size_t n, const char *idcs[LEASING_SHARDS]);

/* --- the leader --------------------------------------------------------------------------------------------------------------- */

enum leasing_state { LEASING_SILENT, LEASING_UP, LEASING_LEAVING, LEASING_HELD, LEASING_DEAD, LEASING_AWAY, LEASING_STATES };
extern const char *const leasing_state_names[LEASING_STATES];

/* A node, as MetaDB and the liveness links have it now. */
struct leasing_node {
    int64_t id;
    const char *idc;        /* where it stands; "": not said */
    int64_t seen_ms;        /* since it said to MetaDB that it is there */
    bool dead;              /* its process is known to be gone: its port refuses; silence is not enough */
    bool draining;          /* it stops, or is gone and had been stopping: for a restart */
    bool away;              /* people have drained it, or it is to have no work at all */
    unsigned weight;        /* share of the work; 0: none */
};
struct leasing_lease {
    int64_t node_id, next_id; /* 0: nobody */
    int64_t left_ms;          /* until it ends; 0 and less: it has ended */
};
struct leasing_world {
    const struct leasing_node *nodes;
    unsigned n_nodes;                    /* at most LEASING_NODES */
    const struct leasing_lease *leases;  /* LEASING_SHARDS */
    const char *const *idcs;             /* of each shard: where most of what it stands for is; "": nowhere in particular. NULL: none has */
};
/* One row that is to change. */
struct leasing_change {
    unsigned shard;
    int64_t to;             /* 0 with is_ask: it stays after all */
    bool is_ask;            /* the owner is asked to hand it over, nothing else; else `to` becomes the owner, in a new view */
    bool from_dead;         /* although the lease runs */
};

/* Caller's memory; one leadership. */
struct leasing {
    struct leasing_known {
        int64_t id, since_ms;
        enum leasing_state state;
    } nodes[LEASING_NODES];
    unsigned n_nodes;
    int64_t sighted_ms;     /* since when MetaDB is in sight without a break */
    int64_t moves_ms, moves;
};

/* A leadership begins: nothing is known of before. Also after a round in which MetaDB was out of sight. */
void leasing_begin(struct leasing *l, int64_t now_ms);
void leasing_lost_sight(struct leasing *l, int64_t now_ms);
/* What is to change now; `out` has room for LEASING_SHARDS. */
unsigned leasing_plan(struct leasing *l, const struct leasing_world *w, int64_t now_ms, struct leasing_change *out);

/* --- a node ------------------------------------------------------------------------------------------------------------------- */

enum leasing_part { LEASING_NONE, LEASING_HOLDING, LEASING_STOPPING, LEASING_RELEASED, LEASING_PARTS };

/* A lease of this node, as one reading of MetaDB shows it. */
struct leasing_row {
    unsigned shard;
    int64_t view, next_id;
    int64_t kicks;          /* how often somebody has asked for a look */
    int64_t left_ms;
};
struct leasing_side {
    struct leasing_held {
        enum leasing_part part;
        int64_t view;       /* that it is held in, or was held in last: an older one is never taken again */
        int64_t released;   /* view that MetaDB was last asked to take back, which may happen at any time: nor is that one */
        int64_t until_ms;
        int64_t kicks;
        unsigned acting;    /* pieces of work under way */
    } shards[LEASING_SHARDS];
    int64_t renewed_ms;     /* when the last renewal was sent that succeeded; INT64_MIN: none */
    bool leaves;            /* gives everything back and takes nothing */
    bool has_read;          /* what it finds at first was its former process's: given back, since that may have asked for it, too */
};

void leasing_side_init(struct leasing_side *s);
/* Is the next call of MetaDB to renew? */
bool leasing_wants_renewal(const struct leasing_side *s, int64_t now_ms);
void leasing_renewed(struct leasing_side *s, int64_t sent_ms);
/* All leases of this node that run, read by a statement sent at `sent_ms`. True when what is held has changed. *kicked (may be NULL) gets
 * LEASING_SHARDS flags: somebody has asked for a look there. */
bool leasing_read(struct leasing_side *s, const struct leasing_row *rows, unsigned n, int64_t sent_ms, bool *kicked);
/* Lets go of what has not been renewed in time. True when something was. */
bool leasing_expire(struct leasing_side *s, int64_t now_ms);
/* Gives everything back; for ever. */
void leasing_leave(struct leasing_side *s);

/* May work on this shard be done now, and in which view? */
bool leasing_holds(const struct leasing_side *s, unsigned shard, int64_t now_ms, int64_t *view);
/* A piece of work begins, if it may, and ends. */
bool leasing_enter(struct leasing_side *s, unsigned shard, int64_t now_ms, int64_t *view);
void leasing_exit(struct leasing_side *s, unsigned shard);
/* Shards to release in MetaDB now, since nothing acts on them any more; the views go along. Nothing is ever begun under these again. Once it is
 * done there, leasing_released says so; until then they are asked for again. */
unsigned leasing_to_release(struct leasing_side *s, unsigned shards[LEASING_SHARDS], int64_t views[LEASING_SHARDS]);
void leasing_released(struct leasing_side *s, unsigned shard, int64_t view);
/* When something is to be let go of next if nothing is renewed; INT64_MAX: nothing is held. */
int64_t leasing_until_ms(const struct leasing_side *s);
unsigned leasing_count(const struct leasing_side *s, int64_t now_ms); /* held */

#endif
