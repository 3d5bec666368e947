"""The history of a device's record: who changed what, when and from where.

Whatever writes the register does so through `app.fleet.importing`, and that writes the history in
the same transaction. Of a password it is only kept that there is another one.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.accounts.audit import Actor, shell_actor
from app.accounts.reach import Reach
from app.fleet.change_queries import insert_changes, read_changes
from app.fleet.changes import EFFECTIVE, Change, told
from app.fleet.record import PASSWORD
from app.fleet.roster import days_within
from app.fleet.tables import BEGINNING, ChangeSource, DeviceChange
from app.tabular.progress import FieldChange
from kpi.calendar import day_start

CREATED = "created"
"""Stands in place of a field: the device was entered, under the name that `after` says."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who changes the register, by what, at which instant (UTC seconds)."""

    actor: Actor
    source: ChangeSource
    at: int

    @classmethod
    def of_shell(cls) -> "Origin":
        """A file taken over now by whoever has this machine's shell."""
        return cls(shell_actor(), ChangeSource.IMPORT, int(time.time()))


def write_history(
    session: Session, changed: Sequence[tuple[int, Change]], effective: date, origin: Origin
) -> None:
    """Append what these changes (with their devices' ids) alter; `effective` as for the import."""
    common = {
        "at": origin.at,
        "actor": origin.actor.name[:96],
        "source": origin.source,
    }
    insert_changes(
        session,
        [
            {"device_id": device_id, **common}
            | {"field": each.field, "before": each.before, "after": each.after}
            for device_id, change in changed
            for each in _entries(change, effective)
        ],
    )


def _entries(change: Change, effective: date) -> Iterator[FieldChange]:
    """One for a new device; else one a field, and the day from which it belongs elsewhere."""
    if change.stored is None:
        yield FieldChange(CREATED, None, change.record.name)
        return
    for each in told(change).fields:
        yield FieldChange(PASSWORD, None, None) if each.field == PASSWORD else each
    if change.moves:
        before = change.stored.assigned_from if change.dates_back else BEGINNING
        since = None if before == BEGINNING else str(before)
        yield FieldChange(EFFECTIVE, since, str(effective))


def history_of(
    session: Session, zone: ZoneInfo, device_id: int, reach: Reach, skip: int, count: int
) -> tuple[int, list[DeviceChange]]:
    """How many changes were made while the device was within reach, and a page of them."""
    spans = [
        (
            None if first == BEGINNING else day_start(first, zone),
            None if end is None else day_start(end, zone),
        )
        for first, end in days_within(session, device_id, reach).spans
    ]
    return read_changes(session, device_id, spans, skip, count)
