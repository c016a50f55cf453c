# SPDX-License-Identifier: Apache-2.0
import pytest

from lib.py.browser import Browser
from lib.py.console import LANGUAGES, Console
from lib.py.server import console as built_console


@pytest.fixture(scope="session")
def browser():
    with Browser() as started:
        yield started


@pytest.fixture(params=LANGUAGES)
def language(request):
    return request.param


@pytest.fixture
def new_console(browser, ocp_server, language):
    """Makes consoles in this test's language; what their pages complained about fails the test."""
    if built_console() is None:
        pytest.skip("this build has no console (Node.js was not there)")
    made = []

    def make(**how):
        made.append(Console(browser, ocp_server, language, **how))
        return made[-1]

    yield make
    for one in made:
        one.close()
        one.leave()


@pytest.fixture(scope="module")
def logged_in(browser, ocp_server):
    """logged_in(language): the one page of this module in which the administrator is logged in."""
    pages = {}

    def get(language):
        if language not in pages:
            pages[language] = Console(browser, ocp_server, language).log_in()
        return pages[language]

    yield get
    for one in pages.values():
        one.leave()


@pytest.fixture
def console(logged_in, language):
    """The console with the administrator logged in; what its pages complained about fails the test."""
    if built_console() is None:
        pytest.skip("this build has no console (Node.js was not there)")
    one = logged_in(language)
    yield one
    one.close()


@pytest.fixture
def say(language):
    """say("Hosts", "主机"): the text of this test's language."""
    return lambda english, chinese: chinese if language == "zh" else english
