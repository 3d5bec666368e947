"""Whole days of realistic evidence as the archive holds them, for what reads or weighs files.

Seeded: each camera has its own latency, with a jitter of 10 ms; 2 % of the samples are faults,
which come in runs, as outages do.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from app.evidence.archive.day_files import NO_LATENCY, DayGrid, write_file
from app.evidence.archive.queries import day_path
from kpi.calendar import Slots, day_bounds
from kpi.status import Status

SEED = 11
SLOT_S = 60
JITTER_MS = 10.0
FAULTS = 0.02
FAULT_SLOTS = 30
"""How long a fault lasts, on average."""
KINDS = (Status.TIMEOUT, Status.UNREACHABLE, Status.REFUSED, Status.NO_VIDEO)
ZONE = ZoneInfo("Asia/Shanghai")


def day_of_evidence(cameras: int, day: date) -> DayGrid:
    """A day of every camera, device ids from 1 on."""
    start, end = day_bounds(day, ZONE)
    slots = Slots.between(start, end, SLOT_S)
    dice = np.random.default_rng([SEED, day.toordinal()])
    grid = DayGrid.empty(np.arange(1, cameras + 1, dtype=np.int64), slots)
    usual = np.random.default_rng(SEED).uniform(8.0, 60.0, (cameras, 1))
    latency = usual + dice.normal(0.0, JITTER_MS, grid.statuses.shape)
    grid.statuses[:] = int(Status.INTACT)
    grid.latencies[:] = np.clip(latency.round(), 1, 3_000).astype(np.int16)
    for camera, first, length, kind in _faults(dice, cameras, slots.count):
        grid.statuses[camera, first : first + length] = kind
        grid.latencies[camera, first : first + length] = NO_LATENCY
    return grid


def _faults(dice: np.random.Generator, cameras: int, slots: int) -> list[tuple[int, int, int, int]]:
    """(camera, first slot, slots, status) until so large a share fails."""
    count = round(FAULTS * cameras * slots / FAULT_SLOTS)
    columns: Sequence[np.ndarray] = (
        dice.integers(0, cameras, count),
        dice.integers(0, slots, count),
        dice.geometric(1 / FAULT_SLOTS, count),
        dice.choice([int(kind) for kind in KINDS], count),
    )
    return list(zip(*(column.tolist() for column in columns), strict=True))


def write_days(folder: Path, cameras: int, first: date, count: int) -> list[tuple[date, Path]]:
    """The files of so many days in a row."""
    written = []
    for number in range(count):
        day = first + timedelta(days=number)
        path = day_path(folder, day)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, day_of_evidence(cameras, day))
        written.append((day, path))
    return written
