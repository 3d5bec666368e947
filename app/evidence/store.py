"""Keeps samples: exactly once, the first under a key stays.

Exactly-once comes from the key `(tick, device)` and from nothing else. A sample that arrives after
the ledger has passed its slot marks its device-day, and the ledger is made anew; so do those who
follow the evidence (`app.evidence.revisions`). Source: DESIGN §2.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.config import Settings
from app.database import Database
from app.errors import Refused
from app.evidence import queries
from app.evidence.archive.late import without_filed
from app.evidence.partitions import has_partition, make_partition
from app.evidence.revisions import mark_revised, seen_through
from app.evidence.sample_queries import SampleRow, insert_samples
from app.evidence.tables import DayOrigin, EvidenceDay, EvidenceZone
from kpi.calendar import local_day


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of samples: new ones, ones that were there, ones that contradict what is."""

    inserted: int = 0
    duplicates: int = 0
    conflicts: int = 0

    def __add__(self, other: "Stored") -> "Stored":
        return Stored(
            self.inserted + other.inserted,
            self.duplicates + other.duplicates,
            self.conflicts + other.conflicts,
        )


def require_zone(session: Session, timezone: str) -> None:
    """Raises `Refused` where the evidence was cut into the days of another zone."""
    present = queries.zone_of_evidence(session)
    if present is not None and present != timezone:
        raise Refused(
            f"The evidence was stored in the time zone {present}, the configuration says "
            f"{timezone}. Set INTACT_TIMEZONE={present}, or begin with an empty database."
        )


def refuse_other_zone(database: Database, settings: Settings) -> None:
    """Raises `Refused` where the evidence was cut into the days of another zone than is set."""
    with database.read() as session:
        require_zone(session, settings.timezone)


def slot_length(session: Session, day: date, default: int) -> int:
    """Slot length of a day in seconds: as stored with its evidence, else `default`."""
    return queries.slot_lengths(session, day, day).get(day, default)


def claim_zone(session: Session, timezone: str) -> None:
    """Store the time zone with the first evidence. Raises `Refused` where it has another one."""
    queries.insert_new(session, EvidenceZone, {"id": 1, "timezone": timezone})
    require_zone(session, timezone)


def claim_day(
    session: Session, day: date, timezone: str, interval_s: int, origin: DayOrigin
) -> None:
    """Give a day its slot length, and its samples a place, before its first evidence.

    Raises `Refused` where the day has another one, or the evidence another zone.
    """
    require_zone(session, timezone)
    present = queries.slot_lengths(session, day, day).get(day)
    if present is None or not has_partition(session, day):
        make_partition(session, day, ZoneInfo(timezone))
        claim_zone(session, timezone)
        claimed = {"day": day, "interval_s": interval_s, "origin": origin.value}
        if queries.insert_new(session, EvidenceDay, claimed):
            ledger = queries.ledger_days(session, day, day).get(day)
            if ledger and ledger[0] != interval_s:
                queries.forget_ledger_day(session, day)
            return
        present = slot_length(session, day, interval_s)
    if present != interval_s:
        raise Refused(
            f"{day} has evidence in slots of {present} s, these are slots of {interval_s} s. "
            f"Use --interval {present} for that day."
        )


def store_samples(session: Session, zone: ZoneInfo, rows: Sequence[SampleRow]) -> Stored:
    """Store samples whose ticks are slot starts of claimed days."""
    if not rows:
        return Stored()
    unfiled = without_filed(session, rows)
    inserted, conflicts = insert_samples(session, unfiled.rows) if unfiled.rows else (0, 0)
    if inserted:
        _mark_late(session, zone, unfiled.rows)
        unfiled.count_stored()
    conflicts += unfiled.conflicts
    return Stored(inserted, len(rows) - inserted - conflicts, conflicts)


def _mark_late(session: Session, zone: ZoneInfo, rows: Sequence[SampleRow]) -> None:
    """Mark what ledger or followers have passed of the slots that have just been filled."""
    day_of = {tick: local_day(tick, zone) for tick in {row[0] for row in rows}}
    through = {day: queries.through_of(session, day) or 0 for day in set(day_of.values())}
    for day, device_ids in _by_day(rows, day_of, through).items():
        queries.mark_dirty(session, day, device_ids)
    seen = seen_through(session)
    late = _by_day(rows, day_of, dict.fromkeys(through, seen))
    since = {device_id: day for day in sorted(late, reverse=True) for device_id in late[day]}
    mark_revised(session, since)


def _by_day(
    rows: Sequence[SampleRow], day_of: Mapping[int, date], through: Mapping[date, int]
) -> dict[date, set[int]]:
    """The devices with a sample in a slot that starts before its day's `through`."""
    late_ticks = {tick: day for tick, day in day_of.items() if tick < through[day]}
    late: dict[date, set[int]] = defaultdict(set)
    if late_ticks:
        for tick, device_id, *_ in rows:
            if tick in late_ticks:
                late[late_ticks[tick]].add(device_id)
    return late
