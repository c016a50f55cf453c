# SPDX-License-Identifier: Apache-2.0
"""The syntax of OceanBase 4.x's manual for what changes clusters, tenants and accounts, and whether a statement has it.

Written down on its own, from neither the product nor the simulator: [a] may be missing, {a|b} is one of them, a,... is a list with commas,
<name>, <text>, <number> are what they say, <value> any of them; a backslash takes a mark for itself. A ? in a statement is a value that is
filled in later."""
import re

ACCOUNT = "{{<name>|<text>}[@{<name>|<text>}]}"
TENANTS = "{<name>|ALL},..."
ZONE_OPTIONS = "{REGION [=] <text>|IDC [=] <text>|ZONE_TYPE [=] {READWRITE|READONLY|ENCRYPTION}},..."
UNIT_OPTIONS = ("{MAX_CPU [=] <value>|MIN_CPU [=] <value>|MEMORY_SIZE [=] <value>|LOG_DISK_SIZE [=] <value>|MAX_IOPS [=] <value>|MIN_IOPS [=] <value>"
                "|IOPS_WEIGHT [=] <value>},...")
TENANT_OPTIONS = ("{RESOURCE_POOL_LIST [=] ( {<name>|<text>},... )|ZONE_LIST [=] ( {<name>|<text>},... )|LOCALITY [=] <text>"
                  "|PRIMARY_ZONE [=] {<text>|RANDOM}|CHARSET [=] <value>|COLLATE [=] <value>|COMMENT [=] <text>|READ ONLY|READ WRITE"
                  "|ENABLE_ARBITRATION_SERVICE [=] <value>}")
MANUAL = [
    # clusters
    "ALTER SYSTEM BOOTSTRAP {[REGION [=] <text>] ZONE [=] <text> [IDC [=] <text>] SERVER [=] <text>},...",
    "ALTER SYSTEM {ADD|DELETE|CANCEL DELETE|START|STOP|FORCE STOP|ISOLATE} SERVER <text>,... [ZONE [=] <text>]",
    f"ALTER SYSTEM ADD ZONE {{<name>|<text>}} [{ZONE_OPTIONS}]",
    f"ALTER SYSTEM {{ALTER|CHANGE|MODIFY}} ZONE {{<name>|<text>}} [SET] {ZONE_OPTIONS}",
    "ALTER SYSTEM {DELETE|START|STOP|FORCE STOP|ISOLATE} ZONE {<name>|<text>}",
    "ALTER SYSTEM MIGRATE UNIT [=] <number> DESTINATION [=] <text>",
    "ALTER SYSTEM CANCEL MIGRATE UNIT [=] <number>",
    f"ALTER SYSTEM MINOR FREEZE [TENANT [=] {TENANTS}] [TABLET_ID = <number>] [SERVER [=] \\( <text>,... \\)] [ZONE [=] <text>]",
    f"ALTER SYSTEM {{MAJOR FREEZE|SUSPEND MERGE|RESUME MERGE|CLEAR MERGE ERROR}} [TENANT [=] {TENANTS}]",
    f"ALTER SYSTEM SET {{<name> = <value> [COMMENT [=] <text>] [SCOPE [=] {{MEMORY|SPFILE|BOTH}}] "
    f"[{{SERVER [=] <text>|ZONE [=] <text>|TENANT [=] {TENANTS}}}]}},...",
    f"ALTER SYSTEM RESET <name>,... [SCOPE [=] {{MEMORY|SPFILE|BOTH}}] [{{SERVER [=] <text>|ZONE [=] <text>|TENANT [=] {TENANTS}}}]",
    "ALTER SYSTEM {RELOAD {SERVER|UNIT|ZONE}|REFRESH SCHEMA}",
    "ALTER SYSTEM LOAD MODULE DATA MODULE [=] <name> TENANT [=] <name>",
    "ALTER SYSTEM CHANGE TENANT [=] <name>",
    "ALTER SYSTEM RUN JOB <text>",
    "ALTER SYSTEM KILL SESSION <value>",
    # units, pools, tenants
    f"CREATE RESOURCE UNIT [IF NOT EXISTS] <name> {UNIT_OPTIONS}",
    f"ALTER RESOURCE UNIT <name> {UNIT_OPTIONS}",
    "CREATE RESOURCE POOL [IF NOT EXISTS] <name> {UNIT [=] {<name>|<text>}|UNIT_NUM [=] <number>|ZONE_LIST [=] \\( <text>,... \\)},...",
    "ALTER RESOURCE POOL <name> {UNIT [=] {<name>|<text>}|UNIT_NUM [=] <number>|ZONE_LIST [=] \\( <text>,... \\)},...",
    "ALTER RESOURCE POOL {<name> SPLIT INTO \\( <text>,... \\) ON \\( <text>,... \\)|MERGE \\( <text>,... \\) INTO \\( <text> \\)}",
    "DROP RESOURCE {UNIT|POOL} [IF EXISTS] <name>",
    f"CREATE TENANT [IF NOT EXISTS] <name> {TENANT_OPTIONS},... [SET {{<name> = <value>}},...]".replace("( ", "\\( ").replace(" )", " \\)"),
    f"ALTER TENANT <name> [SET] {TENANT_OPTIONS},...".replace("( ", "\\( ").replace(" )", " \\)"),
    "ALTER TENANT <name> SET VARIABLES {<name> = <value>},...",
    "ALTER TENANT <name> {LOCK|UNLOCK|RENAME GLOBAL_NAME TO <name>}",
    "ALTER RESOURCE TENANT <name> UNIT_NUM [=] <number> [DELETE UNIT_GROUP [=] \\( <number>,... \\)]",
    "DROP TENANT [IF EXISTS] <name> [{FORCE|PURGE}]",
    "PURGE TENANT <name>",
    "FLASHBACK TENANT <name> TO BEFORE DROP [RENAME TO <name>]",
    # accounts and databases
    f"CREATE USER [IF NOT EXISTS] {ACCOUNT} [IDENTIFIED BY [PASSWORD] <text>]",
    f"ALTER USER {ACCOUNT} {{IDENTIFIED BY [PASSWORD] <text>|ACCOUNT LOCK|ACCOUNT UNLOCK}}",
    f"DROP {{USER|ROLE}} [IF EXISTS] {ACCOUNT},...",
    f"CREATE ROLE [IF NOT EXISTS] {ACCOUNT}",
    f"{{GRANT <words>,... ON {{\\*.\\*|<name>.\\*|<name>.<name>}} TO {ACCOUNT},... [WITH GRANT OPTION]|GRANT {ACCOUNT},... TO {ACCOUNT},...}}",
    f"{{REVOKE <words>,... ON {{\\*.\\*|<name>.\\*|<name>.<name>}} FROM {ACCOUNT},...|REVOKE {ACCOUNT},... FROM {ACCOUNT},...}}",
    "CREATE DATABASE [IF NOT EXISTS] <name> [DEFAULT] [{CHARACTER SET|CHARSET} [=] <value>] [[DEFAULT] COLLATE [=] <value>] [{READ ONLY|READ WRITE}]",
    "ALTER DATABASE <name> [SET] [[DEFAULT] COLLATE [=] <value>] [{READ ONLY|READ WRITE}]",
    "DROP DATABASE [IF EXISTS] <name>",
    "KILL [{QUERY|CONNECTION}] <number>",
    "SHOW TENANT",
]
KINDS = {"name": "i", "text": "t", "number": "n", "value": "itn", "words": "i"}
RESERVED = {"ZONE", "SERVER", "TENANT", "UNIT", "SET", "TO", "ON", "FROM", "BY", "IF", "WITH"}   # they begin the next clause, and are no names here

_TOKEN = re.compile(r"""\s*(?:/\*.*?\*/\s*)*(?:(?P<t>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.)*")|`(?P<q>[^`]+)`|(?P<n>-?\d+(?:\.\d+)?)|(?P<w>[A-Za-z_$]\w*)"""
                    r"""|(?P<a>\?)|(?P<m>\S))""", re.S)


def _tokens(text):
    """(kinds, what): kinds of <...> that it may be, "" for a mark; what it is as a keyword or mark."""
    found = []
    for m in _TOKEN.finditer(text.strip().rstrip(";").rstrip()):
        if m["a"]:
            found.append(("itn", ""))
        elif m["w"]:
            found.append(("" if m["w"].upper() in RESERVED else "i", m["w"].upper()))
        else:
            found.append(("t", "") if m["t"] else ("i", "") if m["q"] else ("n", "") if m["n"] else ("", m["m"]))
    return found


# --- the manual's syntax as functions: positions behind what was read, for each way to read it; END: the statement ended on the way --------

END = -1


def _one(test):
    def read(tokens, at):
        return {END} if at == len(tokens) else {at + 1} if test(tokens[at]) else set()
    return read


def _word(word):
    return _one(lambda token: token[1] == word)


def _kind(name):
    def words(tokens, at):                         # SELECT, CREATE VIEW, ALL PRIVILEGES
        ends = set()
        while at < len(tokens) and tokens[at][0] == "i":
            at += 1
            ends.add(at)
        return ends | ({END} if at == len(tokens) else set())
    return words if name == "words" else _one(lambda token: any(k in KINDS[name] for k in token[0]))


def _sequence(parts):
    def read(tokens, at):
        ends = {at}
        for part in parts:
            ends = {END} & ends | {e for p in ends - {END} for e in part(tokens, p)}
        return ends
    return read


def _choice(parts):
    return lambda tokens, at: {e for part in parts for e in part(tokens, at)}


def _optional(part):
    return lambda tokens, at: {at} | part(tokens, at)


def _list(part):
    def read(tokens, at):
        ends, fresh = set(), part(tokens, at)
        while fresh - ends:
            ends |= fresh
            fresh = {e for p in fresh - {END} for c in _word(",")(tokens, p) for e in ({END} if c == END else part(tokens, c))}
        return ends
    return read


def _parse(syntax, at, stop):
    """Reads alternatives up to a mark of `stop`; (function, where that mark is)."""
    ways, parts = [], []
    while at < len(syntax) and syntax[at] not in stop:
        mark = syntax[at]
        if mark == "|":
            ways.append(_sequence(parts))
            parts, at = [], at + 1
            continue
        if mark in "[{":
            inner, at = _parse(syntax, at + 1, "]" if mark == "[" else "}")
            part = _optional(inner) if mark == "[" else inner
        elif mark.startswith("<"):
            part = _kind(mark[1:-1])
        else:
            part = _word(mark.lstrip("\\"))
        at += 1
        if at < len(syntax) and syntax[at] == ",...":
            part, at = _list(part), at + 1
        parts.append(part)
    return _choice([*ways, _sequence(parts)]), at


def _compile(syntax):
    return _parse(re.findall(r"<\w+>|,\.\.\.|\\.|\w+|[^\s\w]", syntax), 0, "")[0]


_ALL = [_compile(syntax) for syntax in MANUAL]


def has_syntax(text):
    """Is it a whole statement of the manual?"""
    tokens = _tokens(text)
    return any(len(tokens) in read(tokens, 0) for read in _ALL)


def may_begin(text):
    """Is it one, or how one begins, up to the quote of a value?"""
    text = text.rstrip()
    tokens = _tokens(text[:-1] if text[-1] in "'\"`" and text.count(text[-1]) % 2 else text)
    return any({len(tokens), END} & read(tokens, 0) for read in _ALL)


# --- what to judge -----------------------------------------------------------------------------------------------------------------------

_CHANGE = re.compile(r"\s*(/\*.*?\*/\s*)?((ALTER|CREATE|DROP|PURGE|FLASHBACK)\s+(SYSTEM|TENANT|RESOURCE|USER|ROLE|DATABASE)\b|(GRANT|REVOKE|KILL)\s+\S)", re.I)


def changes(text):
    """Does it begin like a statement that the manual above is about?"""
    return bool(_CHANGE.match(text))


def strangers(texts):
    """Those of the statements (of a trace, say) that change something and are none of the manual's."""
    return sorted({text for text in texts if changes(text) and not has_syntax(text)})


_LITERALS = re.compile(r'/\*.*?\*/|(?P<call>\w+\()?(?P<text>"(?:[^"\\\n]|\\.)*"(?:\s*"(?:[^"\\\n]|\\.)*")*)', re.S)


def literals(source):
    """String literals of C that begin like such statements, and are no part of a message."""
    for m in _LITERALS.finditer(source):
        text = "".join(re.findall(r'"((?:[^"\\\n]|\\.)*)"', m["text"] or "")).replace('\\"', '"')
        if changes(text) and text.split()[0].isupper() and "%" not in text.replace("'%'", "") and m["call"] not in ("unverified(",):
            yield text
