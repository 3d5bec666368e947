"""Ping: failures through an injected transport, packets byte by byte, loopback where permitted."""

import asyncio
import errno
import os
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any

import icmplib
import pytest

from collectors.icmp import Echo, IcmpProber, can_ping, echo_request, parse_packet
from collectors.probe import Observation, ProbeMethod, Target
from collectors.sweep import SweepOptions, sweep
from kpi.status import Status

Run = Callable[[Any], Any]


class FakeTransport:
    """A network in memory: what `answer` returns for a request arrives at once."""

    def __init__(self, answer: Callable[[str, int], list[Echo]]) -> None:
        self.answer = answer
        self.sent: list[str] = []
        self.arrived: list[Echo] = []
        self.readable, self.bell = socket.socketpair()
        self.readable.setblocking(False)

    def send(self, address: str, sequence: int) -> None:
        self.sent.append(address)
        echoes = self.answer(address, sequence)
        if echoes:
            self.arrived += echoes
            self.bell.send(b"!")

    def receive(self) -> list[Echo]:
        while True:
            try:
                self.readable.recv(4096)
            except BlockingIOError:
                break
        arrived, self.arrived = self.arrived, []
        return arrived

    def fileno(self) -> int:
        return self.readable.fileno()

    def close(self) -> None:
        self.readable.close()
        self.bell.close()


def device(address: str = "10.0.0.1", key: int = 1) -> Target:
    return Target(key, address, 0, ProbeMethod.PING)


async def ping(transport: FakeTransport, *, timeout_s: float = 5, count: int = 1) -> Observation:
    prober = IcmpProber(transport)
    try:
        for _ in range(count):
            deadline = asyncio.get_running_loop().time() + timeout_s
            observation = await prober(device(), deadline)
        return observation
    finally:
        prober.close()


def raising(number: int, times: int) -> Callable[[str, int], list[Echo]]:
    """Fails `times` times, then answers."""
    left = [times]

    def answer(address: str, sequence: int) -> list[Echo]:
        if left[0]:
            left[0] -= 1
            raise OSError(number, os.strerror(number))
        return [Echo(address, sequence, reached=True)]

    return answer


ANSWERS: dict[str, tuple[Callable[[str, int], list[Echo]], Status]] = {
    "reply": (lambda address, n: [Echo(address, n, reached=True)], Status.INTACT),
    "silence": (lambda address, n: [], Status.TIMEOUT),
    "unreachable": (lambda address, n: [Echo(address, n, reached=False)], Status.UNREACHABLE),
    "of another device": (lambda address, n: [Echo("10.9.9.9", n, reached=True)], Status.TIMEOUT),
    "of another request": (lambda address, n: [Echo(address, n + 1, reached=True)], Status.TIMEOUT),
    "twice": (lambda address, n: [Echo(address, n, reached=True)] * 2, Status.INTACT),
    "reply, then unreachable": (
        lambda address, n: [Echo(address, n, reached=True), Echo(address, n, reached=False)],
        Status.INTACT,
    ),
    "no route here": (raising(errno.EHOSTUNREACH, 1000), Status.UNREACHABLE),
    "no network here": (raising(errno.ENETUNREACH, 1000), Status.UNREACHABLE),
    "forbidden here": (raising(errno.EPERM, 1000), Status.UNKNOWN),
    "out of buffers for good": (raising(errno.ENOBUFS, 100_000), Status.UNKNOWN),
    "send buffer full for good": (raising(errno.EAGAIN, 100_000), Status.UNKNOWN),
}


@pytest.mark.parametrize(("answer", "status"), ANSWERS.values(), ids=ANSWERS.keys())
def test_what_comes_back(
    run: Run, answer: Callable[[str, int], list[Echo]], status: Status
) -> None:
    observation = run(ping(FakeTransport(answer), timeout_s=0.2))
    assert observation.status is status
    assert (observation.latency_ms is not None) is (status is Status.INTACT)


@pytest.mark.parametrize("number", [errno.ENOBUFS, errno.EAGAIN])
def test_a_full_buffer_is_waited_for(run: Run, number: int) -> None:
    observation = run(ping(FakeTransport(raising(number, 3))))
    assert observation.status is Status.INTACT


def test_sequence_numbers_go_round(run: Run) -> None:
    transport = FakeTransport(lambda address, n: [Echo(address, n, reached=True)])
    prober = IcmpProber(transport)
    prober._sequence = 0xFFFE
    seen = []

    async def scenario() -> None:
        for _ in range(4):
            deadline = asyncio.get_running_loop().time() + 5
            seen.append((await prober(device(), deadline)).status)
        prober.close()

    run(scenario())
    assert seen == [Status.INTACT] * 4
    assert prober._sequence == 2


def test_a_prober_serves_one_loop_after_another(run: Run) -> None:
    transport = FakeTransport(lambda address, n: [Echo(address, n, reached=True)])
    prober = IcmpProber(transport)

    async def once() -> Observation:
        return await prober(device(), asyncio.get_running_loop().time() + 5)

    assert run(once()).status is Status.INTACT
    assert run(once()).status is Status.INTACT
    prober.close()


def test_without_permission_the_remedy_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise icmplib.SocketPermissionError(privileged=True)

    monkeypatch.setattr(icmplib, "ICMPv4Socket", refuse)
    assert can_ping() is False
    result = run(sweep([device()], {ProbeMethod.PING: IcmpProber()}))
    assert result.by_status == {Status.UNKNOWN: 1}
    assert "ping_group_range" in result.observations[1].detail
    assert "CAP_NET_RAW" in result.observations[1].detail


@pytest.fixture
def prober() -> Iterator[IcmpProber]:
    if not can_ping():
        pytest.skip("ping is not permitted here")  # a right of the machine, nothing to install
    prober = IcmpProber()
    yield prober
    prober.close()


def test_a_fleet_on_loopback(run: Run, prober: IcmpProber) -> None:
    """3,292 replies at once do not overrun the socket."""
    fleet = [device(f"127.1.{n >> 8}.{n & 255}", n) for n in range(3292)]
    result = run(sweep(fleet, {ProbeMethod.PING: prober}, SweepOptions(retries=0)))
    assert result.by_status == {Status.INTACT: 3292}


@pytest.mark.parametrize(
    ("identifier", "sequence"), [(0, 0), (1, 2), (0xFFFF, 0xFFFF), (0xABCD, 7)]
)
def test_the_checksum_of_a_request(identifier: int, sequence: int) -> None:
    packet = echo_request(identifier, sequence)
    total = sum(struct.unpack(f"!{len(packet) // 2}H", packet))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    assert total == 0xFFFF
    assert struct.unpack("!BBHHH", packet[:8])[3:] == (identifier, sequence)


def ip(payload: bytes, destination: str = "10.0.0.1", protocol: int = 1, words: int = 5) -> bytes:
    header = bytes([0x40 | words, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0])
    addresses = socket.inet_aton("10.0.0.254") + socket.inet_aton(destination)
    return header + addresses + bytes(words * 4 - 20) + payload


def message(kind: int, identifier: int = 7, sequence: int = 9) -> bytes:
    return struct.pack("!BBHHH", kind, 0, 0, identifier, sequence)


REPLY = Echo("10.0.0.1", 9, reached=True)
LOST = Echo("10.0.0.1", 9, reached=False)


@pytest.mark.parametrize(
    ("packet", "echo"),
    [
        (ip(message(0)), REPLY),
        (ip(message(0), words=15), REPLY),
        (ip(message(0, identifier=8)), None),
        (ip(message(8)), None),
        (ip(message(3) + ip(message(8))), LOST),
        (ip(message(11) + ip(message(8), words=6)), LOST),
        (ip(message(3) + ip(message(8, identifier=8))), None),
        (ip(message(3) + ip(message(8), protocol=17)), None),
        (ip(message(3) + ip(message(8))[:24]), None),
        (ip(message(3)), None),
        (ip(message(0)[:7]), None),
        (b"", None),
    ],
)
def test_packets_of_a_raw_socket(packet: bytes, echo: Echo | None) -> None:
    assert parse_packet(packet, "10.0.0.1", 7) == echo


@pytest.mark.parametrize(
    ("packet", "echo"), [(message(0, identifier=1), REPLY), (message(3), None), (b"", None)]
)
def test_packets_of_a_datagram_socket(packet: bytes, echo: Echo | None) -> None:
    assert parse_packet(packet, "10.0.0.1", None) == echo
