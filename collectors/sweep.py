"""One sweep: every device asked once, those that failed once more, all within the slot.

Devices are launched in the order of their phase, a few at each turn of the event loop, so that the
answers of the first are read before the last is asked: the latencies measured are the devices', not
those of a queue in this process. Source: DESIGN §5.
"""

import asyncio
import logging
import math
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from collectors.probe import Observation, Prober, Probers, Target
from kpi.status import Status

_log = logging.getLogger(__name__)

_BURST = 32
"""Devices launched at one turn of the loop."""

_GRACE_S = 1.0
"""How long after its last deadline a prober may take to return before it is given up."""

_CLOCK_STEP_S = 0.005
"""An event loop's clock moves in steps (of 1 ms in uvloop), its timers may fire that much early."""

_RETRIED = frozenset(
    {Status.TIMEOUT, Status.REFUSED, Status.UNREACHABLE, Status.SERVICE_FAULT}
)  # never AUTH_FAILED: it would help to lock the account

_NOT_MEASURED = Observation(Status.UNKNOWN, detail="not measured: the sweep ended first")
_NO_PROBER = Observation(Status.UNKNOWN, detail="not measured: no prober for its method")
_DEFECT = Observation(Status.UNKNOWN, detail="not measured: a defect of the collector, see its log")


@dataclass(frozen=True, slots=True)
class SweepOptions:
    """`timeout_s` seconds for each attempt, `retries` after the first, devices asked at a time."""

    timeout_s: float = 3.0
    retries: int = 1
    concurrency: int = 1500

    def __post_init__(self) -> None:
        """Raises `ValueError` where nothing could be asked at all."""
        if self.timeout_s <= 0 or self.retries < 0 or self.concurrency < 1:
            raise ValueError(f"not a way to sweep: {self}")


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What every device answered, by `Target.key`, and what asking cost.

    `wall_s` seconds passed; `cpu_s` seconds of CPU of this process, whatever else it did then.
    """

    observations: dict[int, Observation]
    wall_s: float
    cpu_s: float

    @property
    def by_status(self) -> dict[Status, int]:
        """Devices by status, those that occur, in the order of the codes."""
        return dict(sorted(Counter(o.status for o in self.observations.values()).items()))

    @property
    def latency_ms(self) -> dict[str, float | None]:
        """`p50`, `p95` and `p99` (nearest rank, ms) of those that answered; None where none did."""
        ordered = sorted(
            o.latency_ms for o in self.observations.values() if o.latency_ms is not None
        )
        return {f"p{percent}": _percentile(ordered, percent) for percent in (50, 95, 99)}


def _percentile(ordered: list[float], percent: int) -> float | None:
    return ordered[math.ceil(percent * len(ordered) / 100) - 1] if ordered else None


async def sweep(
    targets: Iterable[Target],
    probers: Probers,
    options: SweepOptions | None = None,
    *,
    phase: Mapping[str, float] | None = None,
    ends_in_s: float | None = None,
) -> SweepResult:
    """Ask every target; returns when all have answered or `ends_in_s` seconds have passed.

    `phase` gives by group the seconds after the start at which its devices are asked; a group that
    is not named is asked at once. What is not measured by the end is UNKNOWN, as is a device whose
    prober raises (our defect: logged once a sweep) or whose method has no prober. Keys must be
    unique. On cancellation nothing is left running.
    """
    started, cpu = time.perf_counter(), time.process_time()
    run = _Run(probers, options or SweepOptions(), ends_in_s)
    delays = phase or {}
    ordered = sorted(targets, key=lambda target: delays.get(target.group, 0.0))
    try:
        await run.ask_all(ordered, delays)
    finally:
        await run.stop()
    observations = {t.key: run.observations.get(t.key, _NOT_MEASURED) for t in ordered}
    return SweepResult(observations, time.perf_counter() - started, time.process_time() - cpu)


class _Run:
    """The state of one sweep."""

    def __init__(self, probers: Probers, options: SweepOptions, ends_in_s: float | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._probers = probers
        self._options = options
        self._started = self._loop.time()
        self._end = math.inf if ends_in_s is None else self._started + ends_in_s
        self._free = asyncio.Semaphore(options.concurrency)
        self._tasks: set[asyncio.Task[None]] = set()
        self._defects = 0
        self.observations: dict[int, Observation] = {}

    async def ask_all(self, ordered: list[Target], delays: Mapping[str, float]) -> None:
        """Launch everything at its time, then wait for what is still under way."""
        try:
            async with asyncio.timeout_at(None if self._end == math.inf else self._end):
                await self._launch_all(ordered, delays)
                await self._finish()
        except TimeoutError:  # the end of the sweep: the rest is not measured
            return

    async def _launch_all(self, ordered: list[Target], delays: Mapping[str, float]) -> None:
        for index, target in enumerate(ordered):
            wait = self._started + delays.get(target.group, 0.0) - self._loop.time()
            if wait > 0:
                await asyncio.sleep(wait)
            elif index % _BURST == _BURST - 1:
                await asyncio.sleep(0)
            await self._free.acquire()
            self._launch(target)

    def _launch(self, target: Target) -> None:
        prober = self._probers.get(target.method)
        if prober is None:
            self.observations[target.key] = _NO_PROBER
            self._free.release()
            return
        task = self._loop.create_task(self._ask(target, prober))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._free.release()

    async def _ask(self, target: Target, prober: Prober) -> None:
        """All attempts at one device; keeps the last that had its full time."""
        try:
            for _ in range(self._options.retries + 1):
                deadline = self._loop.time() + self._options.timeout_s
                observation = await prober(target, min(deadline, self._end))
                failed = observation.status in _RETRIED
                ended = self._loop.time() >= self._end - _CLOCK_STEP_S
                if failed and ended and deadline > self._end:
                    break  # the sweep's end cut it short: that silence says nothing
                self.observations[target.key] = observation
                if ended or not failed:
                    break
        except Exception:
            self._report_defect(target)
            self.observations[target.key] = _DEFECT

    async def _finish(self) -> None:
        """Wait for all; a prober that does not keep its deadline is given up."""
        if not self._tasks:
            return
        longest = self._options.timeout_s * (self._options.retries + 1) + _GRACE_S
        _, late = await asyncio.wait(self._tasks, timeout=longest)
        if late:
            _log.error("%d probes did not keep their deadline and were given up", len(late))

    def _report_defect(self, target: Target) -> None:
        """Once a sweep: 3,292 tracebacks a minute would bury it."""
        self._defects += 1
        if self._defects == 1:
            _log.exception("the %s prober raised an error; its devices are unknown", target.method)

    async def stop(self) -> None:
        """Cancel what is left and see it end."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_GRACE_S)
