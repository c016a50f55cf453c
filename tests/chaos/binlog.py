# SPDX-License-Identifier: Apache-2.0
"""Reads MariaDB's binary log of rows: what each transaction wrote, in the order in which they were committed."""
import re
import subprocess

from .history import Commit

EVENT = re.compile(r"^### (INSERT INTO|UPDATE|DELETE FROM) `([^`]+)`\.`([^`]+)`")
VALUE = re.compile(r"^###   @(\d+)=(-?\d+)")
END = re.compile(r"^(COMMIT|ROLLBACK)\b")


DISPATCH, GRANT = "dispatch of a step", "grant of a lease"
RUNNING = 2                        # status of a step


def leaders_deed(row):
    """What only a leader does to a row that others write, too."""
    was, now = row.get("WHERE"), row.get("SET")
    if was is None or now is None:
        return None
    if row["table"] == "subtask" and now.get(8) == RUNNING != was.get(8):
        return DISPATCH
    return GRANT if row["table"] == "work_lease" and now.get(4) != was.get(4) else None


def commits(text, database):
    """Commits of one database from what mariadb-binlog -v prints of rows."""
    number, now, row, part, done = 0, None, None, None, []

    def settle():
        """The row before is complete."""
        if row is not None and row["table"] == "leader_epoch" and "SET" in row:
            now["claims"] = row["SET"].get(4, 0)
        if row is not None and row["table"] == "leader_fence" and "SET" in row:
            now["fences"].append(row["SET"].get(2, 0))
        if row is not None and (deed := leaders_deed(row)):
            now["tables"].add(deed)
        if row is not None and row["table"] == "work_lease" and row.get("SET", {}).get(2):
            now["leases"].append((row["SET"][1], row["SET"][4], row["SET"][2]))

    for line in text.splitlines():
        if line in ("BEGIN", "START TRANSACTION"):
            number, now, row = number + 1, {"claims": 0, "fences": [], "tables": set(), "leases": []}, None
        if now is None:
            continue
        event = EVENT.match(line)
        if event:
            settle()
            row = {"table": event[3]} if event[2] == database else None
            if row:
                now["tables"].add(event[3])
        elif row is not None and line in ("### SET", "### WHERE"):
            part = row[line[4:]] = {}
        elif row is not None and part is not None and (value := VALUE.match(line)):
            part[int(value[1])] = int(value[2])
        elif END.match(line):
            settle()
            if line.startswith("COMMIT") and now["tables"]:
                done.append(Commit(number, now["claims"], () if now["claims"] else tuple(now["fences"]), frozenset(now["tables"]),
                                   tuple(now["leases"])))
            now, row, part = None, None, None
    return done


def read(files, database):
    shown = subprocess.run(["mariadb-binlog", "--no-defaults", "--base64-output=DECODE-ROWS", "-v", f"--database={database}", *map(str, files)],
                           capture_output=True, text=True, errors="replace", timeout=600)
    if shown.returncode != 0:
        raise RuntimeError(f"mariadb-binlog: {shown.stderr[-500:]}")
    return commits(shown.stdout, database)
