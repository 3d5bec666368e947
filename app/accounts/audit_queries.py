"""All SQL of the audit log."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from app.accounts.tables import AuditEntry, AuditHead

CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class AuditSelection:
    """Which entries: by actor, by the beginning of the action, by subject, in `[start, end)`."""

    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    start: int | None = None
    end: int | None = None


def audit_head(session: Session) -> AuditHead:
    return session.scalars(select(AuditHead)).one()


def lock_audit_head(session: Session) -> AuditHead:
    """Both ends of the chain, held until the transaction ends: entries are written in turn."""
    query = select(AuditHead).with_for_update().execution_options(populate_existing=True)
    return session.scalars(query).one()


def audit_chain(session: Session) -> Iterator[AuditEntry]:
    """All entries, the oldest first; read in parts, so that whoever stops leaves nothing open."""
    query = select(AuditEntry).order_by(AuditEntry.id).limit(CHUNK)
    last_id = 0
    while part := session.scalars(query.where(AuditEntry.id > last_id)).all():
        yield from part
        last_id = part[-1].id


def last_entry_before(session: Session, instant: int, newest_id: int) -> AuditEntry | None:
    """The newest of the entries before the first one that is not older than `instant`."""
    young = select(func.min(AuditEntry.id)).where(AuditEntry.at >= instant)
    first_kept = session.scalar(young) or newest_id
    query = select(AuditEntry).where(AuditEntry.id < first_kept)
    return session.scalar(query.order_by(AuditEntry.id.desc()).limit(1))


def delete_audit_through(session: Session, last_id: int) -> None:
    session.execute(delete(AuditEntry).where(AuditEntry.id <= last_id))


def count_audit(session: Session, selection: AuditSelection) -> int:
    return session.scalar(select(func.count(AuditEntry.id)).where(*_conditions(selection))) or 0


def read_audit(
    session: Session, selection: AuditSelection, skip: int, count: int
) -> Sequence[AuditEntry]:
    """The selected entries, the newest first."""
    query = select(AuditEntry).where(*_conditions(selection)).order_by(AuditEntry.id.desc())
    return session.scalars(query.offset(skip).limit(count)).all()


def newest_of(session: Session, actions: Sequence[str], count: int) -> Sequence[AuditEntry]:
    """The newest entries of these actions."""
    query = select(AuditEntry).where(AuditEntry.action.in_(actions))
    return session.scalars(query.order_by(AuditEntry.id.desc()).limit(count)).all()


def entries_since(session: Session, action: str, instant: int) -> Sequence[AuditEntry]:
    """The entries of this action from an instant on, the oldest first."""
    query = select(AuditEntry).where(AuditEntry.at >= instant, AuditEntry.action == action)
    return session.scalars(query.order_by(AuditEntry.id)).all()


def entries_about(session: Session, subject: str, actions: Sequence[str]) -> list[AuditEntry]:
    """The entries about one subject that tell of these actions, oldest first."""
    found = select(AuditEntry).where(AuditEntry.subject == subject, AuditEntry.action.in_(actions))
    return list(session.scalars(found.order_by(AuditEntry.id)))


def oldest_entry_at(session: Session) -> int | None:
    """When the oldest entry that is kept was written."""
    return session.scalar(select(AuditEntry.at).order_by(AuditEntry.id).limit(1))


def _conditions(selection: AuditSelection) -> list[ColumnElement[bool]]:
    conditions = []
    if selection.actor:
        conditions.append(AuditEntry.actor == selection.actor)
    if selection.action:
        conditions.append(AuditEntry.action.startswith(selection.action, autoescape=True))
    if selection.subject:
        conditions.append(AuditEntry.subject == selection.subject)
    if selection.start is not None:
        conditions.append(AuditEntry.at >= selection.start)
    if selection.end is not None:
        conditions.append(AuditEntry.at < selection.end)
    return conditions
