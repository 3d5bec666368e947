"""Ping: one shared socket for the whole fleet, opened by icmplib.

Raw where the process may (root or CAP_NET_RAW), an unprivileged datagram socket where the kernel
lets it (`net.ipv4.ping_group_range`), a clear error with the remedy where neither. icmplib opens
the socket; packets are built here, because its `send` resolves the address and sets two socket
options for each. Sources: RFC 792, ping(8), ip(7) on IP_RECVERR.
"""

import asyncio
import errno
import secrets
import socket
import struct
import time
from dataclasses import dataclass
from typing import Protocol, cast

import icmplib

from collectors.probe import Observation, Target
from collectors.tcp import observe_failure
from kpi.status import Status

REMEDY = (
    "ping is not permitted here: allow it with `sysctl -w net.ipv4.ping_group_range='0 2147483647'`"
    ", or give the process CAP_NET_RAW (in systemd: AmbientCapabilities=CAP_NET_RAW)"
)

_ECHO_REPLY, _UNREACHABLE, _ECHO_REQUEST, _TIME_EXCEEDED = 0, 3, 8, 11
_HEADER = struct.Struct("!BBHHH")  # type, code, checksum, identifier, sequence
_PAYLOAD = bytes(48)  # zeros: nothing of them enters the checksum
_RECEIVE_BUFFER = 4 * 1024 * 1024  # room for the replies of a whole fleet
_DRAIN_EVERY = 64  # requests sent before replies are read, where the kernel gives less room
_MOST_AT_ONCE = 8192  # a flood of packets must not hold the loop
_RETRY_S = 0.005
_NO_ROOM = frozenset({errno.EAGAIN, errno.ENOBUFS})

# Linux constants that Python's `socket` does not name.
_SO_RCVBUFFORCE, _ICMP_FILTER, _IP_RECVERR, _MSG_ERRQUEUE = 33, 1, 11, 0x2000


class PingNotPermitted(PermissionError):
    """Neither a raw nor a datagram ICMP socket may be opened; its text is the remedy."""

    def __init__(self) -> None:
        super().__init__(REMEDY)


@dataclass(frozen=True, slots=True)
class Echo:
    """What came back for the request `sequence` to `address`: a reply, or word of its failure."""

    address: str
    sequence: int
    reached: bool


class IcmpTransport(Protocol):
    """Where echo requests go; tests inject one that fails as networks do."""

    def send(self, address: str, sequence: int) -> None:
        """Send one echo request; raises `OSError` (EAGAIN, ENOBUFS: try again)."""

    def receive(self) -> list[Echo]:
        """All that has arrived, without waiting."""

    def fileno(self) -> int:
        """A descriptor that is readable when `receive` has something."""

    def close(self) -> None:
        """Give the descriptor back."""


def can_ping() -> bool:
    """Whether this process may ping at all."""
    try:
        SocketTransport().close()
    except PingNotPermitted:
        return False
    return True


class SocketTransport:
    """The real thing: one ICMPv4 socket. Raises `PingNotPermitted`."""

    def __init__(self) -> None:
        self._icmp = _open()
        self._socket = cast(socket.socket, self._icmp.sock)
        self._raw: bool = self._icmp.is_privileged
        self._identifier = secrets.randbelow(0x10000)
        _prepare(self._socket, self._raw)

    def send(self, address: str, sequence: int) -> None:
        packet = echo_request(self._identifier, sequence)
        try:
            self._socket.sendto(packet, (address, 0))
        except (BlockingIOError, PermissionError):
            raise
        except OSError:
            if self._raw:
                raise
            # On a datagram socket the error may be an earlier packet's: once reported, it is gone.
            self._socket.sendto(packet, (address, 0))

    def receive(self) -> list[Echo]:
        echoes = [] if self._raw else self._receive_errors()
        for _ in range(_MOST_AT_ONCE):
            try:
                packet, source = self._socket.recvfrom(2048)
            except OSError:  # nothing more, or a pending error that the error queue told already
                return echoes
            echo = parse_packet(packet, source[0], self._identifier if self._raw else None)
            if echo is not None:
                echoes.append(echo)
        return echoes

    def _receive_errors(self) -> list[Echo]:
        """Datagram sockets learn of unreachable devices from their error queue."""
        echoes: list[Echo] = []
        while True:
            try:
                packet, _, _, address = self._socket.recvmsg(2048, 512, _MSG_ERRQUEUE)
            except OSError:
                return echoes
            if len(packet) >= _HEADER.size and address:
                echoes.append(Echo(address[0], _HEADER.unpack_from(packet)[4], reached=False))

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._icmp.close()


def _open() -> icmplib.ICMPv4Socket:
    """Raises `PingNotPermitted`, or the `OSError` of what is lacking here (files, buffers)."""
    for privileged in (True, False):
        try:
            return icmplib.ICMPv4Socket(privileged=privileged)
        except icmplib.SocketPermissionError:
            continue
        except icmplib.ICMPSocketError as error:  # it holds the text of an OSError, not the error
            if isinstance(error.__context__, OSError):
                raise error.__context__ from error
            raise
    raise PingNotPermitted


def _prepare(sock: socket.socket, raw: bool) -> None:
    """Room for a burst of replies, and only the packets that concern us."""
    sock.setblocking(False)
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BUFFER)
    except OSError:  # only root goes beyond net.core.rmem_max
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    if raw:
        wanted = 1 << _ECHO_REPLY | 1 << _UNREACHABLE | 1 << _TIME_EXCEEDED
        mask = struct.pack("I", ~wanted & 0xFFFFFFFF)  # a set bit is a type kept out
        sock.setsockopt(socket.SOL_RAW if hasattr(socket, "SOL_RAW") else 255, _ICMP_FILTER, mask)
    else:
        sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)


def echo_request(identifier: int, sequence: int) -> bytes:
    """An echo request with 48 zero bytes; its checksum is that of the header alone."""
    total = (_ECHO_REQUEST << 8) + identifier + sequence
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    return _HEADER.pack(_ECHO_REQUEST, 0, ~total & 0xFFFF, identifier, sequence) + _PAYLOAD


def parse_packet(packet: bytes, source: str, identifier: int | None) -> Echo | None:
    """Read what a socket received; None for what is not an answer to a request of ours.

    `identifier` is ours on a raw socket, where packets begin with the IP header and those of other
    processes arrive too; None on a datagram socket, where the kernel has sorted them.
    """
    start = (packet[0] & 0x0F) * 4 if identifier is not None and packet else 0
    if len(packet) < start + _HEADER.size:
        return None
    kind, _, _, found, sequence = _HEADER.unpack_from(packet, start)
    if kind == _ECHO_REPLY:
        ours = identifier is None or found == identifier
        return Echo(source, sequence, reached=True) if ours else None
    if kind in (_UNREACHABLE, _TIME_EXCEEDED) and identifier is not None:
        return _parse_quoted(packet[start + _HEADER.size :], identifier)
    return None


def _parse_quoted(quoted: bytes, identifier: int) -> Echo | None:
    """An error message quotes the packet it is about: IP header, then our ICMP header."""
    start = (quoted[0] & 0x0F) * 4 if quoted else 0
    if start < 20 or len(quoted) < start + _HEADER.size or quoted[9] != socket.IPPROTO_ICMP:
        return None
    kind, _, _, found, sequence = _HEADER.unpack_from(quoted, start)
    if kind != _ECHO_REQUEST or found != identifier:
        return None
    return Echo(socket.inet_ntoa(quoted[16:20]), sequence, reached=False)


@dataclass(slots=True)
class _Pending:
    address: str
    sent: float
    done: asyncio.Future[Observation]


class IcmpProber:
    """One echo request for each call; INTACT, TIMEOUT, UNREACHABLE or UNKNOWN.

    The socket is opened at the first call; where that is not permitted the observation is UNKNOWN
    and says the remedy. One event loop at a time uses it. Close it at the end.
    """

    def __init__(self, transport: IcmpTransport | None = None) -> None:
        self._transport = transport
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pending: dict[int, _Pending] = {}
        self._sequence = 0
        self._sent_since_read = 0

    async def __call__(self, target: Target, deadline: float) -> Observation:
        """Return the observation by `deadline` (in the running loop's `time()`)."""
        loop = asyncio.get_running_loop()
        try:
            transport = self._attach(loop)
        except PingNotPermitted as error:
            return Observation(Status.UNKNOWN, detail=str(error))
        except OSError as error:
            return observe_failure(error)
        sequence = self._free_sequence()
        try:
            async with asyncio.timeout_at(deadline):
                address = await _resolve(loop, target.address)
                pending = _Pending(address, 0.0, loop.create_future())
                self._pending[sequence] = pending
                await self._send(transport, pending, sequence)
                return await pending.done
        except TimeoutError:
            return self._timed_out(sequence)
        except OSError as error:
            return observe_failure(error)
        finally:
            self._pending.pop(sequence, None)

    async def _send(self, transport: IcmpTransport, pending: _Pending, sequence: int) -> None:
        """Send as soon as there is room. Raises `OSError`."""
        while True:
            pending.sent = time.perf_counter()
            try:
                transport.send(pending.address, sequence)
            except OSError as error:
                if error.errno not in _NO_ROOM:
                    raise
                pending.sent = 0.0
                await asyncio.sleep(_RETRY_S)
                continue
            self._sent_since_read += 1
            if self._sent_since_read >= _DRAIN_EVERY:
                self._read(transport)
            return

    def _timed_out(self, sequence: int) -> Observation:
        pending = self._pending.get(sequence)
        if pending is None or not pending.sent:  # it never left: our own lack
            return Observation(Status.UNKNOWN, detail="the echo request could not be sent in time")
        return Observation(Status.TIMEOUT, detail="no answer")

    def _read(self, transport: IcmpTransport) -> None:
        """Hand everything that has arrived to those who wait for it."""
        self._sent_since_read = 0
        echoes = transport.receive()
        now = time.perf_counter()
        for echo in echoes:
            pending = self._pending.get(echo.sequence)
            # A late reply may bear a sequence number that has since gone round to another device.
            if pending is None or pending.done.done() or pending.address != echo.address:
                continue
            if echo.reached:
                result = Observation(Status.INTACT, (now - pending.sent) * 1000)
            else:
                result = Observation(Status.UNREACHABLE, detail="no route to the device")
            pending.done.set_result(result)

    def _free_sequence(self) -> int:
        for _ in range(0x10000):
            self._sequence = (self._sequence + 1) & 0xFFFF
            if self._sequence not in self._pending:
                return self._sequence
        raise RuntimeError("65,536 pings are under way: lower the concurrency")

    def _attach(self, loop: asyncio.AbstractEventLoop) -> IcmpTransport:
        """Listen on the running loop. Raises `PingNotPermitted`."""
        if self._transport is None:
            self._transport = SocketTransport()
        if loop is not self._loop:
            self._detach()
            self._pending.clear()
            loop.add_reader(self._transport.fileno(), self._read, self._transport)
            self._loop = loop
        return self._transport

    def _detach(self) -> None:
        if self._transport and self._loop and not self._loop.is_closed():
            self._loop.remove_reader(self._transport.fileno())
        self._loop = None

    def close(self) -> None:
        """Close the socket, if it was ever opened."""
        self._detach()
        if self._transport is not None:
            self._transport.close()


async def _resolve(loop: asyncio.AbstractEventLoop, address: str) -> str:
    """The IPv4 address, without a thread where it is one already. Raises `socket.gaierror`."""
    try:
        return socket.inet_ntoa(socket.inet_pton(socket.AF_INET, address))
    except OSError:
        found = await loop.getaddrinfo(address, None, family=socket.AF_INET)
        return str(found[0][4][0])
