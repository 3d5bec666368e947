"""All SQL by which faults are kept. A session comes in; no transaction begins or ends here."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from app.evidence.queries import put_all
from app.evidence.tables import EvidenceDay, Sweep
from app.fleet.queries import chunks
from app.fleet.roster import in_service_on
from app.fleet.tables import Assignment, Device
from app.operations.faults.tables import Fault, FaultStep, FaultWatch
from kpi.faults import Episode, Step

WATCHED = ("onset", "status", "worst", "failing", "good", "good_since", "opened_at", "seen")


# Evidence


def newest_sweep_end(session: Session) -> int:
    """The end of the newest recorded sweep's slot; 0 where there is none."""
    query = select(Sweep.tick + Sweep.interval_s).order_by(Sweep.tick.desc()).limit(1)
    return session.scalar(query) or 0


def evidence_days(session: Session) -> tuple[date, date] | None:
    """The first and the last day that have evidence."""
    first, last = session.execute(
        select(func.min(EvidenceDay.day), func.max(EvidenceDay.day))
    ).one()
    return None if first is None else (first, last)


def next_evidence_day(session: Session, day: date) -> date | None:
    """The first day from `day` on that has evidence."""
    return session.scalar(select(func.min(EvidenceDay.day)).where(EvidenceDay.day >= day))


def all_devices(session: Session) -> list[int]:
    """Every device's id, ascending."""
    return list(session.scalars(select(Device.id).order_by(Device.id)))


def in_service_among(session: Session, day: date, device_ids: Sequence[int]) -> set[int]:
    """Those of the devices that are in service on a day."""
    found: set[int] = set()
    for some in chunks(device_ids):
        found.update(
            session.scalars(
                select(Device.id)
                .join(Assignment, Assignment.device_id == Device.id)
                .where(in_service_on(day), Device.id.in_(some))
            )
        )
    return found


# What is watched


def read_watches(session: Session, device_ids: Sequence[int] | None = None) -> dict[int, Episode]:
    """Device id → its episode, of these devices or of all that are not clear."""
    columns = [getattr(FaultWatch, name) for name in WATCHED]
    query = select(FaultWatch.device_id, FaultWatch.steps, *columns)
    parts = (
        [query]
        if device_ids is None
        else [query.where(FaultWatch.device_id.in_(some)) for some in chunks(device_ids)]
    )
    return {
        row[0]: Episode(
            **dict(zip(WATCHED, row[2:], strict=True)), steps=[Step(*each) for each in row[1]]
        )
        for part in parts
        for row in session.execute(part)
    }


def put_watches(session: Session, episodes: Mapping[int, Episode]) -> None:
    put_all(
        session,
        FaultWatch,
        [
            {"device_id": device_id, "steps": [list(step) for step in episode.steps]}
            | {name: getattr(episode, name) for name in WATCHED}
            for device_id, episode in episodes.items()
        ],
    )


def drop_watches(session: Session, device_ids: Collection[int]) -> None:
    for some in chunks(sorted(device_ids)):
        session.execute(delete(FaultWatch).where(FaultWatch.device_id.in_(some)))


# Faults


def faults_reaching(session: Session, device_ids: Sequence[int], since: int) -> list[Fault]:
    """The faults of these devices that were not over before an instant, the oldest first."""
    found: list[Fault] = []
    for some in chunks(device_ids):
        found += session.scalars(
            select(Fault)
            .where(
                Fault.device_id.in_(some),
                or_(Fault.closed_at.is_(None), Fault.closed_at >= since),
            )
            .order_by(Fault.onset)
        )
    return found


def open_fault_ids(session: Session, keys: Mapping[int, int]) -> dict[int, int]:
    """Device id → id of its fault, where `keys` gives the fault's onset by device."""
    found = {}
    for some in chunks(sorted(keys)):
        rows = session.execute(
            select(Fault.id, Fault.device_id, Fault.onset).where(
                Fault.device_id.in_(some), Fault.closed_at.is_(None)
            )
        )
        found.update({device: fault for fault, device, onset in rows if keys[device] == onset})
    return found


def insert_faults(session: Session, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Store faults; their ids, in the same order."""
    if not rows:
        return []
    statement = insert(Fault).returning(Fault.id, sort_by_parameter_order=True)
    return list(session.scalars(statement, rows))


def update_faults(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Each row holds the fault's id and what is other now; all rows the same columns."""
    if rows:
        session.execute(update(Fault), rows)


def delete_faults(session: Session, fault_ids: Collection[int]) -> None:
    for some in chunks(sorted(fault_ids)):
        session.execute(delete(FaultStep).where(FaultStep.fault_id.in_(some)))
        session.execute(delete(Fault).where(Fault.id.in_(some)))


def steps_of(session: Session, fault_ids: Sequence[int]) -> dict[int, list[Step]]:
    """Fault id → its steps, in order."""
    found: dict[int, list[Step]] = {fault_id: [] for fault_id in fault_ids}
    for some in chunks(fault_ids):
        rows = session.execute(
            select(FaultStep.fault_id, FaultStep.at, FaultStep.status)
            .where(FaultStep.fault_id.in_(some))
            .order_by(FaultStep.fault_id, FaultStep.at)
        )
        for fault_id, at, status in rows:
            found[fault_id].append(Step(at, status))
    return found


def add_steps(session: Session, steps: Iterable[tuple[int, Step]]) -> None:
    """Store (fault id, step)."""
    rows = [{"fault_id": fault, "at": step.at, "status": step.status} for fault, step in steps]
    if rows:
        session.execute(insert(FaultStep), rows)


def replace_steps(session: Session, steps: Mapping[int, Sequence[Step]]) -> None:
    """Fault id → all of its steps, in place of what is there."""
    for some in chunks(sorted(steps)):
        session.execute(delete(FaultStep).where(FaultStep.fault_id.in_(some)))
    add_steps(session, ((fault, step) for fault, each in steps.items() for step in each))


def devices_failing_between(session: Session, start: int, end: int) -> set[int]:
    """Devices with a fault, or an episode that is none so far, in `[start, end)`."""
    of_faults = select(Fault.device_id).where(
        Fault.onset < end, or_(Fault.closed_at.is_(None), Fault.closed_at >= start)
    )
    watched = select(FaultWatch.device_id).where(FaultWatch.onset < end)
    return set(session.scalars(of_faults)) | set(session.scalars(watched))
