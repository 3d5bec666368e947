"""What a row of a file of suspensions or exemptions changes, in words of that file."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.tabular.progress import FieldChange, RowChange

_FIELDS = {
    "from": "start",
    "to": "end",
    "reason": "reason",
    "approved_by": "approved_by",
    "document": "document",
}
"""Column of the file → column of the table."""


def told(
    row: int, code: str, old: object | None, facts: Mapping[str, Any], zone: ZoneInfo
) -> RowChange:
    """What differs between what is stored (None: nothing) and the facts of a row."""
    fields = []
    for field, column in _FIELDS.items():
        before = None if old is None else _cell(getattr(old, column), zone)
        after = _cell(facts[column], zone) if column in facts else before
        if before != after:
            fields.append(FieldChange(field, before, after))
    return RowChange(row, code, old is None, fields)


def shown(instant: int, zone: ZoneInfo) -> str:
    """An instant as local time, to the minute."""
    return datetime.fromtimestamp(instant, zone).isoformat(sep=" ", timespec="minutes")


def _cell(value: object, zone: ZoneInfo) -> str | None:
    if isinstance(value, int):
        return shown(value, zone)
    return None if value is None else str(value)
