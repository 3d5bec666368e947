"""What those who follow the evidence have to look at anew: all SQL of it.

A follower (such as the faults) derives something of its own from samples, suspensions and the
register, slot by slot, and says how far it has come. Whatever changes behind that is told here, at
the same places where the ledger's dirty days are marked; who the followers are nobody asks.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import case, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.evidence.tables import Follower, RevisedDevice


def seen_through(session: Session) -> int:
    """The slots that start before this have been seen by some follower.

    Held until the transaction ends, so that none comes further and misses what is being stored.
    """
    found = session.scalars(select(Follower.through).with_for_update(read=True)).all()
    return max(found, default=0)


def lock_follower(session: Session, name: str) -> int:
    """How far a follower has come, held against others of its name and against late samples."""
    through = select(Follower.through).where(Follower.name == name).with_for_update()
    return session.scalars(through).one()


def follower_through(session: Session, name: str) -> int:
    return session.scalars(select(Follower.through).where(Follower.name == name)).one()


def set_through(session: Session, name: str, through: int) -> None:
    session.execute(update(Follower).where(Follower.name == name).values(through=through))


def mark_revised(session: Session, since: Mapping[int, date]) -> None:
    """Device id → the first local day on which it may be otherwise; the earliest mark stays."""
    if not since:
        return
    dialect = session.get_bind().dialect.name
    statement = (sqlite if dialect == "sqlite" else postgresql).insert(RevisedDevice)
    new = statement.excluded.since
    earliest = case((new < RevisedDevice.since, new), else_=RevisedDevice.since)
    upsert = statement.on_conflict_do_update(index_elements=["device_id"], set_={"since": earliest})
    rows = [{"device_id": device_id, "since": day} for device_id, day in sorted(since.items())]
    session.connection().execute(upsert, rows)


def take_revised(session: Session, count: int) -> dict[int, date]:
    """Some marked devices, those with the oldest marks; their marks are taken away."""
    query = select(RevisedDevice.device_id, RevisedDevice.since)
    query = query.order_by(RevisedDevice.since, RevisedDevice.device_id).limit(count)
    taken = dict(session.execute(query.with_for_update()).all())
    _drop(session, list(taken))
    return taken


def _drop(session: Session, device_ids: Sequence[int]) -> None:
    if device_ids:
        session.execute(delete(RevisedDevice).where(RevisedDevice.device_id.in_(device_ids)))


def count_revised(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(RevisedDevice)) or 0
