"""One sweep: every device asked once, those that failed once more, all within the slot.

Devices are launched in the order of their phase, a few at each turn of the event loop, so that the
answers of the first are read before the last is asked: the latencies measured are the devices', not
those of a queue in this process. Beside them run the watches over ourselves: whether this process
runs, and whether the canaries answer. Source: DESIGN §5.
"""

import asyncio
import contextlib
import logging
import math
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from collectors.canary import CanaryWatch
from collectors.outage import (
    PAUSED,
    Lapse,
    Span,
    lapses,
    over_pause,
    silent_spans,
    without_cut_off,
)
from collectors.pauses import PauseWatch
from collectors.probe import Observation, Prober, Probers, Target
from kpi.status import Status

_log = logging.getLogger(__name__)

_BURST = 32
"""Devices launched at one turn of the loop."""

_GRACE_S = 1.0
"""How long after its last deadline a prober may take to return before it is given up."""

_WAITS_OVER_PAUSES = 5
"""How often the end of the probes is waited for where this process is paused again and again."""

_CLOCK_STEP_S = 0.005
"""An event loop's clock moves in steps (of 1 ms in uvloop), its timers may fire that much early."""

_PAUSE_SHARE = 1 / 3
"""A pause of more than this part of an attempt's time may have made it fail."""

_RETRIED = frozenset(
    {Status.TIMEOUT, Status.REFUSED, Status.UNREACHABLE, Status.SERVICE_FAULT}
)  # never AUTH_FAILED: it would help to lock the account

_NOT_MEASURED = Observation(Status.UNKNOWN, detail="not measured: the sweep ended first")
_NO_PROBER = Observation(Status.UNKNOWN, detail="not measured: no prober for its method")
_DEFECT = Observation(Status.UNKNOWN, detail="not measured: a defect of the collector, see its log")


@dataclass(frozen=True, slots=True)
class SweepOptions:
    """`timeout_s` seconds for each attempt, `retries` after the first, devices asked at a time.

    While none of the `canaries` answers, nothing is measured; without canaries that is not known.
    """

    timeout_s: float = 3.0
    retries: int = 1
    concurrency: int = 1500
    canaries: tuple[Target, ...] = ()

    def __post_init__(self) -> None:
        """Raises `ValueError` where nothing could be asked at all."""
        if self.timeout_s <= 0 or self.retries < 0 or self.concurrency < 1:
            raise ValueError(f"not a way to sweep: {self}")


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What every device answered, by `Target.key`, and what asking cost.

    `wall_s` seconds passed; `cpu_s` seconds of CPU of this process, whatever else it did then.
    `lapses` are the times in which we could not measure.
    """

    observations: dict[int, Observation]
    wall_s: float
    cpu_s: float
    lapses: tuple[Lapse, ...] = ()

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
    prober raises (our defect: logged once a sweep) or whose method has no prober, one that failed
    over a pause of this process and could not be asked again, and one that was asked while no
    canary answered. Keys must be unique. On cancellation nothing is left running.
    """
    started, cpu = time.perf_counter(), time.process_time()
    run = _Run(probers, options or SweepOptions(), ends_in_s)
    delays = phase or {}
    ordered = sorted(targets, key=lambda target: delays.get(target.group, 0.0))
    try:
        await run.ask_all(ordered, delays)
    finally:
        await run.stop()
    seen = run.measured()
    observations = {t.key: seen.get(t.key, _NOT_MEASURED) for t in ordered}
    wall_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    return SweepResult(observations, wall_s, cpu_s, run.lapses())


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
        self._pauses = PauseWatch(options.timeout_s * _PAUSE_SHARE)
        self._began = self._pauses.now()
        self._canaries = CanaryWatch(
            options.canaries,
            probers,
            self._pauses,
            timeout_s=options.timeout_s,
            attempts=options.retries + 1,
        )
        self._watching = {
            self._loop.create_task(self._pauses.run()),
            self._loop.create_task(self._canaries.run()),
        }
        self._observations: dict[int, Observation] = {}
        self._asked: dict[int, Span] = {}

    async def ask_all(self, ordered: list[Target], delays: Mapping[str, float]) -> None:
        """Launch everything at its time, then wait for what is still under way."""
        end = None if self._end == math.inf else self._end
        with contextlib.suppress(TimeoutError):  # the end of the sweep: the rest is not measured
            async with asyncio.timeout_at(end):
                await self._launch_all(ordered, delays)
                await self._finish()
        await self._cancel(self._watching)
        await self._canaries.conclude(end)

    def measured(self) -> dict[int, Observation]:
        """What is known of each device, in the light of what the canaries said."""
        silent = silent_spans(self._canaries.rounds)
        return without_cut_off(self._observations, self._asked, silent)

    def lapses(self) -> tuple[Lapse, ...]:
        """When nothing was measured."""
        return lapses(self._began, self._pauses.pauses, silent_spans(self._canaries.rounds))

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
            self._observations[target.key] = _NO_PROBER
            self._free.release()
            return
        task = self._loop.create_task(self._ask(target, prober))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._free.release()

    async def _ask(self, target: Target, prober: Prober) -> None:
        """All attempts at one device; keeps the last that had its full time.

        Those that a pause of this process spoilt do not count: as many again are made for them.
        """
        attempts = left = self._options.retries + 1
        try:
            for _ in range(2 * attempts):
                began, deadline = self._pauses.now(), self._loop.time() + self._options.timeout_s
                observation = await prober(target, min(deadline, self._end))
                failed = observation.status in _RETRIED
                ended = self._loop.time() >= self._end - _CLOCK_STEP_S
                if failed and ended and deadline > self._end:
                    break  # the sweep's end cut it short: that silence says nothing
                if self._pauses.spoilt(began):
                    failed = not self._keep_over_pause(target, observation, began)
                else:
                    self._keep(target, observation, began)
                    left -= 1
                if ended or not failed or not left:
                    break
        except Exception:
            self._report_defect(target)
            self._observations[target.key] = _DEFECT

    def _keep(self, target: Target, observation: Observation, began: float) -> None:
        self._observations[target.key] = observation
        self._asked[target.key] = Span(began, self._pauses.now())

    def _keep_over_pause(self, target: Target, observation: Observation, began: float) -> bool:
        """Keep what a pause left of an answer; whether the device need not be asked again."""
        worth = over_pause(observation)
        if worth is not None:
            self._keep(target, worth, began)
        elif target.key not in self._observations:
            self._keep(target, PAUSED, began)
        return worth is not None

    async def _finish(self) -> None:
        """Wait for all; a prober that does not keep its deadline is given up.

        Over a pause of this process it is waited for again, but not without end.
        """
        longest = self._options.timeout_s * (self._options.retries + 1) + _GRACE_S
        late = set(self._tasks)
        for _ in range(_WAITS_OVER_PAUSES):
            if not late:
                return
            began = self._pauses.now()
            _, late = await asyncio.wait(late, timeout=longest)
            if not self._pauses.spoilt(began):
                break
        if late:
            _log.error("%d probes did not keep their deadline and were given up", len(late))

    def _report_defect(self, target: Target) -> None:
        """Once a sweep: 3,292 tracebacks a minute would bury it."""
        self._defects += 1
        if self._defects == 1:
            _log.exception("the %s prober raised an error; its devices are unknown", target.method)

    async def stop(self) -> None:
        """Cancel what is left and see it end."""
        await self._cancel(self._watching | self._tasks)

    async def _cancel(self, tasks: set[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_GRACE_S)
