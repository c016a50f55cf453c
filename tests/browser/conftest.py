# SPDX-License-Identifier: Apache-2.0
import pytest

from lib.py.browser import Browser


@pytest.fixture(scope="session")
def browser():
    with Browser() as started:
        yield started
