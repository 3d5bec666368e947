"""What a row changes: nothing, or which facts, and which device-days with them."""

from dataclasses import dataclass
from datetime import date, timedelta

from app.fleet.record import PASSWORD, RECORD_FIELDS, CohortKey, Record, RegisterRow
from app.fleet.secrets import Secrets, WrongKey
from app.fleet.tables import ProbeChoice
from app.fleet.touched import DeviceDays
from app.tabular.progress import FieldChange, RowChange

EFFECTIVE = "effective"
"""Named beside the fields: the first day of another assignment."""

HIDDEN = "••••••"
"""What is shown in place of a password."""

_DAY = timedelta(days=1)
_PLACE = {*CohortKey._fields, "power_district"}


@dataclass(frozen=True, slots=True)
class Stored:
    """A device of the register with its newest assignment, which holds from `assigned_from`."""

    id: int
    registered_on: date
    record: Record
    password_encrypted: bytes | None
    assigned_from: date


@dataclass(frozen=True, slots=True)
class Change:
    """A row against the register: `stored` is None for a new device.

    `dates_back`: the groups that it names hold already, but only from a later day than is wanted.
    """

    row: RegisterRow
    record: Record
    stored: Stored | None
    sets_password: bool
    dates_back: bool

    @property
    def is_new(self) -> bool:
        return self.stored is None

    @property
    def alters(self) -> bool:
        """Whether a device that is there already becomes another."""
        differs = self.stored is not None and self.record != self.stored.record
        return differs or (not self.is_new and (self.sets_password or self.dates_back))

    @property
    def moves(self) -> bool:
        """Whether a device that is there already belongs elsewhere from some day on."""
        if self.stored is None:
            return False
        return self.dates_back or _place(self.record) != _place(self.stored.record)


def decide(
    row: RegisterRow,
    record: Record,
    stored: Stored | None,
    secrets: Secrets,
    effective: date | None = None,
) -> Change:
    """What the row changes. A stored password that no longer opens counts as another one.

    `effective` is the first day of new assignments where it was said: groups that hold from a
    later day only are then dated back.
    """
    sets_password = bool(row.password)
    if row.password and stored and stored.password_encrypted:
        try:
            sets_password = secrets.decrypt(stored.password_encrypted) != row.password
        except WrongKey:
            sets_password = True
    names_groups = not _PLACE.isdisjoint(row.values)
    later = stored is not None and effective is not None and stored.assigned_from > effective
    return Change(row, record, stored, sets_password, dates_back=later and names_groups)


def touched_days(change: Change, device_id: int, today: date, effective: date) -> list[DeviceDays]:
    """The device-days whose ledger or grouping the change alters.

    `today` is the day a new device is registered on, `effective` the first day of a new assignment.
    """
    new, stored = change.record, change.stored
    if stored is None:
        end = new.decommissioned_on
        days = [DeviceDays(device_id, new.commissioned_on or today, end and end - _DAY)]
        return [] if new.probe is ProbeChoice.NONE else _not_empty(days)
    old = stored.record
    if old.probe is new.probe is ProbeChoice.NONE:
        return []
    old_start = old.commissioned_on or stored.registered_on
    new_start = new.commissioned_on or stored.registered_on
    if old.kind is not new.kind or ProbeChoice.NONE in (old.probe, new.probe):
        return [DeviceDays(device_id, min(old_start, new_start), None)]
    days = [DeviceDays(device_id, min(old_start, new_start), max(old_start, new_start) - _DAY)]
    days += _moved_end(device_id, old.decommissioned_on, new.decommissioned_on)
    if change.moves:
        days.append(DeviceDays(device_id, effective, None))
    return _not_empty(days)


def told(change: Change) -> RowChange:
    """What the change alters, field by field; of a password only that there is another one."""
    before = change.stored.record.as_dict() if change.stored else dict.fromkeys(RECORD_FIELDS)
    after = change.record.as_dict()
    fields = [
        FieldChange(name, _shown(before[name]), _shown(after[name]))
        for name in RECORD_FIELDS
        if before[name] != after[name]
    ]
    if change.sets_password:
        fields.append(FieldChange(PASSWORD, None, HIDDEN))
    return RowChange(change.row.number, change.record.code, change.is_new, fields)


def _shown(value: object) -> str | None:
    """As a cell of the register would have it."""
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


def _moved_end(device_id: int, old: date | None, new: date | None) -> list[DeviceDays]:
    """The days between two ends of service (None: no end)."""
    ends = sorted(end for end in (old, new) if end is not None)
    if old == new:
        return []
    return [DeviceDays(device_id, ends[0], ends[1] - _DAY if len(ends) == 2 else None)]


def _not_empty(days: list[DeviceDays]) -> list[DeviceDays]:
    return [span for span in days if span.last is None or span.first <= span.last]


def _place(record: Record) -> tuple[object, ...]:
    return (*record.cohort_key, record.power_district)
