/* SPDX-License-Identifier: Apache-2.0 */
/* obstat2: SQL statistics of the observers of this host. So far it waits for the server and says that nothing is collected. */
#include "agent/names.h"

static int start(struct frame *f, void *data, struct err *e)
{
    int rv = frame_wait_server(f, e);

    (void)data;
    if (rv == 0)
        frame_note(f, "nothing is collected yet");
    return rv;
}

int obstat2_main(struct frame *f, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return frame_run(f, start, NULL, NULL);
}
