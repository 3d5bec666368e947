"""Deep inspection of the whole fleet beside running sweeps: how fast, how large, whom it disturbs.

`intact serve` sweeps the fleet each slot, as in earnest; `intact inspect --all` runs beside it.
"""

import json
import subprocess
import time
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

from bench.figures import Figure, Options, Section
from bench.installation import Installation, installed, scratch_folder, today
from bench.processes import cpu_seconds, memory_of, python_module
from bench.served import Served, intact_serve
from bench.simulated import simulated_fleet

NAME = "inspection"
HOW = (
    "`intact inspect --all` over {cameras:,} simulated cameras (clock, device information, "
    "capabilities, services, network interfaces, profiles, stream and snapshot address), while "
    "`intact serve` sweeps the same cameras each {interval} s; the simulator shares the cores."
)
INTERVAL_S = 10
MEMORY_BAR_MB = 400
TIME_BAR_MS = 50.0
"""A camera: twenty a second."""
LOOK_EVERY_S = 0.2
SWEEPS_BEFORE = 2
KEPT_SWEEPS = 1_000


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the command: what it cost, and what it learnt of each device."""

    wall_s: float
    cpu_s: float
    rss_mb: float
    devices: list[dict[str, Any]]


def measure(options: Options) -> Section:
    """One inspection of the fleet."""
    day = today()
    with (
        scratch_folder() as folder,
        simulated_fleet(options.cameras, folder, commissioned_on=day) as simulated,
        installed(folder, INTERVAL_S) as installation,
    ):
        installation.take_over(simulated.camera_registers(), day)
        with intact_serve(installation) as served:
            _await_sweeps(served, SWEEPS_BEFORE)
            first = len(_sweeps(served))
            run = _inspect(installation)
            _await_sweeps(served, len(_sweeps(served)) + 1)
            beside = _sweeps(served)[:-first]
    how = HOW.format(cameras=options.cameras, interval=INTERVAL_S)
    return Section(NAME, how, _figures(options, run, beside), notes=_notes(options, run, beside))


def _inspect(installation: Installation) -> Run:
    """Run the command to its end, looking at its memory meanwhile."""
    command = python_module("app.cli", "inspect", "--all", "--format", "json")
    out = installation.folder / "inspected.json"
    with out.open("wb") as target:
        return _watched(command, installation, target)


def _watched(command: list[str], installation: Installation, target: IO[bytes]) -> Run:
    started = time.monotonic()
    cpu_s = rss_mb = 0.0
    with subprocess.Popen(command, env=installation.environment, stdout=target) as process:
        while process.poll() is None:
            try:
                rss_mb = max(rss_mb, memory_of(process.pid).rss)
                cpu_s = cpu_seconds(process.pid)
            except (OSError, KeyError):  # it has just ended
                break
            time.sleep(LOOK_EVERY_S)
        code = process.wait()
    wall_s = time.monotonic() - started
    if code:
        raise RuntimeError(f"{command} ended with {code}")
    with open(target.name, "rb") as written:
        return Run(wall_s, cpu_s, rss_mb, json.load(written))


def _sweeps(served: Served) -> list[dict[str, Any]]:
    """The newest first."""
    path = f"/api/v1/sweeps?limit={KEPT_SWEEPS}"
    sweeps: list[dict[str, Any]] = served.client.get(path).document["sweeps"]
    return sweeps


def _await_sweeps(served: Served, count: int) -> None:
    while len(_sweeps(served)) < count:
        time.sleep(1)


def _late(sweep: dict[str, Any]) -> bool:
    took = datetime.fromisoformat(sweep["finished_at"]) - datetime.fromisoformat(sweep["tick"])
    return bool(took.total_seconds() >= sweep["interval_s"])


def _figures(options: Options, run: Run, beside: list[dict[str, Any]]) -> tuple[Figure, ...]:
    ticks = {datetime.fromisoformat(sweep["tick"]).timestamp() for sweep in beside}
    missed = round((max(ticks) - min(ticks)) / INTERVAL_S) + 1 - len(ticks)
    wrong = sum(options.cameras - sweep["by_status"].get("INTACT", 0) for sweep in beside)
    untold = sum(device["outcome"] != "INTACT" for device in run.devices)
    a_camera_ms = run.wall_s / options.cameras * 1000
    return (
        Figure("deep inspection, wall a camera", a_camera_ms, "ms", bar=TIME_BAR_MS),
        Figure("deep inspection, memory (RSS)", run.rss_mb, "MB", bar=MEMORY_BAR_MB),
        Figure("deep inspection, CPU a camera", run.cpu_s / options.cameras * 1000, "ms"),
        Figure(
            "cameras not wholly inspected", untold + options.cameras - len(run.devices), "", bar=0
        ),
        Figure("sweeps late or left out", missed + sum(map(_late, beside)), "", bar=0),
        Figure("observations wrong in these sweeps", wrong, "", bar=0),
    )


def _notes(options: Options, run: Run, beside: list[dict[str, Any]]) -> tuple[str, ...]:
    walls = [sweep["wall_s"] for sweep in beside]
    p99 = max(sweep["latency_ms"]["p99"] for sweep in beside)
    return (
        f"{options.cameras / run.wall_s:.0f} cameras a second: {run.wall_s:.0f} s of wall and "
        f"{run.cpu_s:.0f} s of CPU, one process.",
        f"{len(beside)} sweeps meanwhile, the slowest {max(walls):.1f} s long (rooms are spread "
        f"over half a slot), p99 latency at most {p99:.0f} ms.",
    )
