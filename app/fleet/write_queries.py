"""All writing of the register."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import delete, insert, or_, select, text, update
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.fleet.queries import GROUPS, Group, chunks, cohort_ids, group_ids
from app.fleet.record import CohortKey
from app.fleet.tables import BEGINNING, Assignment, Cohort, Device


@dataclass(frozen=True, slots=True)
class Belonging:
    """A device and where it belongs."""

    device_id: int
    cohort_id: int
    power_district: str | None


def lock_register(session: Session) -> None:
    """Let no other import write the register until this transaction ends; readers go on.

    On SQLite the write transaction itself is that lock.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE device IN SHARE ROW EXCLUSIVE MODE"))


def refresh_statistics(session: Session) -> None:
    """Let PostgreSQL's planner know at once what a large import has put there."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("ANALYZE device, assignment"))


def insert_devices(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add devices; each row holds all columns of `Device` but `id`."""
    if rows:
        session.execute(insert(Device), rows)


def update_devices(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Change devices; each row holds `id` and the columns to set, the same in all rows."""
    if rows:
        session.execute(update(Device), rows)


def intern_cohorts(session: Session, keys: Collection[CohortKey]) -> dict[CohortKey, int]:
    """Ids of cohorts; cohorts and groups seen first are made (a group's text is code and name)."""
    known = cohort_ids(session)
    missing = sorted(set(keys) - known.keys(), key=str)
    if missing:
        ids = {
            name: _intern_groups(session, name, {getattr(key, name) for key in missing})
            for name in GROUPS
        }
        rows = [
            {"kind": key.kind}
            | {f"{name}_id": ids[name].get(getattr(key, name) or "") for name in GROUPS}
            for key in missing
        ]
        session.execute(insert(Cohort), rows)
        known = cohort_ids(session)
    return {key: known[key] for key in keys}


def _intern_groups(session: Session, name: str, codes: set[str | None]) -> dict[str, int]:
    table, _ = GROUPS[name]
    missing = sorted({code for code in codes if code} - group_ids(session, table).keys())
    if missing:
        session.execute(insert(table), [{"code": code, "name": code} for code in missing])
    return group_ids(session, table)


def rename_group(session: Session, group: Group, kind: str, code: str, name: str) -> str:
    """Give a group another name; returns the one it had. Raises `NotFound`."""
    before = session.scalar(select(group.name).where(group.code == code).with_for_update())
    if before is None:
        raise NotFound(kind, code)
    session.execute(update(group).where(group.code == code).values(name=name))
    return before


def insert_first_assignments(session: Session, belongings: Sequence[Belonging]) -> None:
    """Assign new devices, for all of the past too."""
    _insert_assignments(session, belongings, BEGINNING)


def reassign(session: Session, belongings: Sequence[Belonging], effective: date) -> None:
    """Assign devices anew from `effective` on, in place of what was to hold on or after that day.

    Assignments of a device follow one another without gaps, so that of those left exactly one
    reaches `effective`. Where it says the same already, it goes on; else it ends there.
    """
    for part in chunks(belongings):
        wanted = {each.device_id: each for each in part}
        chosen = Assignment.device_id.in_(wanted)
        session.execute(delete(Assignment).where(chosen, Assignment.from_day >= effective))
        reaching = or_(Assignment.to_day.is_(None), Assignment.to_day >= effective)
        columns = (Assignment.device_id, Assignment.cohort_id, Assignment.power_district)
        before = session.execute(select(*columns).where(chosen, reaching))
        same = {row[0] for row in before if Belonging(*row) == wanted[row[0]]}
        _end_assignments(session, sorted(same), effective, None)
        others = sorted(wanted.keys() - same)
        _end_assignments(session, others, effective, effective)
        _insert_assignments(session, [wanted[key] for key in others], effective)


def _end_assignments(
    session: Session, device_ids: Sequence[int], effective: date, end: date | None
) -> None:
    reaching = or_(Assignment.to_day.is_(None), Assignment.to_day >= effective)
    chosen = Assignment.device_id.in_(device_ids)
    session.execute(update(Assignment).where(chosen, reaching).values(to_day=end))


def _insert_assignments(session: Session, belongings: Sequence[Belonging], start: date) -> None:
    rows = [
        {
            "device_id": each.device_id,
            "from_day": start,
            "to_day": None,
            "cohort_id": each.cohort_id,
            "power_district": each.power_district,
        }
        for each in belongings
    ]
    if rows:
        session.execute(insert(Assignment), rows)
