# SPDX-License-Identifier: Apache-2.0
"""Finds the commands in the client's half of a plain MySQL connection, as far as tests need it.

A packet is a length of three bytes, a sequence number, and the payload; a command is a packet with number 0.
During login the client's numbers start at 1. A client that turns to TLS or to compression makes the rest
opaque: it is handed on unread.
"""
import dataclasses
import struct

COM_QUIT, COM_QUERY, COM_PING = 0x01, 0x03, 0x0E
COM_STMT_PREPARE, COM_STMT_EXECUTE = 0x16, 0x17
CLIENT_COMPRESS, CLIENT_SSL = 0x20, 0x800
LAST_PREPARED = 0xFFFFFFFF
NUMBERS = {1: "<b", 2: "<h", 3: "<i", 4: "<f", 5: "<d", 8: "<q"}     # by type; the others have a length before them, NULL (6) has nothing
TIMES = (7, 10, 11, 12)


@dataclasses.dataclass
class Command:
    """code is the COM_ number; text is the statement (of the prepared one for COM_STMT_EXECUTE), else the payload; values are those of its
    parameters: numbers, bytes, None."""
    code: int
    text: bytes
    trap: object = None
    values: tuple = ()


def _size(data, at):
    """A length as the protocol writes it, and where what it measures begins."""
    first = data[at]
    more = {0xFC: 2, 0xFD: 3, 0xFE: 8}.get(first, 0)
    return (int.from_bytes(data[at + 1:at + 1 + more], "little"), at + 1 + more) if more else (first, at + 1)


def values_of(body, types):
    """Of COM_STMT_EXECUTE: what comes behind the types, and those; `body` begins with the bits of those that are NULL."""
    nulls, at, found = body[0], 0, []
    for i, kind in enumerate(types):
        if nulls[i // 8] >> (i % 8) & 1 or kind == 6:
            found.append(None)
        elif kind in NUMBERS:
            size = struct.calcsize(NUMBERS[kind])
            found.append(struct.unpack(NUMBERS[kind], body[1][at:at + size])[0])
            at += size
        else:
            size, at = (body[1][at], at + 1) if kind in TIMES else _size(body[1], at)
            found.append(body[1][at:at + size])
            at += size
    return tuple(found)


class CommandReader:
    """feed() takes the bytes from the client, answer() those from the server."""

    def __init__(self):
        self.opaque = False
        self._logged_in = False
        self._pending = b""
        self._statements = {}
        self._types = {}                           # of the parameters of a statement, by its text: as it was executed last
        self._preparing = None
        self._answer = b""

    def feed(self, data):
        """[(bytes to hand on, Command or None)]; keeps back what is not yet a whole packet."""
        if self.opaque:
            return [(data, None)]
        self._pending += data
        found = []
        while len(self._pending) >= 4 and not self.opaque:
            size = 4 + int.from_bytes(self._pending[:3], "little")
            if len(self._pending) < size:
                break
            packet, self._pending = self._pending[:size], self._pending[size:]
            found.append((packet, self._packet(packet[3], packet[4:])))
        if self.opaque and self._pending:
            found.append((self._pending, None))
            self._pending = b""
        return found

    def _packet(self, number, payload):
        if not self._logged_in:
            capabilities = int.from_bytes(payload[:4], "little")
            self._logged_in = True
            self.opaque = bool(capabilities & CLIENT_COMPRESS) or (bool(capabilities & CLIENT_SSL) and len(payload) <= 36)
            return None
        if number != 0 or not payload:
            return None
        return self._command(payload[0], payload[1:])

    def _command(self, code, rest):
        if code == COM_STMT_PREPARE:
            self._preparing, self._answer = rest, b""
            self._statements[LAST_PREPARED] = rest
        elif code == COM_STMT_EXECUTE:
            number = int.from_bytes(rest[:4], "little")
            text = self._statements.get(number, rest)
            return Command(code, text, values=self._values(text, rest))
        return Command(code, rest)

    def _values(self, text, rest):
        n = text.count(b"?")
        bits = (n + 7) // 8
        if n == 0 or len(rest) < 10 + bits:
            return ()
        at = 10 + bits
        if rest[at - 1] == 1:                      # types are sent again
            self._types[text] = rest[at:at + 2 * n:2]
            at += 2 * n
        return values_of((rest[9:9 + bits], rest[at:]), self._types.get(text, ()))

    def answer(self, data):
        """Learns the number of a statement from the first packet that follows its COM_STMT_PREPARE."""
        if self._preparing is None or self.opaque:
            return
        self._answer += data[:9]
        if len(self._answer) < 9:
            return
        if self._answer[4] == 0:
            self._statements[int.from_bytes(self._answer[5:9], "little")] = self._preparing
        self._preparing = None
