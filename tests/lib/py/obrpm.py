# SPDX-License-Identifier: Apache-2.0
"""OceanBase's packages for tests: what looks like the RPMs of a release holds the simulated observer (tests/obsim).

    paths = obrpm.write(folder, state=run_dir() / "obstate")         # oceanbase-ce and oceanbase-ce-libs, 4.2.1.0

All servers that are started from them with the same name and number of a cluster share that cluster through files below `state`, whatever
host (network namespace) they run on."""
import dataclasses
import functools
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile

from . import rpm
from .build import CHECKOUT, built_program

ROOT = "/home/admin/oceanbase"


@dataclasses.dataclass(frozen=True)
class Release:
    """A build of the kernel; one of the enterprise edition is named oceanbase."""

    version: str = "4.2.1.0"
    build: str = "100000102023092807"
    dist: str = "el7"
    arch: str = "x86_64"
    name: str = "oceanbase-ce"
    date: str = "Sep 28 2023 07:25:28"

    @property
    def release(self):
        return f"{self.build}.{self.dist}"

    @property
    def hash(self):
        return hashlib.sha1(f"{self.name}-{self.version}-{self.release}".encode()).hexdigest()

    @property
    def build_version(self):
        """As DBA_OB_SERVERS has it."""
        return f"{self.version}_{self.build}-{self.hash}({self.date})"


RELEASE = Release()


@functools.lru_cache(maxsize=None)
def _program():
    """The simulator without its debugging symbols: packages of the size they need."""
    with tempfile.NamedTemporaryFile() as made:
        shutil.copy(built_program("tests/obsim/obsim"), made.name)
        subprocess.run(["strip", "--strip-debug", made.name], check=True)
        return pathlib.Path(made.name).read_bytes()


def _conf(release, state, settings):
    values = {"name": release.name, "version": release.version, "build": release.build, "hash": release.hash, "date": release.date,
              "state": os.fspath(state), **settings}
    return "".join(f"{name}={value}\n" for name, value in values.items()).encode()


_IMPORTER = b"#!/usr/bin/env python3\n# Time zones are built into the simulator.\n"
_ZONES = """set autocommit = 1;
TRUNCATE TABLE time_zone;
TRUNCATE TABLE time_zone_name;
TRUNCATE TABLE time_zone_transition;
TRUNCATE TABLE time_zone_transition_type;
REPLACE INTO time_zone (tenant_id, time_zone_id, use_leap_seconds) VALUES (tid, 1, 'N');
REPLACE INTO time_zone_name (tenant_id, name, time_zone_id) VALUES (tid, 'Africa/Abidjan', 1);
REPLACE INTO time_zone_transition (tenant_id, time_zone_id, transition_time, transition_type_id) VALUES
 (tid, 1, -1830383032, 1)
;
REPLACE INTO time_zone_transition_type (tenant_id, time_zone_id, transition_type_id, offset, is_dst, abbreviation) VALUES
 (tid, 1, 0, -968, 0, 'LMT')
,(tid, 1, 1, 0, 0, 'GMT')
;
delete from oceanbase.__all_sys_stat where name = 'current_timezone_version';
replace into oceanbase.__all_sys_stat(tenant_id, zone, data_type, name, value, info) values(0, '' ,5, 'current_timezone_version', 1, 'current time zone version');
time_zone count:1
time_zone_name count:1
time_zone_transition count:1
time_zone_transition_type count:2
"""
_UPGRADES = "- version: {0}\n  can_be_upgraded_to: []\n"


def files(release, state, **settings):
    """What the observer's package holds. `settings`: speed (10 times as fast as a kernel is), seed, lease_ms."""
    settings = {"speed": 10, **settings}
    data = CHECKOUT / "tests" / "obsim"
    content = {
        "bin/observer": (_program(), 0o755),
        "bin/import_time_zone_info.py": (_IMPORTER, 0o755),
        "etc/obsim.conf": (_conf(release, state, settings), 0o644),
        "etc/views.json": ((data / "views.json").read_bytes(), 0o644),
        "etc/tables.json": ((data / "tables.json").read_bytes(), 0o644),
        "etc/oceanbase_upgrade_dep.yml": (_UPGRADES.format(release.version).encode(), 0o644),
        "etc/timezone_V1.log": (_ZONES.encode(), 0o644),
    }
    folders = [rpm.File(f"{ROOT}/{name}", mode=0o755, directory=True) for name in ("bin", "etc")]
    return [rpm.File(ROOT, mode=0o755, directory=True), *folders,
            *(rpm.File(f"{ROOT}/{path}", content, mode) for path, (content, mode) in content.items())]


def write(where, state, release=RELEASE, compressor="gzip", **settings):
    """Writes the package of the observer and that of its libraries; their paths, in this order."""
    named = {"version": release.version, "release": release.release, "arch": release.arch, "compressor": compressor}
    library = [rpm.File(f"{ROOT}/lib", mode=0o755, directory=True), rpm.File(f"{ROOT}/lib/libaio.so.1", b"not needed by the simulator\n", 0o755)]
    return [rpm.write(where, name=release.name, files=files(release, state, **settings), **named),
            rpm.write(where, name=f"{release.name}-libs", files=library, **named)]


def unpack(where, state, release=RELEASE, **settings):
    """The same files in the folder `where` (bin, etc, lib below it), as an installer would leave them."""
    for f in files(release, state, **settings):
        path = pathlib.Path(where) / pathlib.PurePosixPath(f.path).relative_to(ROOT)
        if f.directory:
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.write_bytes(f.data)
        path.chmod(f.mode)
    return pathlib.Path(where)
