"""One device, or the name of a group, changed by hand: by the way of an import's row.

Who saves says what was shown (`stamp`), so that of two people who edit the same device the second
is told and nobody's change is lost.
"""

import hashlib
from collections.abc import Mapping
from datetime import date

from sqlalchemy.orm import Session

from app.accounts.audit import Actor, record
from app.config import Settings
from app.database import Database
from app.errors import BadParameter, Refused
from app.fleet import cells as rules
from app.fleet.changes import EFFECTIVE, HIDDEN, Stored
from app.fleet.history import Origin
from app.fleet.importing import take_over_rows
from app.fleet.queries import devices_by_code
from app.fleet.record import COLUMNS, PASSWORD, parse_row
from app.fleet.roster import GROUP_TABLES, Grouping
from app.fleet.tables import ChangeSource
from app.fleet.touched import OnTouched
from app.fleet.write_queries import lock_register, rename_group
from app.tabular import ImportResult, Problems, read_day
from app.tabular.progress import RowChange
from app.web.language import message
from kpi.calendar import local_day

_ROW = 1
_GROUP_NAME = rules.text(128)


class ChangedMeanwhile(Refused):
    """Somebody else has saved since the form was shown."""


def stamp(stored: Stored) -> str:
    """Tells apart what a device says at different times."""
    told = repr((stored.record, stored.password_encrypted, stored.assigned_from))
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def cells_of(stored: Stored) -> dict[str, str]:
    """What the fields of a form say, as cells of an import; never the password."""
    values = stored.record.as_dict()
    return {name: _cell(values.get(name)) for name in COLUMNS}


def save_device(
    database: Database,
    settings: Settings,
    cells: Mapping[str, str],
    shown: str | None,
    *,
    actor: Actor,
    now: int,
    on_touched: OnTouched,
) -> ImportResult:
    """Save the cells of a form; `shown` is the stamp of what it showed, None for a new device.

    Raises `ImportRefused` with the mistakes by field, `ChangedMeanwhile`.
    """
    problems = Problems("form")
    effective = _effective(cells.get(EFFECTIVE, ""), problems)
    row = parse_row(_ROW, {name: cells[name] for name in COLUMNS if name in cells}, problems)
    problems.refuse()
    if row is None:
        raise ValueError("a row without mistakes is a row")
    with database.write() as session:
        lock_register(session)
        _refuse_other_state(session, row.code, shown, problems)
        result = take_over_rows(
            session,
            settings,
            [row],
            problems,
            today=local_day(now, settings.zone),
            on_touched=on_touched,
            origin=Origin(actor, ChangeSource.FORM, now),
            effective=effective,
        )
        if result.changes:
            action = "device.add" if result.inserted else "device.change"
            record(session, actor, action, row.code, now, _details(result.changes[0], effective))
    return result


def rename(
    database: Database,
    grouping: Grouping,
    code: str,
    name: str,
    shown: str,
    *,
    actor: Actor,
    now: int,
) -> bool:
    """Give a group another name; its code stays. `shown` is the name that the form showed.

    False where it has that name already. Raises `BadParameter`, `NotFound`, `ChangedMeanwhile`.
    """
    if not name:
        raise BadParameter("name", message("must not be empty; fill it in"))
    try:
        _GROUP_NAME(name)
    except ValueError as error:
        raise BadParameter("name", error.args[0]) from None
    with database.write() as session:
        before = rename_group(session, GROUP_TABLES[grouping], grouping, code, name)
        if before == name:
            return False
        if before != shown:
            raise ChangedMeanwhile(message("Somebody else has changed this name meanwhile."))
        record(session, actor, f"{grouping}.rename", code, now, {"from": before, "to": name})
    return True


def _refuse_other_state(session: Session, code: str, shown: str | None, problems: Problems) -> None:
    stored = devices_by_code(session, [code]).get(code)
    if shown is None:
        if stored is not None:
            remedy = message("is in the register already; choose another code, or edit that device")
            problems.add(_ROW, "code", code, remedy)
            problems.refuse()
    elif stored is None or stamp(stored) != shown:
        raise ChangedMeanwhile(message("Somebody else has changed this device meanwhile."))


def _effective(cell: str, problems: Problems) -> date | None:
    try:
        return read_day(cell) if cell else None
    except ValueError as error:
        problems.add(_ROW, EFFECTIVE, cell, error.args[0])
        return None


def _details(change: RowChange, effective: date | None) -> dict[str, str]:
    details = {
        each.field: f"{each.before or '–'} → {each.after or '–'}"
        for each in change.fields
        if each.field != PASSWORD
    }
    if any(each.field == PASSWORD for each in change.fields):
        details[PASSWORD] = HIDDEN
    return details | ({EFFECTIVE: str(effective)} if effective else {})


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
