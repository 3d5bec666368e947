"""Our outage is not the cameras': a real process that is stopped, starved, cut off."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from collectors.canary import canary
from collectors.icmp import can_ping
from collectors.outage import LapseKind
from collectors.pauses import PauseWatch
from collectors.probe import Observation, ProbeMethod, Target
from collectors.registry import open_probers
from collectors.sweep import SweepOptions, SweepResult, sweep
from kpi.status import Status

Run = Callable[[Any], Any]
BODY = b"<Envelope><Body><GetSystemDateAndTimeResponse/></Body></Envelope>"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
PAUSE_S = 3.0
TIMEOUT_S = 1.0


def start(**specification: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.collectors.one_sweep", json.dumps(specification)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


async def finished(process: subprocess.Popen[str]) -> dict[str, Any]:
    output, _ = await asyncio.to_thread(process.communicate, timeout=60)
    document: dict[str, Any] = json.loads(output)
    return document


def eventually(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("scripts", "ends_in_s", "status", "connections"),
    [
        (["hang", [ANSWER]], None, "INTACT", 2),  # asked again, though no retry was due
        (["hang"], None, "TIMEOUT", 2),  # the attempt after the pause had its full time
        (["hang"], 2.0, "UNKNOWN", 1),  # the sweep ended meanwhile
    ],
)
def test_a_stopped_process_takes_no_silence_for_an_outage(
    run: Run, listening: Any, scripts: Any, ends_in_s: float, status: str, connections: int
) -> None:
    async def scenario() -> None:
        async with listening(*scripts) as camera:
            process = start(
                targets=[["127.0.0.1", camera.port, "onvif"]],
                options={"timeout_s": TIMEOUT_S, "retries": 0},
                ends_in_s=ends_in_s,
            )
            await asyncio.to_thread(eventually, lambda: camera.requests)
            process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(PAUSE_S)
            process.send_signal(signal.SIGCONT)
            document = await finished(process)
        assert [each["status"] for each in document["seen"]] == [status]
        assert camera.connections == connections
        ((kind, began, ended),) = document["lapses"]
        assert kind == LapseKind.PAUSED
        assert PAUSE_S - 0.5 < ended - began < PAUSE_S + 10  # the machine may be busy besides

    run(scenario())


def test_a_loop_that_is_starved_in_slices(run: Run) -> None:
    """No single pause is long, but the loop hardly ran."""

    async def starved(_target: Target, deadline: float) -> Observation:
        while asyncio.get_running_loop().time() < deadline:
            time.sleep(0.12)  # noqa: ASYNC251 - it blocks the loop on purpose; 0.17 s is the limit
            await asyncio.sleep(0)
        return Observation(Status.TIMEOUT)

    result = run(
        sweep(
            [Target(1, "127.0.0.1", 1, ProbeMethod.TCP)],
            {ProbeMethod.TCP: starved},
            SweepOptions(timeout_s=0.5),
        )
    )
    assert result.by_status == {Status.UNKNOWN: 1}
    assert "paused" in result.observations[1].detail


@pytest.mark.parametrize(
    ("gaps", "since", "spoilt", "pauses"),
    [
        ([0.1] * 30, 0.0, False, 0),
        ([5.0], 0.0, True, 1),
        ([5.0], 5.0, False, 1),
        ([0.9], 0.0, False, 0),
        ([0.4, 0.1, 0.4, 0.1, 0.4], 0.0, True, 0),
        ([0.4, 0.1, 0.4, 0.1, 0.4], 0.5, False, 0),
    ],
)
def test_what_counts_as_a_pause(gaps: list[float], since: float, spoilt: bool, pauses: int) -> None:
    """A limit of one second; the clock is the test's."""
    clock = 0.0
    watch = PauseWatch(1.0, lambda: clock)
    for gap in gaps:
        clock += gap
        watch.now()
    assert watch.spoilt(since) is spoilt
    assert len(watch.pauses) == pauses


@pytest.mark.parametrize("free_files", [0, 1, 8])
def test_without_files_nothing_is_offline(run: Run, listening: Any, free_files: int) -> None:
    """TCP, ONVIF, names to be resolved, ping: what cannot be opened is our lack, all over."""

    async def scenario() -> None:
        async with listening([ANSWER]) as camera:
            asked = [["127.0.0.1", camera.port, method] for method in ("onvif", "tcp")] * 40
            asked += [["localhost", camera.port, "onvif"], ["localhost", 0, "ping"]] * 5
            asked += [["127.0.0.1", 0, "ping"]] * 5
            document = await finished(start(targets=asked, free_files=free_files))
        told = [each["status"] for each in document["seen"]]
        assert set(told) <= {"INTACT", "UNKNOWN"}
        assert told.count("UNKNOWN") >= 40
        assert all("defect" not in each["detail"] for each in document["seen"])

    run(scenario())


async def sweep_beside(canaries: list[str], port: int, **more: Any) -> SweepResult:
    options = SweepOptions(timeout_s=0.3, canaries=tuple(map(canary, canaries)))
    targets = [
        Target(key, "127.0.0.1", port, ProbeMethod.TCP, group)
        for key, group in enumerate(["early", "late"])
    ]
    with open_probers() as probers:
        return await sweep(targets, probers, options, **more)


@pytest.mark.parametrize(
    ("canaries", "status"),
    [
        ([], Status.INTACT),
        (["127.0.0.1:{open}"], Status.INTACT),
        (["127.0.0.1:{closed}"], Status.UNKNOWN),
        (["127.0.0.1:{closed}", "127.0.0.1:{open}"], Status.INTACT),
        (["127.0.0.1:{closed}", "127.0.0.2:{closed}"], Status.UNKNOWN),
        (["127.0.0.1"], Status.INTACT),
        (["[::1]:{closed}"], Status.UNKNOWN),
    ],
)
def test_one_canary_that_answers_is_enough(
    run: Run, listening: Any, closed_port: int, canaries: list[str], status: Status
) -> None:
    if "127.0.0.1" in canaries and not can_ping():
        pytest.skip("ping is not permitted here")

    async def scenario() -> None:
        async with listening("open") as camera:
            named = [each.format(open=camera.port, closed=closed_port) for each in canaries]
            result = await sweep_beside(named, camera.port)
        assert result.by_status == {status: 2}
        cut_off = [each for each in result.lapses if each.kind is LapseKind.CUT_OFF]
        assert len(cut_off) == (status is Status.UNKNOWN)
        assert all("canary" in each.detail for each in result.observations.values() if cut_off)

    run(scenario())


def test_an_outage_in_the_middle_of_a_sweep(run: Run) -> None:
    """Ours from 0.6 s to 1.4 s: canaries and cameras are silent alike, else all is well.

    Only what was asked in between is unknown, and the canary that fell silent was heard again.
    """

    began = 0.0

    async def network(_target: Target, deadline: float) -> Observation:
        loop = asyncio.get_running_loop()
        if began + 0.6 <= loop.time() < began + 1.4:
            await asyncio.sleep(deadline - loop.time())
            return Observation(Status.TIMEOUT)
        return Observation(Status.INTACT, 1.0)

    groups = {"before": 0.0, "within": 0.9, "after": 2.4}
    fleet = [
        Target(key, "127.0.0.1", 1, ProbeMethod.TCP, group) for key, group in enumerate(groups)
    ]
    options = SweepOptions(timeout_s=0.2, retries=0, canaries=(canary("127.0.0.9:1"),))

    async def scenario() -> SweepResult:
        nonlocal began
        began = asyncio.get_running_loop().time()
        return await sweep(fleet, {ProbeMethod.TCP: network}, options, phase=groups)

    result = run(scenario())
    told = {target.group: result.observations[target.key].status for target in fleet}
    assert told == {"before": Status.INTACT, "within": Status.UNKNOWN, "after": Status.INTACT}
    assert LapseKind.CUT_OFF in [each.kind for each in result.lapses]


def test_a_canary_that_is_never_heard_in_time(run: Run) -> None:
    """The sweep's end cuts the last round short: no answer is none, and the end is kept."""

    async def silent(_target: Target, deadline: float) -> Observation:
        await asyncio.sleep(deadline - asyncio.get_running_loop().time())
        return Observation(Status.TIMEOUT)

    options = SweepOptions(timeout_s=0.2, canaries=(canary("127.0.0.9:1"),))
    fleet = [Target(1, "127.0.0.1", 1, ProbeMethod.TCP)]
    result = run(sweep(fleet, {ProbeMethod.TCP: silent}, options, ends_in_s=0.5))
    assert result.by_status == {Status.UNKNOWN: 1}
    assert "canary" in result.observations[1].detail
    assert result.wall_s < 5
