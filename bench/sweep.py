"""ONVIF sweep of the fleet: `intact sweep --once` against blackbox_exporter, the same POST.

Ours is the `cpu_s` and `wall_s` that the command tells: those of the sweep in a process that has
just begun. The peer's CPU is the exporter's process alone, its wall the time of all probes.
"""

import time
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from bench import blackbox
from bench.blackbox import Asked
from bench.figures import Figure, Options, Section, alternately, median
from bench.installation import Installation, installed, scratch_folder, today
from bench.simulated import Simulated, simulated_fleet
from collectors.probe import ProbeMethod

NAME = "sweep"
HOW = (
    "One ONVIF sweep (GetSystemDateAndTime) of {cameras:,} simulated cameras, each on a loopback "
    "address of its own: `intact sweep --once` against `prometheus-blackbox-exporter` sending the "
    "same POST to the same cameras."
)
CPU_BAR, WALL_BAR = 0.5, 1.0
SETTLE_S = 0.5
"""Between two runs: what the simulator and the kernel still have to close."""


def measure(options: Options) -> Section:
    """Both in turn, `options.repetitions` times."""
    how = HOW.format(cameras=options.cameras)
    if blackbox.why_absent():
        return Section(NAME, how, skipped=blackbox.why_absent())
    with scratch_folder() as folder:
        day = today()
        with simulated_fleet(options.cameras, folder, commissioned_on=day) as simulated:
            return _compare(options, simulated, folder, day, how)


def _compare(options: Options, simulated: Simulated, folder: Path, day: date, how: str) -> Section:
    targets = simulated.targets(ProbeMethod.ONVIF)
    with installed(folder) as installation, blackbox.exporter(folder) as exporter:
        installation.take_over(simulated.camera_registers(), day)
        ours, peer = alternately(
            partial(_sweep, installation),
            partial(_ask, exporter, targets),
            options.repetitions,
        )
    return Section(NAME, how, _figures(ours, peer), notes=_notes(options, ours, peer))


def _sweep(installation: Installation) -> dict[str, Any]:
    time.sleep(SETTLE_S)
    return installation.sweep_once()


def _ask(exporter: blackbox.Exporter, targets: Any) -> Asked:
    time.sleep(SETTLE_S)
    return exporter.ask(targets)


def _figures(ours: list[dict[str, Any]], peer: list[Asked]) -> tuple[Figure, ...]:
    return (
        Figure(
            "ONVIF sweep, CPU",
            median([each["cpu_s"] for each in ours]),
            "s",
            median([each.cpu_s for each in peer]),
            CPU_BAR,
        ),
        Figure(
            "ONVIF sweep, wall",
            median([each["wall_s"] for each in ours]),
            "s",
            median([each.wall_s for each in peer]),
            WALL_BAR,
        ),
    )


def _notes(options: Options, ours: list[dict[str, Any]], peer: list[Asked]) -> tuple[str, ...]:
    intact = min(each["by_status"].get("INTACT", 0) for each in ours)
    good = min(each.succeeded for each in peer)
    driver_s = median([each.driver_cpu_s for each in peer])
    p99 = median([each["latency_ms"]["p99"] for each in ours])
    return (
        f"Answered rightly in the worst run: {intact:,} of {options.cameras:,} for us, "
        f"{good:,} for the exporter ({blackbox.version()}, {blackbox.CONNECTIONS} probes at a "
        f"time over kept connections). Our p99 latency: {p99:.0f} ms.",
        f"The exporter must be asked for each camera; the driver's own {driver_s:.2f} s of CPU are "
        "not counted as its CPU, but share the machine's cores with it and so weigh on its wall.",
    )
