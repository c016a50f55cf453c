# SPDX-License-Identifier: Apache-2.0
import contextlib

import pytest

from lib.py.httpd import Httpd


@pytest.fixture
def new_httpd():
    """new_httpd(**as Httpd) starts a server of this test; it must end without complaint."""
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(Httpd(**options))


@pytest.fixture
def httpd(new_httpd):
    """A server with default limits."""
    return new_httpd()
