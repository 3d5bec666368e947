"""Records finished sweeps: their samples, their counts by cohort, what changed of each device."""

import gc
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from app.config import Settings
from app.database import Database
from app.evidence import queries
from app.evidence.clock_history import note_offsets
from app.evidence.covers import covers_of
from app.evidence.host_log import note_host
from app.evidence.judging import HostReport
from app.evidence.queries import AMOUNTS, STORED_AMOUNTS, StateRow
from app.evidence.sample_queries import SampleRow
from app.evidence.store import Stored, claim_day, store_samples
from app.evidence.tables import DayOrigin, Sweep
from app.evidence.video_queries import VideoRow
from app.evidence.video_results import VideoResults
from collectors.probe import Observation
from collectors.sweep import SweepResult
from kpi.calendar import Slots, local_day
from kpi.ledger import classify
from kpi.policy import DEFAULT_POLICY
from kpi.status import SlotClass, Status, worse

LONGEST_LATENCY_MS = 32_767
UNMEASURED = int(Status.UNKNOWN)
LONGEST_DETAIL = 256
STEADY_S = 1.5
"""A camera tells whole seconds, and we keep them: an offset that differs by less is the same."""


@dataclass(frozen=True, slots=True)
class FinishedSweep:
    """What a sweep brought: `tick` is the start of its slot, `finished_at` UTC seconds.

    `members` are the devices in service at the tick, each with its cohort; None where only a part
    of the fleet was asked, which leaves samples and states but no counts. `host` is what the sweep
    tells of ourselves. `good_video` are the devices whose last video check was good and holds at
    the tick; the recorder looks them up.
    """

    tick: int
    interval_s: int
    finished_at: int
    result: SweepResult
    members: Mapping[int, int] | None
    host: HostReport = field(default_factory=HostReport)
    good_video: Set[int] = frozenset()


class Recorder:
    """Records one sweep after the other, each in one transaction.

    It remembers the states it wrote, so that most sweeps write only a few; where another recorder
    was at work meanwhile (see `app.evidence.leadership`) they are read again.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._known: dict[int, StateRow] | None = None
        self._newest: int | None = None
        self._claimed: date | None = None
        self._video = VideoResults()

    def record(self, sweep: FinishedSweep) -> Stored:
        """Store a sweep; a slot that already has its sweep keeps that one.

        What the video checks say is combined with the minute's results first: the worse one wins.
        One that comes after a newer one says nothing of how the devices are now.
        """
        day = local_day(sweep.tick, self._settings.zone)
        known, self._known = self._known, None  # what fails in between is read again
        claimed, self._claimed = self._claimed, None
        with _without_collection(), self._database.write() as session:
            newest = queries.begin_recording(session)
            if day != claimed:
                zone = self._settings.timezone
                claim_day(session, day, zone, sweep.interval_s, DayOrigin.COLLECTOR)
            if known is None or newest != self._newest:
                known = queries.device_states(session)
            sweep = _with_video(sweep, self._video.at(session, sweep.tick))
            rows = _sample_rows(sweep)
            stored = store_samples(session, self._settings.zone, rows)
            taken = _take_slot(session, self._settings.zone, sweep, stored)
            is_late = newest is not None and sweep.tick < newest
            changed = _changes(known, sweep) if taken and not is_late else []
            queries.put_states(session, changed)
            note_offsets(session, sweep.tick, known, changed)
            note_host(session, sweep.host, sweep.finished_at)
        self._claimed = day
        self._known = known | {state.device_id: state for state in changed}
        self._newest = max(sweep.tick, newest or 0)
        return stored


@contextmanager
def _without_collection() -> Iterator[None]:
    """Let the garbage collector rest: the thousands of rows of a sweep, which make no circles,
    would wake it to look through the whole process, for as long as storing them takes."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _with_video(sweep: FinishedSweep, video: Mapping[int, VideoRow]) -> FinishedSweep:
    """The sweep with the video results that hold at its tick."""
    if not video:
        return sweep
    good = {device_id for device_id, row in video.items() if row.status == Status.INTACT}
    observations = dict(sweep.result.observations)
    for device_id in video.keys() - good:
        seen, row = observations.get(device_id), video[device_id]
        if seen is None:
            continue
        status = worse(seen.status, Status(row.status), DEFAULT_POLICY.classes)
        if status is not seen.status:
            observations[device_id] = replace(seen, status=status, detail=row.detail)
    result = replace(sweep.result, observations=observations)
    return replace(sweep, result=result, good_video=good)


def _sample_rows(sweep: FinishedSweep) -> list[SampleRow]:
    """Samples of what was measured, in whole milliseconds; UNKNOWN is never stored.

    In the order of their keys, as an import writes its own: of two that write the same keys, one
    then waits for the other, and never both. Written out in one expression: it is made for every
    device of every sweep.
    """
    tick, unknown, longest = sweep.tick, Status.UNKNOWN, LONGEST_LATENCY_MS
    rows = [
        (
            tick,
            device_id,
            int(seen.status),
            None if (ms := seen.latency_ms) is None else int(ms + 0.5) if ms < longest else longest,
        )
        for device_id, seen in sweep.result.observations.items()
        if seen.status is not unknown
    ]
    rows.sort(key=itemgetter(1))
    return rows


def _take_slot(session: Session, zone: ZoneInfo, sweep: FinishedSweep, stored: Stored) -> bool:
    """Store the sweep and its counts; False where the slot has its sweep already."""
    if sweep.members is None:
        return True
    if not queries.insert_new(session, Sweep, _sweep_row(sweep, stored)):
        return False
    queries.insert_sweep_counts(session, _counts(session, zone, sweep, sweep.members))
    return True


def _sweep_row(sweep: FinishedSweep, stored: Stored) -> dict[str, Any]:
    result = sweep.result
    return {
        "tick": sweep.tick,
        "interval_s": sweep.interval_s,
        "finished_at": sweep.finished_at,
        "devices": len(result.observations),
        "stored": stored.inserted,
        "by_status": {status.name: count for status, count in result.by_status.items()},
        "latency_ms": result.latency_ms,
        "wall_s": result.wall_s,
        "cpu_s": result.cpu_s,
    }


def _counts(
    session: Session, zone: ZoneInfo, sweep: FinishedSweep, members: Mapping[int, int]
) -> list[dict[str, int]]:
    """Devices of each cohort by class; a device in service that was not asked is unknown."""
    seen, count = sweep.result.observations, len(members)
    codes = (seen[member].status if member in seen else UNMEASURED for member in members)
    slot = Slots(sweep.tick, sweep.interval_s, 1)
    covers = covers_of(session, zone, list(members), slot.start, slot.end)
    statuses = np.fromiter(codes, np.uint8, count).reshape(-1, 1)
    classes = classify(statuses, slot, DEFAULT_POLICY.class_table(), *covers)[:, 0]
    good_video = np.fromiter(map(sweep.good_video.__contains__, members), np.bool_, count)
    cohort_ids = np.fromiter(members.values(), np.int64, count)
    return count_by_cohort(sweep.tick, cohort_ids, classes, good_video)


def count_by_cohort(
    tick: int,
    cohort_ids: Sequence[int] | npt.NDArray[np.int64],
    classes: npt.NDArray[np.uint8],
    good_video: npt.NDArray[np.bool_],
) -> list[dict[str, int]]:
    """Rows of `SweepCount` of one slot; all is given device by device.

    `good_video` tells whose good video check holds.
    """
    cohorts, cohort_of = np.unique(cohort_ids, return_inverse=True)
    cells = np.bincount(
        cohort_of * len(AMOUNTS) + classes, minlength=len(cohorts) * len(AMOUNTS)
    ).reshape(-1, len(AMOUNTS))
    intact_by_video = cohort_of[good_video & (classes == SlotClass.INTACT)]
    by_video = np.bincount(intact_by_video, minlength=len(cohorts))
    cells = np.column_stack([cells, by_video])
    return [
        {"tick": tick, "cohort_id": cohort, **dict(zip(STORED_AMOUNTS, amounts, strict=True))}
        for cohort, amounts in zip(cohorts.tolist(), cells.tolist(), strict=True)
    ]


def _changes(known: Mapping[int, StateRow], sweep: FinishedSweep) -> list[StateRow]:
    """The states that differ from what is known."""
    changed = []
    for device_id, seen in sweep.result.observations.items():
        before = known.get(device_id)
        if before is None or not _is_still(before, seen):
            changed.append(_state(device_id, before, seen, sweep.tick))
    return changed


def _state(device_id: int, before: StateRow | None, seen: Observation, tick: int) -> StateRow:
    """What is now known of a device; its status is as old as it was where it is the same."""
    since, previous = tick, None if before is None else before.status
    if before is not None and before.status == seen.status:
        since, previous = before.since, before.previous
    offset = None if seen.clock_offset_s is None else round(seen.clock_offset_s)
    detail = seen.detail[:LONGEST_DETAIL]
    return StateRow(device_id, int(seen.status), since, offset, detail, previous)


def _is_still(before: StateRow, seen: Observation) -> bool:
    """Whether a device is as it was."""
    if before.status != seen.status or before.detail != seen.detail[:LONGEST_DETAIL]:
        return False
    if before.clock_offset_s is None or seen.clock_offset_s is None:
        return before.clock_offset_s is seen.clock_offset_s
    return abs(before.clock_offset_s - seen.clock_offset_s) < STEADY_S
