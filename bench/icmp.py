"""ICMP sweep of the fleet's addresses against `fping -i 0.1 -r 0`."""

import shutil
import subprocess
import time
from functools import partial
from pathlib import Path

import uvloop

from bench.figures import Figure, Options, Section, alternately, median
from bench.installation import scratch_folder
from collectors.icmp import can_ping
from collectors.probe import ProbeMethod, Target
from collectors.registry import open_probers
from collectors.simulator.fleet import build_fleet
from collectors.sweep import SweepResult, sweep
from kpi.status import Status

NAME = "icmp"
HOW = (
    "One ping to each of {cameras:,} loopback addresses: a sweep by our ICMP prober against "
    "`fping -i 0.1 -r 0` over the same addresses. Ours is the wall of the sweep, socket included; "
    "fping's is its process from start to end."
)
COMMAND = ("fping", "-i", "0.1", "-r", "0")
WALL_BAR = 1.0


def measure(options: Options) -> Section:
    """Both in turn. Nothing need run: the kernel answers for every loopback address."""
    how = HOW.format(cameras=options.cameras)
    why = _why_not()
    if why:
        return Section(NAME, how, skipped=why)
    cameras = build_fleet(options.cameras).cameras
    targets = [
        Target(key, camera.address, 0, ProbeMethod.PING) for key, camera in enumerate(cameras)
    ]
    with scratch_folder() as folder:
        addresses = folder / "addresses"
        addresses.write_text("".join(f"{target.address}\n" for target in targets))
        ours, peer = alternately(
            partial(_sweep, targets), partial(_fping, addresses), options.repetitions
        )
    walls = median([each.wall_s for each in ours]), median([wall_s for wall_s, _ in peer])
    figure = Figure("ICMP sweep, wall", walls[0], "s", walls[1], WALL_BAR)
    return Section(NAME, how, (figure,), notes=_notes(ours, [alive for _, alive in peer]))


def _why_not() -> str:
    if shutil.which(COMMAND[0]) is None:
        return "fping is not installed (Debian: apt-get install fping)"
    return "" if can_ping() else "this process has no right to ping"


def _sweep(targets: list[Target]) -> SweepResult:
    async def once() -> SweepResult:
        with open_probers() as probers:
            return await sweep(targets, probers)

    return uvloop.run(once())


def _fping(addresses: Path) -> tuple[float, int]:
    """(wall in s, addresses that answered)"""
    started = time.perf_counter()
    with addresses.open() as names:
        done = subprocess.run(COMMAND, stdin=names, capture_output=True, check=False)
    return time.perf_counter() - started, done.stdout.count(b"is alive")


def _notes(ours: list[SweepResult], alive: list[int]) -> tuple[str, ...]:
    answered = min(each.by_status.get(Status.INTACT, 0) for each in ours)
    cpu_s = median([each.cpu_s for each in ours])
    return (
        f"Answered in the worst run: {answered:,} for us, {min(alive):,} for fping. Ours took "
        f"{cpu_s:.2f} s of CPU. fping waits 0.1 ms between two packets, as it is told to "
        f"({len(ours[0].observations) / 10_000:.2f} s in all, were its timer exact); we send as "
        "fast as the replies can be read.",
    )
