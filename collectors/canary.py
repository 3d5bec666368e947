"""Canaries: addresses that always answer while our own network works.

They are asked again and again while a sweep runs, as often as its devices are; one that answers is
enough. What their silence means stands in `collectors.outage`.
"""

import asyncio
import contextlib
import ipaddress
import logging
from collections.abc import Sequence

from collectors.outage import Round
from collectors.pauses import PauseWatch
from collectors.probe import ProbeMethod, Probers, Target
from kpi.status import Status

_log = logging.getLogger(__name__)

_PERIOD_S = 1.0
"""At least so long after one round the next begins: an outage between two is shorter than this."""

_ROUNDS_OVER_PAUSES = 3
_FORMS = "write 10.1.0.1 (ping), 10.1.0.1:80 or [fd00::1]:80 (TCP)"


def canary(text: str) -> Target:
    """Read an address of a canary: by ping, or with a port by TCP.

    Names are refused: they would ask the name server too. Raises `ValueError` with the remedy.
    """
    with_port = text.count(":") == 1 or "]:" in text
    host, _, port = text.rpartition(":") if with_port else (text, "", "")
    try:
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        raise ValueError(f"is no IP address of a canary; {_FORMS}") from None
    if address.is_unspecified or address.is_multicast:
        raise ValueError(f"is no address of a single device; {_FORMS}")
    if not with_port:
        if address.version == 6:
            raise ValueError("ping asks IPv4 only; name a TCP port: [fd00::1]:80")
        return Target(0, str(address), 0, ProbeMethod.PING)
    if not (port.isascii() and port.isdecimal() and 1 <= int(port) <= 65_535):
        raise ValueError(f"has no port from 1 to 65535; {_FORMS}")
    return Target(0, str(address), int(port), ProbeMethod.TCP)


class CanaryWatch:
    """Asks the canaries while a sweep runs; `rounds` are what came of it, in order."""

    def __init__(
        self,
        canaries: Sequence[Target],
        probers: Probers,
        pauses: PauseWatch,
        *,
        timeout_s: float,
        attempts: int,
    ) -> None:
        self._canaries = canaries
        self._probers = probers
        self._pauses = pauses
        self._timeout_s = timeout_s
        self._attempts = attempts
        self.rounds: list[Round] = []

    async def run(self) -> None:
        """Ask until cancelled."""
        while self._canaries:
            await self.ask()
            await asyncio.sleep(min(_PERIOD_S, self._timeout_s))

    async def conclude(self, deadline: float | None) -> None:
        """Ask once more, after everything else; no answer by the loop's `deadline` is none."""
        if not self._canaries:
            return
        start = self._pauses.now()
        try:
            async with asyncio.timeout_at(deadline):
                await self.ask()
        except TimeoutError:
            self.rounds.append(Round(start, self._pauses.now(), answered=False))

    async def ask(self) -> None:
        """One round; one that a pause of this process spoilt is made again."""
        for _ in range(_ROUNDS_OVER_PAUSES):
            start = self._pauses.now()
            answered = await self._one_answers()
            if answered or not self._pauses.spoilt(start):
                break
        self.rounds.append(Round(start, self._pauses.now(), answered))

    async def _one_answers(self) -> bool:
        """Ask all at once, until the first answers."""
        tasks = [asyncio.create_task(self._answers(each)) for each in self._canaries]
        try:
            for earliest in asyncio.as_completed(tasks):
                if await earliest:
                    return True
            return False
        finally:
            for task in tasks:
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _answers(self, target: Target) -> bool:
        prober = self._probers.get(target.method)
        if prober is None:
            return False
        loop = asyncio.get_running_loop()
        try:
            for _ in range(self._attempts):
                seen = await prober(target, loop.time() + self._timeout_s)
                if seen.status is Status.INTACT:
                    return True
        except Exception:
            _log.exception("the %s prober raised an error for a canary", target.method)
        return False
