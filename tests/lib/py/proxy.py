# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy that delays, pauses, stalls, cuts, swallows and refuses; it works for any protocol, TLS inside or not.

    with Proxy((host, port)) as proxy:            # clients connect to proxy.host, proxy.port
        proxy.delay(300)                          # every answer arrives 300 ms later
        trap = proxy.stall_after(1000)            # 1000 further bytes of answers, then silence
        trap.wait()                               # until that has happened

A trap is armed for the bytes that come after the call, is sprung by the first connection that meets its
condition, and only once. With mysql=True the proxy reads the commands of plain MySQL connections as well:

    trap = proxy.cut_at("COMMIT", when="answer")  # the server commits, the client never hears of it
    trap = proxy.cut_at("INSERT", when="request") # the statement never arrives
    proxy.watch = function                        # of the connection and each command, on the proxy's thread: a Hold stops that connection

Up is from client to server, down from server to client. Methods may be called from any thread.
"""
import asyncio
import collections
import dataclasses
import re
import socket
import struct
import threading

from .mysqlwire import CommandReader
from .process import Port, TIMEOUT

CHUNK = 65536


class Trap:
    """One armed event. fired tells whether it happened, and `connection` to which connection."""

    def __init__(self, proxy, action, direction=None, n_bytes=None, match=None, nth=1, when=None):
        self._proxy = proxy
        self.action = action
        self.direction = direction
        self.n_bytes = n_bytes
        self.match = match
        self.left = nth
        self.when = when
        self.seen = collections.Counter()          # bytes seen by flow
        self.connection = None
        self._event = threading.Event()

    @property
    def fired(self):
        return self._event.is_set()

    def wait(self, timeout=None):
        """Returns when it has happened; TimeoutError otherwise."""
        if not self._event.wait(TIMEOUT if timeout is None else timeout):
            raise TimeoutError(f"the proxy's trap ({self.action} {self.when or self.n_bytes}) was not sprung")
        return self

    def disarm(self):
        """Takes it back; returns whether it had been sprung already."""
        self._proxy._call(self._proxy._disarm, self)
        return self.fired

    def spring(self, connection):
        self.connection = connection.number
        self._proxy._disarm(self)
        self._event.set()


class Hold:
    """Stops what goes up (when="request": the command itself is kept) or down (when="answer") on a connection from a command on, until release()."""

    def __init__(self, when):
        self.when, self.connection, self._gate, self._sprung = when, None, asyncio.Event(), threading.Event()

    def wait(self, timeout=None):
        if not self._sprung.wait(TIMEOUT if timeout is None else timeout):
            raise TimeoutError(f"the proxy holds no {self.when}")
        return self

    @property
    def sprung(self):
        return self._sprung.is_set()

    def release(self):
        """Everything goes on, if there is still anybody."""
        self.connection.proxy._call(self._gate.set)

    async def passed(self):
        self._sprung.set()
        await self._gate.wait()


@dataclasses.dataclass(eq=False)
class Flow:
    """One direction of one connection."""
    name: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    queue: asyncio.Queue
    stalled: bool = False


class Connection:
    """One client connection and the one to the server that belongs to it."""

    def __init__(self, proxy, number, client, server):
        self.proxy = proxy
        self.number = number
        self.commands = CommandReader() if proxy.mysql else None
        self.up = Flow("up", client[0], server[1], asyncio.Queue(64))
        self.down = Flow("down", server[0], client[1], asyncio.Queue(64))
        self.answer_trap = None                    # cuts when the next answer comes
        self.answer_hold = None                    # stops it
        self.closed = asyncio.Event()

    async def run(self):
        tasks = [asyncio.ensure_future(f) for f in (self._read(self.up), self._read(self.down),
                                                    self._write(self.up), self._write(self.down))]
        await asyncio.wait([asyncio.ensure_future(self.closed.wait()), asyncio.gather(*tasks, return_exceptions=True)],
                           return_when=asyncio.FIRST_COMPLETED)
        self.closed.set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for flow in (self.up, self.down):
            flow.writer.close()

    def cut(self, reset=True):
        """Closes both sides at once, with RST or with FIN; bytes that still wait in the proxy are lost."""
        for flow in (self.up, self.down):
            sock = flow.writer.get_extra_info("socket")
            if reset and sock is not None and sock.fileno() >= 0 and sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            flow.writer.transport.abort()
        self.closed.set()

    async def _read(self, flow):
        loop = asyncio.get_running_loop()
        try:
            while True:
                data = await flow.reader.read(CHUNK)
                due = loop.time() + self.proxy._delay[flow.name] / 1000
                if not data:
                    return await flow.queue.put((due, b""))
                if self.proxy.is_blackhole:
                    continue
                for piece in self._pieces(flow, data):
                    await flow.queue.put((due, piece))
                if self.closed.is_set() or flow.stalled:
                    return await self.closed.wait()
        except (ConnectionError, OSError):
            self.cut()

    def _pieces(self, flow, data):
        """The parts of `data` that go on, after the traps have had their say."""
        if flow is self.down:
            if self.answer_trap in self.proxy._traps:
                self.answer_trap.spring(self)
                return self.cut()
            if self.commands is not None:
                self.commands.answer(data)
            if self.answer_hold is not None:
                yield self.answer_hold
                self.answer_hold = None
        parts = self.commands.feed(data) if flow is self.up and self.commands is not None else [(data, None)]
        for raw, command in parts:
            hold = self._watch(command)
            if hold is not None:
                yield hold
            kept = self._at_command(command)
            if kept and raw:
                yield from self._within_bytes(flow, raw)
            if kept and command is not None and command.trap is not None:
                command.trap.spring(self)
                yield self.cut
            if self.closed.is_set() or flow.stalled:
                return

    def _watch(self, command):
        """What stops a command here; who stops its answer is kept."""
        hold = self.proxy.watch(self, command) if command is not None and self.proxy.watch is not None else None
        if hold is None:
            return None
        hold.connection = self
        if hold.when == "request":
            return hold
        self.answer_hold = hold
        return None

    def _at_command(self, command):
        """False when the command must not go on to the server."""
        trap = self._command_trap(command)
        if trap is None:
            return True
        if trap.when == "answer":
            self.answer_trap = trap
            return True
        if trap.when == "sent":
            command.trap = trap
            return True
        trap.spring(self)
        self.cut()
        return False

    def _command_trap(self, command):
        if command is None:
            return None
        for trap in self.proxy._traps:
            if trap.action == "command" and trap.match(command):
                trap.left -= 1
                if trap.left == 0:
                    return trap
        return None

    def _within_bytes(self, flow, raw):
        for trap in [t for t in self.proxy._traps if t.n_bytes is not None and t.direction == flow.name]:
            room = trap.n_bytes - trap.seen[flow]
            trap.seen[flow] += len(raw)
            if len(raw) < room:
                continue
            if room > 0:
                yield raw[:room]
            trap.spring(self)
            flow.stalled = True
            if trap.action == "cut":
                yield self.cut
            return
        yield raw

    async def _write(self, flow):
        loop = asyncio.get_running_loop()
        try:
            while True:
                due, data = await flow.queue.get()
                if due > loop.time():
                    await asyncio.sleep(due - loop.time())
                await self.proxy._gate.wait()
                if isinstance(data, Hold):
                    await data.passed()
                    continue
                if callable(data):
                    return data()                  # self.cut: what came before it is in the kernel's hands
                if not data:
                    await self.proxy._passable.wait()
                    return flow.writer.write_eof()
                if self.proxy.is_blackhole:
                    continue
                flow.writer.write(data)
                self.proxy.n_bytes[flow.name] += len(data)
                await flow.writer.drain()
        except (ConnectionError, OSError):
            self.cut()


class Proxy:
    """Forwards to `target`: (host, port), or the path of a unix socket."""

    def __init__(self, target, mysql=False, host="127.0.0.1"):
        self.target = target
        self.mysql = mysql
        self.host = host
        self.watch = None
        self.n_connections = 0                     # so far
        self.n_bytes = {"up": 0, "down": 0}        # handed on so far
        self._reserved = Port()
        self._traps = []
        self._open = {}
        self._delay = {"up": 0, "down": 0}
        self._gate = self._passable = None
        self._server = None
        self._thread = None

    @property
    def port(self):
        return int(self._reserved)

    def start(self):
        ready = threading.Event()
        self._thread = threading.Thread(target=self._main, args=(ready,), name=f"proxy-{self.port}", daemon=True)
        self._thread.start()
        if not ready.wait(TIMEOUT):
            raise TimeoutError("the proxy did not start")
        self.accept()
        return self

    def close(self):
        if self._thread is None:
            return
        self.refuse()
        self.cut()
        asyncio.run_coroutine_threadsafe(self._drain(), self._loop).result(TIMEOUT)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(TIMEOUT)
        self._thread = None
        self._reserved.release()

    def __enter__(self):
        return self if self._thread is not None else self.start()

    def __exit__(self, *_):
        self.close()

    # -- what it does to the traffic ------------------------------------------------------------------------

    def delay(self, ms, direction="down"):
        """From now on bytes arrive `ms` later; order and throughput stay. `direction` up, down or both."""
        for name in ("up", "down") if direction == "both" else (direction,):
            self._delay[name] = ms

    def pause(self):
        """Nothing goes on in either direction; what arrives is kept, then the senders' windows fill."""
        self._call(self._gate.clear)

    def blackhole(self):
        """Everything that arrives from now on, in both directions, disappears; connections stay open."""
        self._call(self._passable.clear)

    def resume(self):
        """Ends pause() and blackhole(). A connection stalled by a trap stays stalled."""
        self._call(self._passable.set)
        self._call(self._gate.set)

    @property
    def is_blackhole(self):
        return not self._passable.is_set()

    def refuse(self):
        """New connections are refused; existing ones live on."""
        asyncio.run_coroutine_threadsafe(self._unlisten(), self._loop).result(TIMEOUT)

    def accept(self):
        """Ends refuse(); same port."""
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(TIMEOUT)

    def cut(self, reset=True):
        """Cuts every connection that is open now; returns how many."""
        return self._call(self._cut_all, reset)

    def stall_after(self, n_bytes, direction="down"):
        """Trap: after `n_bytes` more bytes of one connection nothing goes that way any more."""
        return self._arm(Trap(self, "stall", direction, n_bytes))

    def cut_after(self, n_bytes, direction="down"):
        """Trap: after `n_bytes` more bytes of one connection it is cut with RST, those bytes delivered before."""
        return self._arm(Trap(self, "cut", direction, n_bytes))

    def cut_at(self, match, when="answer", nth=1):
        """Trap at the nth command, counted over all connections, that matches (mysql=True only).

        match   a regular expression searched in the statement's text, in any letter case, or a function of
                a mysqlwire.Command. The statement of COM_STMT_EXECUTE is the text it was prepared from.
        when    "request": cut instead of sending it; "sent": send it and cut at once, which may or may not
                reach the server; "answer": send it, and cut when the answer comes, which the client never sees.
        """
        if not self.mysql:
            raise ValueError("cut_at() needs a Proxy with mysql=True")
        if when not in ("request", "sent", "answer"):
            raise ValueError(f"when={when!r}")
        return self._arm(Trap(self, "command", match=_matcher(match), nth=nth, when=when))

    @property
    def n_open(self):
        """Connections that are open now."""
        return len(self._open)

    @property
    def n_opaque(self):
        """Connections that are open now and whose commands it cannot read: TLS or compressed."""
        return sum(1 for c in list(self._open.values()) if c.commands is not None and c.commands.opaque)

    # -- on the loop's thread -------------------------------------------------------------------------------

    def _main(self, ready):
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        self._gate, self._passable = asyncio.Event(), asyncio.Event()
        self._gate.set()
        self._passable.set()
        self._loop.call_soon(ready.set)
        self._loop.run_forever()
        self._loop.close()

    def _call(self, function, *args):
        if threading.current_thread() is self._thread:
            return function(*args)

        async def run():
            return function(*args)
        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(TIMEOUT)

    def _arm(self, trap):
        self._call(self._traps.append, trap)
        return trap

    def _disarm(self, trap):
        if trap in self._traps:
            self._traps.remove(trap)

    def _cut_all(self, reset):
        connections = list(self._open.values())
        for connection in connections:
            connection.cut(reset)
        return len(connections)

    async def _listen(self):
        if self._server is None:
            self._server = await asyncio.start_server(self._on_client, self.host, self.port, backlog=1024)

    async def _unlisten(self):
        if self._server is not None:
            self._server.close()
            await asyncio.sleep(0)
            self._server = None

    async def _drain(self):
        rest = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _on_client(self, reader, writer):
        self.n_connections += 1
        number = self.n_connections
        try:
            if isinstance(self.target, tuple):
                server = await asyncio.open_connection(*self.target)
            else:
                server = await asyncio.open_unix_connection(self.target)
        except OSError:
            writer.transport.abort()
            return
        for side in (writer, server[1]):
            sock = side.get_extra_info("socket")
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            side.transport.set_write_buffer_limits(0)    # drain() then means: handed to the kernel
        connection = Connection(self, number, (reader, writer), server)
        self._open[number] = connection
        try:
            await connection.run()
        finally:
            del self._open[number]


def _matcher(match):
    if callable(match):
        return match
    pattern = re.compile(match.encode() if isinstance(match, str) else match, re.IGNORECASE)
    return lambda command: pattern.search(command.text) is not None
