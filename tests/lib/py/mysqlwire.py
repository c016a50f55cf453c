# SPDX-License-Identifier: Apache-2.0
"""Finds the commands in the client's half of a plain MySQL connection, as far as tests need it.

A packet is a length of three bytes, a sequence number, and the payload; a command is a packet with number 0.
During login the client's numbers start at 1. A client that turns to TLS or to compression makes the rest
opaque: it is handed on unread.
"""
import dataclasses

COM_QUIT, COM_QUERY, COM_PING = 0x01, 0x03, 0x0E
COM_STMT_PREPARE, COM_STMT_EXECUTE = 0x16, 0x17
CLIENT_COMPRESS, CLIENT_SSL = 0x20, 0x800
LAST_PREPARED = 0xFFFFFFFF


@dataclasses.dataclass
class Command:
    """code is the COM_ number; text is the statement (of the prepared one for COM_STMT_EXECUTE), else the payload."""
    code: int
    text: bytes
    trap: object = None


class CommandReader:
    """feed() takes the bytes from the client, answer() those from the server."""

    def __init__(self):
        self.opaque = False
        self._logged_in = False
        self._pending = b""
        self._statements = {}
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
            return Command(code, self._statements.get(int.from_bytes(rest[:4], "little"), rest))
        return Command(code, rest)

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
