# SPDX-License-Identifier: Apache-2.0
"""Every text of the product that changes a cluster, a tenant or an account has the syntax of OceanBase's manual, as has what the simulator
takes; the manual itself is tried with what is right and wrong."""
import re

import pytest

from lib.py import obmanual
from lib.py.build import CHECKOUT

RIGHT = [
    "ALTER SYSTEM BOOTSTRAP REGION 'r1' ZONE 'z1' SERVER '10.0.0.1:2882', REGION = 'r1' ZONE = 'z2' SERVER = '10.0.0.2:2882'",
    "alter system bootstrap zone ? server ?;", "ALTER SYSTEM ADD SERVER '10.0.0.1:2882', '10.0.0.2:2882' ZONE 'z'",
    "ALTER SYSTEM ADD ZONE z REGION 'r', IDC 'i', ZONE_TYPE READWRITE", "ALTER SYSTEM FORCE STOP ZONE `z 1`",
    "ALTER SYSTEM MIGRATE UNIT = 1001 DESTINATION = '10.0.0.1:2882'", "ALTER SYSTEM MINOR FREEZE SERVER=('10.0.0.1:2882')",
    "ALTER SYSTEM SET obconfig_url = 'http://x?a=b', cpu_count = 8 SERVER '10.0.0.1:2882'", "/* a hint */ ALTER TENANT t PRIMARY_ZONE = RANDOM",
    "CREATE TENANT t RESOURCE_POOL_LIST = ('p', 'q'), LOCALITY = 'F@z1' SET ob_tcp_invited_nodes = '%', lower_case_table_names = 1",
    "CREATE USER IF NOT EXISTS proxyro IDENTIFIED BY 'it''s'", "GRANT SELECT, CREATE VIEW ON oceanbase.* TO proxyro, 'b'@'10.%' WITH GRANT OPTION",
    "GRANT ALL PRIVILEGES ON *.* TO u", "GRANT reader, writer TO u", 'ALTER USER SYS IDENTIFIED BY "x"', "KILL QUERY 17",
]
WRONG = [
    "ALTER SYSTEM BOOTSTRAP", "ALTER SYSTEM BOOTSTRAP SERVER '10.0.0.1:2882'", "ALTER SYSTEM ADD SERVER 10.0.0.1 ZONE 'z'",
    "ALTER SYSTEM ADD SERVER '10.0.0.1:2882' IN ZONE 'z'", "ALTER SYSTEM ADD SERVER ZONE 'z'", "ALTER SYSTEM ADD ZONE z REGION 'r' IDC 'i'",
    "ALTER SYSTEM ADD ZONE z,", "ALTER SYSTEM STOP ZONE 'a', 'b'", "ALTER SYSTEM MIGRATE UNIT 1001 TO '10.0.0.1:2882'",
    "ALTER SYSTEM MINOR FREEZE SERVER '10.0.0.1:2882'", "ALTER SYSTEM SET cpu_count 8", "ALTER TENANT t LOCALITY 'F@z1' LOCK",
    "CREATE USER u IDENTIFIED WITH 'x'", "GRANT SELECT TO u ON *.*", "GRANT SELECT ON * TO u", "DROP TENANT t FORCE PURGE", "KILL SESSION",
]
# what the simulator takes beyond the manual above, or refuses for other reasons than its shape
BEYOND = re.compile(r"SWITCH REPLICA|FLUSH|REFRESH|\bSELECT\b|(TABLE|VIEW|INDEX|PROCEDURE|FUNCTION)\b|^CREATE USER select", re.I)


@pytest.mark.parametrize("text", RIGHT)
def test_right(text):
    assert obmanual.has_syntax(text)
    words = text.split()
    assert all(obmanual.may_begin(" ".join(words[:n])) for n in range(5, len(words)) if words[n - 1].isalpha())


@pytest.mark.parametrize("text", WRONG)
def test_wrong(text):
    assert not obmanual.has_syntax(text)


def test_texts_of_the_product():
    """Those that are put together at run time begin like one; what they become, test_statement_conformance looks at."""
    texts = {text: path.name for folder in ("oceanbase", "obcluster", "tenant") for path in sorted((CHECKOUT / "src" / folder).glob("*.c"))
             for text in obmanual.literals(path.read_text(encoding="utf-8"))}
    assert len(texts) > 25 and any("BOOTSTRAP" in text for text in texts)
    assert not {text: name for text, name in texts.items() if not obmanual.may_begin(text)}


def test_statements_of_the_simulator():
    """The unit tests of its statements say what it takes and what it does not."""
    seen = 0
    for name in ("obsim_cluster.c", "obsim_tenant.c"):
        for number, literal in re.findall(r'\{ (\d+), ((?:"(?:[^"\\]|\\.)*"\s*)+)', (CHECKOUT / "tests" / "unit" / name).read_text(encoding="utf-8")):
            text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literal)).replace('\\"', '"').replace("\\\\", "\\")
            if number not in ("0", "1064") or not obmanual.changes(text) or BEYOND.search(text):
                continue
            assert obmanual.has_syntax(text) == (number == "0"), f"{number} {text}"
            seen += 1
    assert seen > 60
