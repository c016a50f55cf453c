/* SPDX-License-Identifier: Apache-2.0 */
/* httpd.h - a small misbehaving HTTP/1.1 server on 127.0.0.1 for unit tests, one thread for each connection.
 *   /echo        200, the request itself as the body
 *   /count       200, the number of connections accepted so far
 *   /status/N    N, with "Location: /echo"
 *   /huge        200, chunks without end
 *   /length      200, says Content-Length: 1000000000000 and sends nothing of it
 *   /stall       reads the request, never answers
 *   /half        200, half of the promised body, then nothing more
 *   /cut         200, half of the promised body, then the end of the connection
 *   /drop        ends the connection instead of answering
 *   /die         the same, and takes no further connection
 *   /many        200 with 1000 headers */
#ifndef TESTS_LIB_HTTPD_H
#define TESTS_LIB_HTTPD_H

#include <stdbool.h>

struct httpd;

/* `pem`: file with certificate and key for https, NULL: http. `ask_client`: demand a certificate from that same file. */
struct httpd *httpd_start(const char *pem, bool ask_client);
unsigned httpd_port(const struct httpd *h);
/* Connections that a client has ended or that this server has. */
unsigned httpd_n_ended(const struct httpd *h);
void httpd_stop(struct httpd *h);

/* Writes a new key and its self-signed certificate for 127.0.0.1 to a new file; returns its path in `path`. */
void httpd_make_pem(char *path, unsigned size);

#endif
