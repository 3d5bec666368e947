"""Invents the past of a simulated fleet: days of samples as a collector would have stored them.

It goes through the same store as real evidence; its days are marked as demo data by their origin.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from app.config import Settings
from app.database import Database
from app.evidence.archive.archiving import file_day
from app.evidence.archive.day_files import DayGrid
from app.evidence.covers import covers_of
from app.evidence.queries import insert_all
from app.evidence.recording import count_by_cohort
from app.evidence.sample_queries import SampleRow
from app.evidence.store import claim_day, store_samples
from app.evidence.tables import DayOrigin, Sweep, SweepCount
from app.fleet.roster import roster
from app.tabular import ReportProgress
from kpi.calendar import Slots, day_bounds, floor_to_slot
from kpi.ledger import classify
from kpi.policy import DEFAULT_POLICY
from kpi.status import Status

SEED = 2023
SLOTS_A_BATCH = 30
HOT_DAYS = 2
"""Today and yesterday are in the database, as if swept."""
OUTAGES_A_DAY = 0.05
"""Of each device; with `MEAN_OUTAGE_S` about half a per cent of the time is lost."""
MEAN_OUTAGE_S = 2.4 * 3600
DIP_S = 50 * 60
DIP_SHARE = 0.03
FAULTS = (Status.TIMEOUT, Status.REFUSED, Status.SERVICE_FAULT, Status.AUTH_FAILED)
FAULT_WEIGHTS = (0.55, 0.2, 0.15, 0.1)


@dataclass(frozen=True, slots=True)
class InventedDay:
    """Status codes and latencies in ms (−1: no answer), shape (devices, slots)."""

    slots: Slots
    statuses: npt.NDArray[np.uint8]
    latencies: npt.NDArray[np.int16]


def write_history(
    database: Database,
    settings: Settings,
    device_ids: Sequence[int],
    days: Sequence[date],
    now: int,
    report: ReportProgress,
    *,
    hot_days: int = HOT_DAYS,
) -> None:
    """Store invented samples of the devices for `days`, up to the slot before `now`; the last
    `hot_days` of them in the database, the older ones archived.

    The last of the days gets its sweeps too. The devices are those in service on all of them.
    """
    random = np.random.default_rng(SEED)
    last_tick = floor_to_slot(now, settings.poll_interval)
    for number, day in enumerate(days):
        start, end = day_bounds(day, settings.zone)
        slots = Slots.between(start, min(end, last_tick), settings.poll_interval)
        invented = invent_day(random, len(device_ids), slots)
        if number < len(days) - hot_days:
            _file(database, settings, device_ids, day, invented, now)
            report("history (slots)", (number + 1) * slots.count, len(days) * slots.count)
            continue
        for rows in _batches(device_ids, invented):
            with database.write() as session:
                claim_day(session, day, settings.timezone, settings.poll_interval, DayOrigin.DEMO)
                store_samples(session, settings.zone, rows)
            done = number * slots.count + (rows[-1][0] - start) // slots.interval_s + 1
            report("history (slots)", done, len(days) * slots.count)
    _write_sweeps(database, settings, device_ids, day, invented)


def _file(
    database: Database,
    settings: Settings,
    device_ids: Sequence[int],
    day: date,
    invented: InventedDay,
    now: int,
) -> None:
    """A day that is over goes straight into the archive."""
    with database.write() as session:
        claim_day(session, day, settings.timezone, settings.poll_interval, DayOrigin.DEMO)
    order = np.argsort(np.array(device_ids, dtype=np.int64))
    grid = DayGrid(
        np.array(device_ids, dtype=np.int64)[order],
        invented.slots,
        invented.statuses[order],
        invented.latencies[order],
    )
    file_day(database, settings, day, grid, now)


def _write_sweeps(
    database: Database,
    settings: Settings,
    device_ids: Sequence[int],
    day: date,
    invented: InventedDay,
) -> None:
    """Store what sweeps of the present day would have counted: pages read that, not the samples."""
    slots = invented.slots
    with database.write() as session:
        members = roster(session, day)
        covers = covers_of(session, settings.zone, device_ids, slots.start, slots.end)
        classes = classify(invented.statuses, slots, DEFAULT_POLICY.class_table(), *covers)
        cohort_ids = [members[device_id] for device_id in device_ids]
        ticks = range(slots.start, slots.end, slots.interval_s)
        insert_all(session, Sweep, [_sweep(tick, slots, len(device_ids)) for tick in ticks])
        no_video_checks = np.zeros(len(device_ids), dtype=np.bool_)
        for column, tick in enumerate(ticks):
            rows = count_by_cohort(tick, cohort_ids, classes[:, column], no_video_checks)
            insert_all(session, SweepCount, rows)


def _sweep(tick: int, slots: Slots, devices: int) -> dict[str, Any]:
    """A sweep that nobody made: it took no time and says nothing of latencies."""
    return {
        "tick": tick,
        "interval_s": slots.interval_s,
        "finished_at": tick + slots.interval_s // 2,
        "devices": devices,
        "stored": devices,
        "by_status": {},
        "latency_ms": {},
        "wall_s": 0.0,
        "cpu_s": 0.0,
    }


def invent_day(random: np.random.Generator, devices: int, slots: Slots) -> InventedDay:
    """Scattered outages of some hours, and one dip of a part of the fleet."""
    shape = (devices, slots.count)
    statuses = np.full(shape, Status.INTACT, dtype=np.uint8)
    day_share = slots.count * slots.interval_s / 86_400
    for device, start, length in _outages(random, devices, slots, OUTAGES_A_DAY * day_share):
        statuses[device, start : start + length] = random.choice(FAULTS, p=FAULT_WEIGHTS)
    if slots.count:
        dipped = random.random(devices) < DIP_SHARE
        begin = int(random.integers(slots.count))
        statuses[dipped, begin : begin + DIP_S // slots.interval_s] = Status.TIMEOUT
    usual = random.lognormal(2.3, 0.4, (devices, 1))
    latencies = np.clip(usual + random.normal(0, 2, shape), 1, 2_500).astype(np.int16)
    latencies[statuses >= Status.TIMEOUT] = -1
    return InventedDay(slots, statuses, latencies)


def _outages(
    random: np.random.Generator, devices: int, slots: Slots, each: float
) -> Iterator[tuple[int, int, int]]:
    """(device, first slot, slots) of every scattered outage."""
    count = random.poisson(each * devices) if slots.count else 0
    lengths = random.exponential(MEAN_OUTAGE_S / slots.interval_s, count).astype(int) + 1
    hit = random.integers(devices, size=count)
    starts = random.integers(-int(MEAN_OUTAGE_S) // slots.interval_s, slots.count, count)
    for device, start, length in zip(hit, starts, lengths, strict=True):
        yield int(device), max(0, int(start)), int(length + min(0, start))


def _batches(device_ids: Sequence[int], day: InventedDay) -> Iterator[list[SampleRow]]:
    for first in range(0, day.slots.count, SLOTS_A_BATCH):
        rows: list[SampleRow] = []
        for slot in range(first, min(first + SLOTS_A_BATCH, day.slots.count)):
            tick = day.slots.start + slot * day.slots.interval_s
            latencies = [None if each < 0 else each for each in day.latencies[:, slot].tolist()]
            codes = day.statuses[:, slot].tolist()
            rows += zip(repeat(tick), device_ids, codes, latencies, strict=False)
        yield rows
