"""Does a device take a TCP connection? And what a failed connection means, for every prober.

Nothing is sent. Source: DESIGN §5; the errors are those of connect(2).
"""

import asyncio
import errno
import socket
import time

from collectors.probe import Observation, Target
from kpi.status import Status

_UNREACHABLE = frozenset(
    {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENOPROTOOPT, errno.EPROTO}
)
_REFUSED = frozenset({errno.ECONNREFUSED, errno.ECONNRESET, errno.ECONNABORTED})
_OWN_LACK = {
    errno.EMFILE: "too many open files here; raise the file limit or lower the concurrency",
    errno.ENFILE: "the system's file table is full; raise fs.file-max",
    errno.ENOBUFS: "out of network buffers here",
    errno.ENOMEM: "out of memory here",
    errno.EADDRNOTAVAIL: "no free local port here; widen net.ipv4.ip_local_port_range",
    errno.ENETDOWN: "the network interface of this host is down",
    errno.EACCES: "this host's own rules forbid the connection",
    errno.EPERM: "this host's own rules forbid the connection",
}


def observe_failure(error: OSError) -> Observation:
    """What an error of connecting or sending says about the device.

    What is our own lack (files, ports, buffers, an address that cannot be resolved) is UNKNOWN,
    and so is any error not foreseen here: our outage is not theirs.
    """
    if isinstance(error, socket.gaierror):
        return Observation(Status.UNKNOWN, detail="the address cannot be resolved")
    number = error.errno
    if number in _REFUSED:
        return Observation(Status.REFUSED, detail="connection refused")
    if isinstance(error, TimeoutError):  # also ETIMEDOUT, given up by the kernel
        return Observation(Status.TIMEOUT, detail="no answer")
    if number in _UNREACHABLE:
        return Observation(Status.UNREACHABLE, detail="no route to the device")
    if number in _OWN_LACK:
        return Observation(Status.UNKNOWN, detail=_OWN_LACK[number])
    return Observation(
        Status.UNKNOWN, detail=f"cannot ask: {errno.errorcode.get(number or 0, '?')}"
    )


class TcpProber:
    """Connects to `target.port` and closes again: INTACT, REFUSED, TIMEOUT, UNREACHABLE or UNKNOWN.

    `latency_ms` is the time of the handshake.
    """

    async def __call__(self, target: Target, deadline: float) -> Observation:
        """Return the observation by `deadline` (in the running loop's `time()`)."""
        try:
            async with asyncio.timeout_at(deadline):
                return await _connect(target)
        except TimeoutError:
            return Observation(Status.TIMEOUT, detail="no answer")
        except OSError as error:
            return observe_failure(error)


async def _connect(target: Target) -> Observation:
    """Raises `OSError` as connect(2) does."""
    family = socket.AF_INET6 if ":" in target.address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as sock:
        started = time.perf_counter()
        await asyncio.get_running_loop().sock_connect(sock, (target.address, target.port))
        return Observation(Status.INTACT, (time.perf_counter() - started) * 1000)
