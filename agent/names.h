/* SPDX-License-Identifier: Apache-2.0 */
/* names.h - the names under which ocp-agent acts: each is one function, in the file of its name. */
#ifndef AGENT_NAMES_H
#define AGENT_NAMES_H

#include "agent/frame.h"

int agentd_main(struct frame *f, int argc, char **argv);
int pos_proxy_main(struct frame *f, int argc, char **argv);
int exporter_main(struct frame *f, int argc, char **argv);
int cleaner_main(struct frame *f, int argc, char **argv);
int obstat2_main(struct frame *f, int argc, char **argv);
int logtailer_main(struct frame *f, int argc, char **argv);
int ctl_main(struct frame *f, int argc, char **argv);

#endif
