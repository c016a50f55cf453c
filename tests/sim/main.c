/* SPDX-License-Identifier: Apache-2.0 */
/* usage: simulate [--seeds A-B] [--seconds N] [--voters N] [--stop]
 * Runs each seed; prints what was met; status 1 when an invariant broke or a class of event never occurred. --stop: at the first that broke a rule,
 * which a task that only stands still in the end does not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

enum { SCENARIO_EACH = 50 };

static const char *option(int argc, char **argv, const char *name, const char *otherwise)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return argv[i + 1];
    return otherwise;
}

static bool flag(int argc, char **argv, const char *name)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return true;
    return false;
}

static unsigned missing_classes(const struct sim_counts *c)
{
    unsigned missing = 0;

#define X(MEMBER, TEXT)                                                \
    (void)printf("  %-45s %llu\n", TEXT, (unsigned long long)c->MEMBER); \
    missing += c->MEMBER == 0;
    SIM_COUNTS(X)
#undef X
    return missing;
}

int main(int argc, char **argv)
{
    const char *seeds = option(argc, argv, "--seeds", "1-100"), *dash = strchr(seeds, '-');
    uint64_t first = strtoull(seeds, NULL, 10), last = dash != NULL ? strtoull(dash + 1, NULL, 10) : first;
    struct sim_conf conf = { .seconds = (unsigned)strtoul(option(argc, argv, "--seconds", "60"), NULL, 10) };
    unsigned voters = (unsigned)strtoul(option(argc, argv, "--voters", "0"), NULL, 10), failed = 0, most = flag(argc, argv, "--stop") ? 100 : 10;
    bool stop = flag(argc, argv, "--stop");
    struct sim_counts counts = { 0 };
    char why[512];

    for (conf.seed = first; conf.seed <= last && failed < most; conf.seed++) {
        conf.voters = voters != 0 ? voters : conf.seed % 3 == 0 ? 5 : 3;
        if ((conf.seed % SCENARIO_EACH != 1 || sim_deaf_heir(&conf, &counts, why)) && sim_run(&conf, &counts, why))
            continue;
        (void)printf("BROKEN: %s\n", why);
        (void)fflush(stdout);
        failed++;
        if (stop && strstr(why, "does not move") == NULL)
            break;
    }
    (void)printf("seeds %llu to %llu, %u simulated seconds each:\n", (unsigned long long)first, (unsigned long long)last, conf.seconds);
    if (missing_classes(&counts) > 0 && failed == 0 && last - first >= 500) {
        (void)printf("some class of events never occurred: this run proves nothing about it\n");
        return 1;
    }
    return failed > 0;
}
