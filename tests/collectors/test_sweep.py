"""Sweeps: retries, phases, ends, defects, and a bad day at the size of the fleet."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from collectors.limits import raise_file_limit
from collectors.onvif.prober import OnvifProber
from collectors.probe import Observation, ProbeMethod, Target
from collectors.registry import open_probers
from collectors.sweep import SweepOptions, SweepResult, sweep
from kpi.status import Status

Run = Callable[[Any], Any]
INTACT = Observation(Status.INTACT, 1.0)


class FakeProber:
    """Answers each device from its own list, the last entry for ever; keeps when it was asked."""

    def __init__(self, answers: dict[int, list[Status]] | None = None, takes_s: float = 0) -> None:
        self.answers = answers or {}
        self.takes_s = takes_s
        self.asked: list[tuple[int, float, float]] = []
        self.under_way = self.most_under_way = 0

    async def __call__(self, target: Target, deadline: float) -> Observation:
        now = asyncio.get_running_loop().time()
        self.asked.append((target.key, now, deadline))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(self.takes_s)
        finally:
            self.under_way -= 1
        answers = self.answers.get(target.key, [Status.INTACT])
        return Observation(answers.pop(0) if len(answers) > 1 else answers[0], 1.0)


class SilentProber(FakeProber):
    """Nothing comes back: keeps to its deadline and says TIMEOUT."""

    async def __call__(self, target: Target, deadline: float) -> Observation:
        now = asyncio.get_running_loop().time()
        self.asked.append((target.key, now, deadline))
        await asyncio.sleep(deadline - now)
        return Observation(Status.TIMEOUT)


def targets(count: int, **changes: Any) -> list[Target]:
    return [Target(key, "127.0.0.1", 1, ProbeMethod.TCP, **changes) for key in range(count)]


def sweep_with(run: Run, prober: Any, count: int, *options: Any, **more: Any) -> SweepResult:
    result = run(sweep(targets(count), {ProbeMethod.TCP: prober}, SweepOptions(*options), **more))
    assert isinstance(result, SweepResult)
    return result


@pytest.mark.parametrize(
    ("answers", "asked", "status"),
    [
        ([Status.INTACT], 1, Status.INTACT),
        ([Status.CLOCK_WRONG], 1, Status.CLOCK_WRONG),
        ([Status.TIMEOUT, Status.INTACT], 2, Status.INTACT),
        ([Status.REFUSED, Status.CLOCK_WRONG], 2, Status.CLOCK_WRONG),
        ([Status.UNREACHABLE, Status.UNREACHABLE], 2, Status.UNREACHABLE),
        ([Status.SERVICE_FAULT, Status.INTACT], 2, Status.INTACT),
        ([Status.SERVICE_FAULT, Status.TIMEOUT, Status.INTACT], 2, Status.TIMEOUT),
        ([Status.AUTH_FAILED, Status.INTACT], 1, Status.AUTH_FAILED),
        ([Status.UNKNOWN, Status.INTACT], 1, Status.UNKNOWN),
    ],
)
def test_what_is_asked_again(run: Run, answers: list[Status], asked: int, status: Status) -> None:
    prober = FakeProber({0: answers})
    result = sweep_with(run, prober, 1)
    assert result.observations[0].status is status
    assert len(prober.asked) == asked


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_the_number_of_retries(run: Run, retries: int) -> None:
    prober = FakeProber({0: [Status.REFUSED]})
    sweep_with(run, prober, 1, 3.0, retries)
    assert len(prober.asked) == 1 + retries


@pytest.mark.parametrize("concurrency", [1, 7, 50])
def test_concurrency_is_bounded_and_used(run: Run, concurrency: int) -> None:
    prober = FakeProber(takes_s=0.02)
    result = sweep_with(run, prober, 50, 3.0, 1, concurrency)
    assert result.by_status == {Status.INTACT: 50}
    assert prober.most_under_way == concurrency


def test_deadlines_are_set_by_the_sweep(run: Run) -> None:
    prober = FakeProber()
    sweep_with(run, prober, 3, 2.0, ends_in_s=60)
    assert all(deadline - now == pytest.approx(2, abs=0.05) for _, now, deadline in prober.asked)
    prober = FakeProber()
    sweep_with(run, prober, 3, 30.0, ends_in_s=10)
    assert all(deadline - now == pytest.approx(10, abs=0.5) for _, now, deadline in prober.asked)


def test_each_room_is_asked_at_its_phase(run: Run) -> None:
    prober = FakeProber()
    fleet = [
        Target(key, "127.0.0.1", 1, ProbeMethod.TCP, group)
        for key, group in enumerate(["late", "early", "late", "unnamed", "early"])
    ]
    phase = {"late": 0.3, "early": 0.1}
    run(sweep(fleet, {ProbeMethod.TCP: prober}, phase=phase))
    started = prober.asked[0][1]
    at = {key: now - started for key, now, _ in prober.asked}
    assert [key for key, _, _ in prober.asked] == [3, 1, 4, 0, 2]
    assert at[1] >= 0.09
    assert at[4] < 0.28
    assert at[0] >= 0.29


def test_what_the_end_leaves_is_not_measured(run: Run) -> None:
    """One at a time: the first has its full time and its retry, the second is cut short."""
    prober = SilentProber()
    result = sweep_with(run, prober, 4, 0.2, 1, 1, ends_in_s=0.5)
    statuses = [result.observations[key].status for key in range(4)]
    assert statuses == [Status.TIMEOUT, Status.UNKNOWN, Status.UNKNOWN, Status.UNKNOWN]
    assert result.wall_s < 5


def test_a_timeout_just_before_the_end_says_nothing(run: Run) -> None:
    """It had less than its full time, even where the prober's timer fires a little early."""

    async def hasty(_: Target, deadline: float) -> Observation:
        await asyncio.sleep(deadline - asyncio.get_running_loop().time() - 0.003)
        return Observation(Status.TIMEOUT)

    assert sweep_with(run, hasty, 1, 3.0, ends_in_s=0.2).by_status == {Status.UNKNOWN: 1}


def test_a_retry_cut_short_leaves_the_first_result(run: Run) -> None:
    result = sweep_with(run, SilentProber(), 1, 0.3, 1, ends_in_s=0.4)
    assert result.observations[0].status is Status.TIMEOUT


def test_a_group_after_the_end_is_not_measured(run: Run) -> None:
    fleet = targets(1, group="late")
    coroutine = sweep(fleet, {ProbeMethod.TCP: FakeProber()}, phase={"late": 30}, ends_in_s=0.1)
    assert run(coroutine).by_status == {Status.UNKNOWN: 1}


def test_a_defect_of_ours_is_unknown_and_logged_once(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    async def defective(target: Target, deadline: float) -> Observation:
        if target.key % 2:
            raise RuntimeError("our own defect")
        return INTACT

    with caplog.at_level(logging.ERROR):
        result = sweep_with(run, defective, 100)
    assert result.by_status == {Status.INTACT: 50, Status.UNKNOWN: 50}
    assert len(caplog.records) == 1
    assert "our own defect" in caplog.text


def test_a_prober_that_forgets_its_deadline_is_given_up(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    async def forgetful(target: Target, deadline: float) -> Observation:
        if target.key == 0:
            await asyncio.sleep(3600)
        return INTACT

    result = sweep_with(run, forgetful, 3, 0.05)
    assert result.by_status == {Status.INTACT: 2, Status.UNKNOWN: 1}
    assert "did not keep" in caplog.text


def test_a_method_without_prober_is_unknown(run: Run) -> None:
    fleet = [Target(9, "127.0.0.1", 1, ProbeMethod.PING), *targets(2)]  # it frees its place
    result = run(sweep(fleet, {ProbeMethod.TCP: FakeProber()}, SweepOptions(concurrency=1)))
    assert result.by_status == {Status.INTACT: 2, Status.UNKNOWN: 1}
    assert "no prober" in result.observations[9].detail


def test_cancellation_leaves_nothing_running(run: Run) -> None:
    prober = FakeProber(takes_s=3600)

    async def scenario() -> None:
        task = asyncio.create_task(sweep(targets(20), {ProbeMethod.TCP: prober}))
        await asyncio.sleep(0.2)
        assert prober.under_way == 20
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert prober.under_way == 0

    run(scenario())


def test_an_empty_fleet(run: Run) -> None:
    result = sweep_with(run, FakeProber(), 0)
    assert result.observations == {}
    assert result.by_status == {}
    assert result.latency_ms == {"p50": None, "p95": None, "p99": None}


def test_percentiles_are_of_those_that_answered() -> None:
    observations = {key: Observation(Status.INTACT, float(key)) for key in range(1, 101)}
    observations[0] = Observation(Status.TIMEOUT)
    result = SweepResult(observations, 1.0, 1.0)
    assert result.latency_ms == {"p50": 50.0, "p95": 95.0, "p99": 99.0}
    single = SweepResult({1: Observation(Status.INTACT, 7.0)}, 1.0, 1.0)
    assert single.latency_ms == {"p50": 7.0, "p95": 7.0, "p99": 7.0}


@pytest.mark.parametrize("options", [(0,), (-1,), (3, -1), (3, 1, 0)])
def test_options_that_cannot_be(options: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="not a way to sweep"):
        SweepOptions(*options)


def test_the_registry_serves_every_method() -> None:
    with open_probers() as probers:
        assert set(probers) == set(ProbeMethod)


_DATE_REPLY = b"<Envelope><Body><GetSystemDateAndTimeResponse/></Body></Envelope>"


def test_a_bad_day(run: Run, listening: Any, closed_port: int) -> None:
    """Of 600 cameras 30 % accept and hang, 5 % refuse; every other one is right."""
    raise_file_limit(4096)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(_DATE_REPLY), _DATE_REPLY)

    async def scenario() -> SweepResult:
        async with listening([answer]) as well, listening("hang") as hanging:
            ports = [hanging.port] * 180 + [closed_port] * 30 + [well.port] * 390
            fleet = [
                Target(key, "127.0.0.1", port, ProbeMethod.ONVIF) for key, port in enumerate(ports)
            ]
            options = SweepOptions(timeout_s=1.0)
            return await sweep(fleet, {ProbeMethod.ONVIF: OnvifProber()}, options)

    result = run(scenario())
    assert result.by_status == {Status.INTACT: 390, Status.TIMEOUT: 180, Status.REFUSED: 30}
    assert all(result.observations[key].status is Status.INTACT for key in range(210, 600))
    assert result.wall_s < 20
