/* SPDX-License-Identifier: Apache-2.0 */
/* domains.h - what the domains keep in memory, one member each, for those that are handed a single pointer: handlers
 * (c->api->shared->domains) and steps of flows (task_data). Built by src/server.c; constant from then on. */
#ifndef TASK_DOMAINS_H
#define TASK_DOMAINS_H

struct configurl;
struct hosts;
struct obclusters;
struct packages;

struct domain_graph {
    struct configurl *configurl;
    struct hosts *hosts;
    struct obclusters *obclusters;
    struct packages *packages;
};

#endif
