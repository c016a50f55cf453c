# SPDX-License-Identifier: Apache-2.0
"""Helpers of the Python tests, imported as `lib.py.<module>`.

process   child processes that always end, waits with a deadline, ports, the folder of this run
tls       a certificate authority made on the spot
mariadb   a private MariaDB server
seekdb    a private OceanBase kernel
proxy     a TCP proxy that delays, stalls, cuts and swallows
server    a running ocp-server
api       a client of its HTTP API
fixtures  the pytest fixtures over all of these, loaded by tests/conftest.py
"""
