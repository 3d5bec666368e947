"""SQL of the collector's host and of the cameras' clocks."""

from collections.abc import Sequence

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.evidence.queries import insert_all
from app.evidence.tables import ClockOffset, CollectorRun, HostEvent
from app.fleet.queries import chunks


def open_host_events(session: Session) -> Sequence[HostEvent]:
    """Those that last, the oldest first; not to be changed through the ORM."""
    lasting = select(HostEvent).where(HostEvent.until.is_(None))
    return session.scalars(lasting.order_by(HostEvent.id)).all()


def host_events(session: Session, limit: int) -> Sequence[HostEvent]:
    """The newest first."""
    return session.scalars(select(HostEvent).order_by(HostEvent.id.desc()).limit(limit)).all()


def end_host_event(session: Session, event_id: int, until: int) -> None:
    session.execute(update(HostEvent).where(HostEvent.id == event_id).values(until=until))


def collector_runs(session: Session, limit: int) -> Sequence[CollectorRun]:
    """The newest first."""
    newest = CollectorRun.id.desc()
    return session.scalars(select(CollectorRun).order_by(newest).limit(limit)).all()


def last_offsets(session: Session, device_ids: Sequence[int]) -> dict[int, int]:
    """The offset in force of each of these devices that has one."""
    found: dict[int, int] = {}
    for part in chunks(device_ids):
        newest = (
            select(ClockOffset.device_id, func.max(ClockOffset.at).label("at"))
            .where(ClockOffset.device_id.in_(part))
            .group_by(ClockOffset.device_id)
            .subquery()
        )
        same = (ClockOffset.device_id == newest.c.device_id) & (ClockOffset.at == newest.c.at)
        rows = session.execute(
            select(ClockOffset.device_id, ClockOffset.offset_s).join(newest, same)
        )
        found |= dict(rows.all())
    return found


def add_offsets(session: Session, at: int, offsets: dict[int, int]) -> None:
    """From `at` on, these devices' clocks are off by so many seconds."""
    rows = [
        {"device_id": device_id, "at": at, "offset_s": offset_s}
        for device_id, offset_s in offsets.items()
    ]
    insert_all(session, ClockOffset, rows)


def offsets_between(session: Session, device_id: int, start: int, end: int) -> list[ClockOffset]:
    """The rows in `[start, end)`, and before them the one that was in force at `start`."""
    before = (
        select(func.max(ClockOffset.at))
        .where(ClockOffset.device_id == device_id, ClockOffset.at <= start)
        .scalar_subquery()
    )
    return list(
        session.scalars(
            select(ClockOffset)
            .where(
                ClockOffset.device_id == device_id,
                ClockOffset.at >= func.coalesce(before, start),
                ClockOffset.at < end,
            )
            .order_by(ClockOffset.at)
        )
    )
