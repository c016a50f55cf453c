# SPDX-License-Identifier: Apache-2.0
"""Writes RPM packages (format 3/4 of rpm: lead, signature header, header, compressed cpio) that librpm reads and verifies by their digests.

    from tests.lib.py import rpm
    rpm.write(path, name="oceanbase-ce", version="4.2.1.0", release="100000102023092807.el7", arch="x86_64",
              files=[rpm.File("/home/admin/oceanbase/bin/observer", data, 0o755)])

Nothing is signed: no test has a key that a user would trust. What is written is the same for the same arguments."""
import gzip
import hashlib
import lzma
import stat
import struct
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_INT16, _INT32, _STRING, _BIN, _STRINGS, _I18N = 3, 4, 6, 7, 8, 9
_ALIGN = {_INT16: 2, _INT32: 4}
_MAGIC = b"\x8e\xad\xe8\x01\0\0\0\0"
_LEAD_ARCH = {"x86_64": 1, "aarch64": 19, "noarch": 1}
_SIGNATURES, _IMMUTABLE = 62, 63                       # tags of the regions that close each header
MTIME = 1_700_000_000
COMPRESSORS = {"gzip": lambda data: gzip.compress(data, 6, mtime=0), "xz": lambda data: lzma.compress(data, preset=1)}


@dataclass
class File:
    path: str                  # absolute
    data: bytes = b""
    mode: int = 0o644          # permissions
    link: str = ""             # not empty: a symbolic link to this
    directory: bool = False

    @property
    def full_mode(self):
        kind = stat.S_IFLNK if self.link else stat.S_IFDIR if self.directory else stat.S_IFREG
        return kind | (0o777 if self.link else self.mode)

    @property
    def content(self):
        return self.link.encode() if self.link else b"" if self.directory else self.data


def _encode(kind, value):
    """(bytes, count) of one tag."""
    if kind == _INT16:
        return struct.pack(f">{len(value)}H", *value), len(value)
    if kind == _INT32:
        return struct.pack(f">{len(value)}I", *value), len(value)
    if kind == _BIN:
        return value, len(value)
    texts = [value] if isinstance(value, str) else list(value)
    return b"".join(t.encode() + b"\0" for t in texts), len(texts)


def _header(region, tags):
    """A header with its region: `tags` maps tag to (type, value)."""
    entries, data = [], b""
    for tag in sorted(tags):
        kind, value = tags[tag]
        encoded, count = _encode(kind, value)
        data += b"\0" * (-len(data) % _ALIGN.get(kind, 1))
        entries.append(struct.pack(">IIiI", tag, kind, len(data), count))
        data += encoded
    first = struct.pack(">IIiI", region, _BIN, len(data), 16)
    data += struct.pack(">IIiI", region, _BIN, -16 * (len(entries) + 1), 16)
    return _MAGIC + struct.pack(">II", len(entries) + 1, len(data)) + first + b"".join(entries) + data


def _lead(name, arch):
    return struct.pack(">4sBBHH66sHH16x", b"\xed\xab\xee\xdb", 3, 0, 0, _LEAD_ARCH.get(arch, 1), name.encode()[:65], 1, 5)


def _cpio(files):
    def entry(number, name, mode, content):
        fields = [number, mode, 0, 0, 1, MTIME, len(content), 0, 0, 0, 0, len(name) + 1, 0]
        text = b"070701" + b"".join(b"%08x" % f for f in fields) + name + b"\0"
        text += b"\0" * (-len(text) % 4)
        return text + content + b"\0" * (-len(content) % 4)
    return b"".join(entry(i + 1, b"." + f.path.encode(), f.full_mode, f.content) for i, f in enumerate(files)) + \
        entry(0, b"TRAILER!!!", 0, b"")


def _file_tags(files):
    folders = sorted({str(PurePosixPath(f.path).parent).rstrip("/") + "/" for f in files})
    n = len(files)
    return {
        1028: (_INT32, [len(f.content) for f in files]), 1030: (_INT16, [f.full_mode for f in files]),
        1033: (_INT16, [0] * n), 1034: (_INT32, [MTIME] * n),
        1035: (_STRINGS, ["" if f.link or f.directory else hashlib.sha256(f.data).hexdigest() for f in files]),
        1036: (_STRINGS, [f.link for f in files]), 1037: (_INT32, [0] * n),
        1039: (_STRINGS, ["root"] * n), 1040: (_STRINGS, ["root"] * n), 1045: (_INT32, [0xffffffff] * n),
        1095: (_INT32, [1] * n), 1096: (_INT32, list(range(1, n + 1))), 1097: (_STRINGS, [""] * n),
        1116: (_INT32, [folders.index(str(PurePosixPath(f.path).parent).rstrip("/") + "/") for f in files]),
        1117: (_STRINGS, [PurePosixPath(f.path).name for f in files]), 1118: (_STRINGS, folders), 5011: (_INT32, [8]),
    }


def build(name, version, release, arch="x86_64", files=(), source=False, compressor="gzip", payload=None, tags=None):
    """The bytes of a package. `payload`: ready bytes instead of the files' archive. `tags`: more tags, or others in the place of these."""
    files = sorted(files, key=lambda f: f.path)
    archive = _cpio(files)
    payload = COMPRESSORS[compressor](archive) if payload is None else payload
    evr = f"{version}-{release}"
    described = {
        100: (_STRINGS, ["C"]), 1000: (_STRING, name), 1001: (_STRING, version), 1002: (_STRING, release),
        1004: (_I18N, [f"{name} for tests"]), 1005: (_I18N, ["Made by the tests; of no use elsewhere."]), 1006: (_INT32, [MTIME]),
        1007: (_STRING, "localhost"), 1009: (_INT32, [sum(len(f.content) for f in files)]), 1014: (_STRING, "Apache-2.0"),
        1016: (_I18N, ["Applications/Databases"]), 1021: (_STRING, "linux"), 1022: (_STRING, arch),
        1047: (_STRINGS, [name]), 1064: (_STRING, "4.14.0"), 1112: (_INT32, [8]), 1113: (_STRINGS, [evr]),
        1124: (_STRING, "cpio"), 1125: (_STRING, compressor), 1126: (_STRING, "6"),
        5092: (_STRINGS, [hashlib.sha256(payload).hexdigest()]), 5093: (_INT32, [8]),
        **(_file_tags(files) if files else {}),
    }
    if source:
        described[1106] = (_INT32, [1])
    else:
        described[1044] = (_STRING, f"{name}-{evr}.src.rpm")
    header = _header(_IMMUTABLE, {**described, **(tags or {})})
    signature = _header(_SIGNATURES, {
        269: (_STRING, hashlib.sha1(header).hexdigest()), 273: (_STRING, hashlib.sha256(header).hexdigest()),
        1000: (_INT32, [len(header) + len(payload)]), 1004: (_BIN, hashlib.md5(header + payload).digest()),
        1007: (_INT32, [len(archive)])})
    return _lead(f"{name}-{evr}", arch) + signature + b"\0" * (-len(signature) % 8) + header + payload


def file_name(name, version, release, arch="x86_64"):
    return f"{name}-{version}-{release}.{arch}.rpm"


def write(where, name, version, release, arch="x86_64", **options):
    """Writes the package into the folder `where` under its usual name (or to `where`, if that ends with .rpm); returns its path."""
    where = Path(where)
    path = where if where.suffix == ".rpm" else where / file_name(name, version, release, arch)
    path.write_bytes(build(name, version, release, arch, **options))
    return path
