/* SPDX-License-Identifier: Apache-2.0 */
/* ob_cleaner: removes old logs of observers and proxies. So far it only waits for the server. */
#include "agent/names.h"

static int start(struct frame *f, void *data, struct err *e)
{
    int rv = frame_wait_server(f, e);

    (void)data;
    if (rv == 0)
        frame_note(f, "nothing is removed yet");
    return rv;
}

int cleaner_main(struct frame *f, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return frame_run(f, start, NULL, NULL);
}
