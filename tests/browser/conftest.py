# SPDX-License-Identifier: Apache-2.0
import pytest

from lib.py.browser import Browser
from lib.py.console import LANGUAGES, Console
from lib.py.managed import Managed
from lib.py.obsim import Obsim
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


@pytest.fixture(scope="module")
def simulator():
    """A simulated cluster of three zones with two servers each, two tenants in MySQL mode and one in Oracle mode."""
    with Obsim(servers=2, tenants=2, oracle_tenants=1, name="obsim-console") as started:
        yield started


@pytest.fixture(scope="module")
def cluster(ocp_server, simulator):
    """The simulated cluster, managed while the tests of a file run."""
    with Managed(ocp_server.api(), simulator.host, simulator.port, simulator.password) as managed:
        yield managed


@pytest.fixture(scope="module")
def instance(ocp_server, seekdb):
    """A real kernel, managed while the tests of a file run."""
    with Managed(ocp_server.api(), seekdb.host, seekdb.port, seekdb.password) as managed:
        yield managed
