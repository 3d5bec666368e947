"""A simulated fleet in processes of its own, for the length of a benchmark."""

import csv
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from math import ceil
from pathlib import Path

from bench.processes import await_ready, child, python_module
from collectors.probe import ProbeMethod, Target
from collectors.simulator.fleet import SimulatedFleet, build_fleet
from collectors.simulator.running import free_port

MOST_A_PROCESS = 17_000
"""Addresses that one process can hold under a limit of 20,000 open files."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """A fleet that answers: its layout, and the registers that its processes wrote."""

    fleet: SimulatedFleet
    registers: tuple[Path, ...]

    def targets(self, method: ProbeMethod) -> list[Target]:
        """Its cameras as targets of one method, in the order of the layout."""
        return [
            Target(key, camera.address, self.fleet.port, method)
            for key, camera in enumerate(self.fleet.cameras)
        ]

    def camera_registers(self) -> list[Path]:
        """The registers with the cameras alone, beside the whole ones."""
        return [_only_cameras(register) for register in self.registers]


@contextmanager
def simulated_fleet(
    cameras: int,
    folder: Path,
    *,
    commissioned_on: date,
    preset: str = "healthy",
    faults: str = "",
) -> Iterator[Simulated]:
    """Run `intact simulate`, in several processes where one cannot hold the addresses.

    `faults` is a scenario in TOML, in place of the `preset`. One `folder` takes one fleet.
    """
    fleet = build_fleet(cameras, port=free_port())
    slices = ceil(len(fleet.devices) / MOST_A_PROCESS)
    registers = tuple(folder / f"register-{index}.csv" for index in range(slices))
    scenario = folder / "scenario.toml"
    scenario.write_text(faults, encoding="utf-8")
    with ExitStack() as stack:
        for index, register in enumerate(registers):
            command = [
                *python_module("app.cli", "simulate"),
                *(("--scenario", str(scenario)) if faults else ("--preset", preset)),
                *("--cameras", str(cameras), "--port", str(fleet.port)),
                *("--slice-index", str(index), "--slices", str(slices)),
                *("--commissioned-on", commissioned_on.isoformat()),
                *("--write-register", str(register)),
            ]
            log = folder / f"simulator-{index}.log"
            process = stack.enter_context(child(command, dict(os.environ), log))
            await_ready(process, register.exists)
        yield Simulated(fleet, registers)


def _only_cameras(register: Path) -> Path:
    chosen = register.with_suffix(".cameras.csv")
    with register.open(encoding="utf-8-sig", newline="") as source:
        rows = csv.DictReader(source)
        with chosen.open("w", encoding="utf-8", newline="") as target:
            writer = csv.DictWriter(target, rows.fieldnames or ())
            writer.writeheader()
            writer.writerows(row for row in rows if row["kind"] == "camera")
    return chosen
