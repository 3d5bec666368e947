"""All SQL over the verdicts on passwords. Nothing here begins or ends a transaction."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.fleet.tables import PasswordVerdict


class VerdictRow(NamedTuple):
    """A row of `PasswordVerdict`."""

    fingerprint: bytes
    scheme: str | None
    clock_offset_s: int | None
    refused_until: int | None
    doubted_until: int | None
    refusals: int
    learnt_at: int


_COLUMNS = [getattr(PasswordVerdict, name) for name in VerdictRow._fields]


def verdicts_since(session: Session, instant: int) -> list[VerdictRow]:
    """Those learnt at or after an instant."""
    rows = session.execute(select(*_COLUMNS).where(PasswordVerdict.learnt_at >= instant))
    return [VerdictRow(*row) for row in rows]


def put_verdicts(session: Session, rows: Sequence[VerdictRow]) -> None:
    """Store verdicts in place of what was known."""
    dialect = session.get_bind().dialect.name
    statement: Any = (sqlite if dialect == "sqlite" else postgresql).insert(PasswordVerdict)
    new = {name: statement.excluded[name] for name in VerdictRow._fields[1:]}
    upsert = statement.on_conflict_do_update(index_elements=["fingerprint"], set_=new)
    ordered = sorted(rows)  # two processes that write at once wait for each other in one order only
    session.connection().execute(upsert, [row._asdict() for row in ordered])


def drop_verdicts_before(session: Session, instant: int) -> None:
    session.execute(delete(PasswordVerdict).where(PasswordVerdict.learnt_at < instant))
