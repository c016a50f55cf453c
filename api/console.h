/* SPDX-License-Identifier: Apache-2.0 */
/* console.h - the web console: files that console/ was built to. They are read into memory once, at the start, so that a request
 * opens no file and no path can lead out of the folder. console.json beside them, which the build writes, lists the
 * files and the routes that the console declares; only these get the index page. Immutable after loading; any thread. */
#ifndef API_CONSOLE_H
#define API_CONSOLE_H

#include "api/router.h"

struct console;

/* Loads the console from the folder `dir`. Errors: NOT_FOUND (no console.json there), IO, REQUEST (what the build wrote is broken), NOMEM. */
MUST_CHECK int console_load(const char *dir, struct console **out, struct err *e);
/* Stands in for a console that is not installed: its pages say how to get it. Errors: NOMEM. */
MUST_CHECK int console_absent(struct console **out, struct err *e);
void console_free(struct console *c);

/* Finds the page or file at `path`, as router_find does; handlers of its routes are called like any other. */
void console_find(const struct console *c, struct slice method, struct slice path, struct route_match *m);

#endif
