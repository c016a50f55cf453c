# SPDX-License-Identifier: Apache-2.0
"""Every pytest layer sees the fixtures of lib/py/fixtures.py; helpers are imported as `lib.py.<module>`."""
pytest_plugins = ["lib.py.fixtures"]
