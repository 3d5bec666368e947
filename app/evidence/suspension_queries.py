"""SQL of the suspension register's import (the ledger's own view of it is in `queries.py`)."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session

from app.evidence.tables import Suspension, SuspensionVersion
from app.fleet.queries import chunks

_KEPT = ("device_id", "start", "end", "reason", "approved_by", "document", "recorded_at", "version")


def lock_suspensions(session: Session) -> None:
    """Let nobody else change suspensions until this transaction ends; readers go on.

    On SQLite the write transaction itself is that lock.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE suspension IN SHARE ROW EXCLUSIVE MODE"))


def suspensions_of(session: Session, device_ids: Sequence[int]) -> list[Suspension]:
    """The suspensions in force or past of these devices; not to be changed through the ORM."""
    found: list[Suspension] = []
    for part in chunks(device_ids):
        found += session.scalars(select(Suspension).where(Suspension.device_id.in_(part)))
    return found


def insert_suspensions(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add suspensions; each row holds all columns but `id` and `version`."""
    if rows:
        session.execute(insert(Suspension), [{"version": 1, **row} for row in rows])


def replace_suspensions(
    session: Session, replaced: Sequence[tuple[Suspension, Mapping[str, Any]]]
) -> None:
    """Put new facts in the place of suspensions and keep what these said as versions."""
    if not replaced:
        return
    former = [
        {"suspension_id": old.id} | {name: getattr(old, name) for name in _KEPT}
        for old, _ in replaced
    ]
    session.execute(insert(SuspensionVersion), former)
    facts = [{**new, "id": old.id, "version": old.version + 1} for old, new in replaced]
    session.execute(update(Suspension), facts)
