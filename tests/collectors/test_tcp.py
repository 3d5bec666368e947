"""TCP: what connecting says, over real sockets, and what each error of the system means."""

import asyncio
import errno
import os
import resource
import socket
from collections.abc import Callable
from typing import Any

import pytest

from collectors.onvif.prober import OnvifProber
from collectors.probe import Observation, ProbeMethod, Prober, Target
from collectors.tcp import TcpProber, observe_failure
from kpi.status import Status

Run = Callable[[Any], Any]


async def probe(target: Target, prober: Prober | None = None, timeout_s: float = 5) -> Observation:
    deadline = asyncio.get_running_loop().time() + timeout_s
    return await (prober or TcpProber())(target, deadline)


def test_connecting_is_enough(run: Run, listening: Any) -> None:
    async def scenario() -> Observation:
        async with listening("hang") as device:
            return await probe(device.target(ProbeMethod.TCP))

    observation = run(scenario())
    assert observation.status is Status.INTACT
    assert observation.latency_ms > 0


def test_refused(run: Run, closed_port: int) -> None:
    observation = run(probe(Target(1, "127.0.0.1", closed_port, ProbeMethod.TCP)))
    assert observation.status is Status.REFUSED
    assert observation.latency_ms is None


@pytest.mark.parametrize("prober", [TcpProber(), OnvifProber()], ids=["tcp", "onvif"])
def test_no_answer_to_the_handshake(run: Run, prober: Prober) -> None:
    """A listener whose queue is full drops what comes: silence, without leaving this host."""
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        target = Target(1, "127.0.0.1", full.getsockname()[1], ProbeMethod.TCP)
        observation = run(probe(target, prober, 0.3))
    assert observation.status is Status.TIMEOUT


@pytest.mark.parametrize("prober", [TcpProber(), OnvifProber()], ids=["tcp", "onvif"])
def test_out_of_files_is_our_own_lack(run: Run, closed_port: int, prober: Prober) -> None:
    async def scenario() -> Observation:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        lowest_free = os.dup(0)
        os.close(lowest_free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
        try:
            return await probe(Target(1, "127.0.0.1", closed_port, ProbeMethod.TCP), prober)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    observation = run(scenario())
    assert observation.status is Status.UNKNOWN
    assert "file limit" in observation.detail


@pytest.mark.parametrize(
    ("number", "status"),
    [
        (errno.ECONNREFUSED, Status.REFUSED),
        (errno.ECONNRESET, Status.REFUSED),
        (errno.ETIMEDOUT, Status.TIMEOUT),
        (errno.EHOSTUNREACH, Status.UNREACHABLE),
        (errno.ENETUNREACH, Status.UNREACHABLE),
        (errno.EMFILE, Status.UNKNOWN),
        (errno.ENFILE, Status.UNKNOWN),
        (errno.ENOBUFS, Status.UNKNOWN),
        (errno.EADDRNOTAVAIL, Status.UNKNOWN),
        (errno.ENETDOWN, Status.UNKNOWN),
        (errno.EPERM, Status.UNKNOWN),
        (errno.EINVAL, Status.UNKNOWN),
    ],
)
def test_what_each_error_means(number: int, status: Status) -> None:
    observation = observe_failure(OSError(number, os.strerror(number)))
    assert observation.status is status
    assert observation.detail


def test_an_address_that_cannot_be_resolved_is_unknown() -> None:
    error = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    assert observe_failure(error).status is Status.UNKNOWN
