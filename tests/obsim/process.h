/* SPDX-License-Identifier: Apache-2.0 */
/* process.h - one observer as a process of its own: the program `observer` of the test packages. */
#ifndef OBSIM_PROCESS_H
#define OBSIM_PROCESS_H

/* Runs until SIGTERM, as a daemon unless told otherwise; returns the exit status. */
int process_main(int argc, char **argv);

#endif
