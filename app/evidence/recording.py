"""Records a finished sweep: its samples, its counts by cohort, what changed of each device."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from app.config import Settings
from app.database import Database
from app.evidence import queries
from app.evidence.queries import StateRow
from app.evidence.store import Stored, claim_day, store_samples
from app.evidence.tables import DayOrigin, Sweep, SweepCount
from app.fleet.roster import roster
from collectors.probe import Observation
from collectors.sweep import SweepResult
from kpi.calendar import Slots, local_day
from kpi.ledger import classify
from kpi.policy import DEFAULT_POLICY
from kpi.rates import Amounts
from kpi.status import SlotClass, Status

LONGEST_LATENCY_MS = 32_767


@dataclass(frozen=True, slots=True)
class FinishedSweep:
    """What a sweep brought: `tick` is the start of its slot, `finished_at` UTC seconds.

    One that is not `of_fleet` leaves samples and states, but no counts.
    """

    tick: int
    interval_s: int
    finished_at: int
    result: SweepResult
    of_fleet: bool = True


def record_sweep(database: Database, settings: Settings, sweep: FinishedSweep) -> Stored:
    """Store a sweep in one transaction; a slot that already has its sweep keeps that one."""
    day = local_day(sweep.tick, settings.zone)
    observations = sweep.result.observations
    rows = [_sample(sweep.tick, device, seen) for device, seen in observations.items()]
    with database.write() as session:
        claim_day(session, day, settings.timezone, sweep.interval_s, DayOrigin.COLLECTOR)
        stored = store_samples(
            session, settings.zone, [row for row in rows if row[2] != Status.UNKNOWN]
        )
        if not sweep.of_fleet:
            _record_changes(session, sweep.tick, observations)
        elif queries.insert_new(session, Sweep, _sweep_row(sweep, stored)):
            queries.insert_all(session, SweepCount, _counts(session, day, sweep))
            _record_changes(session, sweep.tick, observations)
    return stored


def _sample(tick: int, device_id: int, seen: Observation) -> queries.SampleRow:
    latency = None if seen.latency_ms is None else min(round(seen.latency_ms), LONGEST_LATENCY_MS)
    return tick, device_id, int(seen.status), latency


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


def _counts(session: Session, day: date, sweep: FinishedSweep) -> list[dict[str, int]]:
    """Devices of each cohort by class; a device in service that was not asked is unknown."""
    members = roster(session, day)
    device_ids = list(members)
    statuses = _statuses(device_ids, sweep.result.observations)
    slot = Slots(sweep.tick, sweep.interval_s, 1)
    suspended = queries.suspension_covers(session, device_ids, slot.start, slot.end)
    classes = classify(statuses, slot, DEFAULT_POLICY.class_table(), suspended)[:, 0]
    cohort_of = np.fromiter(members.values(), dtype=np.int64, count=len(members))
    return [
        {"tick": sweep.tick, "cohort_id": cohort, **_amounts(classes[cohort_of == cohort])}
        for cohort in np.unique(cohort_of).tolist()
    ]


def _statuses(
    device_ids: list[int], observations: Mapping[int, Observation]
) -> npt.NDArray[np.uint8]:
    seen = (observations.get(device_id) for device_id in device_ids)
    codes = [Status.UNKNOWN if one is None else one.status for one in seen]
    return np.array(codes, dtype=np.uint8).reshape(-1, 1)


def _amounts(classes: npt.NDArray[np.uint8]) -> dict[str, int]:
    return asdict(Amounts(*np.bincount(classes, minlength=len(SlotClass)).tolist()))


def _record_changes(session: Session, tick: int, observations: Mapping[int, Observation]) -> None:
    """Write the states that differ from what is known: most sweeps change a few of them."""
    known = queries.device_states(session)
    changed = []
    for device_id, seen in observations.items():
        before = known.get(device_id)
        offset = None if seen.clock_offset_s is None else round(seen.clock_offset_s)
        same = before is not None and before.status == seen.status
        since = before.since if before is not None and same else tick
        state = StateRow(device_id, int(seen.status), since, offset, seen.detail[:256])
        if state != before:
            changed.append(state)
    queries.put_states(session, changed)
