"""All SQL of the history of changes. Nothing here begins or ends a transaction."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, false, func, insert, or_, select, true
from sqlalchemy.orm import Session

from app.fleet.tables import DeviceChange

Spans = Sequence[tuple[int | None, int | None]]
"""Stretches of time in UTC seconds, each from its first to before its second (None: no bound)."""


def insert_changes(session: Session, rows: Sequence[dict[str, object]]) -> None:
    """Append changes; each row holds all columns but `id`."""
    if rows:
        as_one = {"render_nulls": True}  # else rows with and without a null go apart, one by one
        session.execute(insert(DeviceChange), rows, execution_options=as_one)


def read_changes(
    session: Session, device_id: int, spans: Spans, skip: int, count: int
) -> tuple[int, list[DeviceChange]]:
    """How many changes a device has in these stretches, and a page of them, the newest first."""
    chosen = (DeviceChange.device_id == device_id, _within(spans))
    total = session.scalar(select(func.count(DeviceChange.id)).where(*chosen)) or 0
    page = select(DeviceChange).where(*chosen).order_by(DeviceChange.id.desc())
    return total, list(session.scalars(page.offset(skip).limit(count)))


def _within(spans: Spans) -> ColumnElement[bool]:
    stretches: list[ColumnElement[bool]] = [false()]
    for start, end in spans:
        bounds: list[ColumnElement[bool]] = [true()]
        if start is not None:
            bounds.append(DeviceChange.at >= start)
        if end is not None:
            bounds.append(DeviceChange.at < end)
        stretches.append(and_(*bounds))
    return or_(*stretches)
