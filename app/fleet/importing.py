"""Import of the register: every row is checked before anything is written.

All or nothing, unless bad rows are to be skipped.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from app.accounts import audit
from app.config import Settings
from app.database import Database
from app.errors import Remedy
from app.fleet.changes import Change, Stored, decide, told, touched_days
from app.fleet.history import Origin, write_history
from app.fleet.queries import device_ids, devices_by_code
from app.fleet.record import REGISTER_FILE, RegisterRow, merged, parse_row
from app.fleet.secrets import Secrets
from app.fleet.touched import OnTouched
from app.fleet.write_queries import (
    Belonging,
    insert_devices,
    insert_first_assignments,
    intern_cohorts,
    lock_register,
    reassign,
    refresh_statistics,
    update_devices,
)
from app.tabular import ImportResult, Problems, ReportProgress, open_table, unreported
from app.tabular.progress import CHANGES_SHOWN
from app.tabular.setting_aside import refuse_or_set_aside

_ELSEWHERE = {"project", "station", "room", "contractor", "power_district"}
_REPORT_EVERY = 1_000
LARGE = 1_000
"""From so many changed devices on the database's statistics are made anew."""


def import_devices(
    database: Database,
    settings: Settings,
    path: Path,
    *,
    today: date,
    on_touched: OnTouched,
    origin: Origin | None = None,
    dry_run: bool = False,
    skip_bad: bool = False,
    effective: date | None = None,
    progress: ReportProgress = unreported,
) -> ImportResult:
    """Take a register file over; with `dry_run` only say what would happen.

    With `skip_bad` rows with mistakes go to a file of their own and all others are taken over.

    A device that is there already belongs to its new groups from `effective` on (default: the day
    after `today`); a new one for all of the past. `on_touched` is given the device-days whose
    ledger or grouping changes, in the same transaction, as history and audit log are, which say
    that `origin` did it (None: the shell, now). Raises `ImportRefused` with every mistake,
    `BadParameter` for a file that cannot be opened, `ConfigurationError` for an unusable key file.
    """
    secrets, origin = Secrets(settings), origin or Origin.of_shell()
    with open_table(path, REGISTER_FILE, skip_bad=skip_bad) as table:
        parsed = (parse_row(number, row, table.problems) for number, row in table.rows(progress))
        rows = _unique([row for row in parsed if row], table.problems)
    with database.read() if dry_run else database.write() as session:
        if not dry_run:
            lock_register(session)
        changes = _plan(session, rows, secrets, table.problems, effective, progress)
        bad = refuse_or_set_aside(path, REGISTER_FILE, table, skip_bad=skip_bad, dry_run=dry_run)
        if not dry_run:
            first_day = effective or today + timedelta(days=1)
            _write(session, changes, secrets, today, first_day, on_touched, origin)
        result = replace(_counted(changes), examples=table.examples, set_aside=bad)
        if not dry_run:
            who, at = origin.actor, origin.at
            audit.record(session, who, "devices.import", path.name, at, result.counts)
    return result


def take_over_rows(
    session: Session,
    settings: Settings,
    rows: Sequence[RegisterRow],
    problems: Problems,
    *,
    today: date,
    on_touched: OnTouched,
    origin: Origin,
    effective: date | None = None,
) -> ImportResult:
    """Write rows that are no file's into the register, which the caller has locked.

    `effective` and `origin` as for `import_devices`. Raises `ImportRefused` with every mistake,
    those that `problems` hold already among them.
    """
    secrets = Secrets(settings)
    changes = _plan(session, rows, secrets, problems, effective, unreported)
    problems.refuse()
    first_day = effective or today + timedelta(days=1)
    _write(session, changes, secrets, today, first_day, on_touched, origin)
    return _counted(changes)


def _unique(rows: Sequence[RegisterRow], problems: Problems) -> list[RegisterRow]:
    first: dict[str, RegisterRow] = {}
    for row in rows:
        if row.code in first:
            remedy = Remedy(
                "stands in row %(row)d already; keep one of them", row=first[row.code].number
            )
            problems.add(row.number, "code", row.code, remedy)
        else:
            first[row.code] = row
    return list(first.values())


def _plan(
    session: Session,
    rows: Sequence[RegisterRow],
    secrets: Secrets,
    problems: Problems,
    effective: date | None,
    progress: ReportProgress,
) -> list[Change]:
    present = devices_by_code(session, [row.code for row in rows])
    changes = []
    for done, row in enumerate(rows):
        if done % _REPORT_EVERY == 0:
            progress("checking", done, len(rows))
        stored = present.get(row.code)
        record = merged(row, stored.record if stored else None, problems)
        if record:
            changes.append(decide(row, record, stored, secrets, effective))
    progress("checking", len(rows), len(rows))
    return changes


def _counted(changes: Sequence[Change]) -> ImportResult:
    inserted = sum(change.is_new for change in changes)
    updated = sum(change.alters for change in changes)
    unchanged = len(changes) - inserted - updated
    telling = (told(change) for change in changes if change.is_new or change.alters)
    shown = list(islice(telling, CHANGES_SHOWN))
    return ImportResult(inserted, updated, unchanged, changes=shown)


def _write(
    session: Session,
    changes: Sequence[Change],
    secrets: Secrets,
    today: date,
    effective: date,
    on_touched: OnTouched,
    origin: Origin,
) -> None:
    new = [change for change in changes if change.is_new]
    altered = [(change, change.stored) for change in changes if change.stored and change.alters]
    insert_devices(session, [_new_row(change, secrets, today) for change in new])
    _update(session, altered, secrets)
    ids = device_ids(session, [change.record.code for change in new])
    ids.update({change.record.code: stored.id for change, stored in altered})
    _assign(session, changes, ids, effective)
    changed = (*new, *(change for change, _ in altered))
    with_ids = [(ids[change.record.code], change) for change in changed]
    write_history(session, with_ids, effective, origin)
    if len(ids) >= LARGE:
        refresh_statistics(session)
    touched = [
        days
        for device_id, change in with_ids
        for days in touched_days(change, device_id, today, effective)
    ]
    if touched:
        on_touched(session, touched)


def _update(session: Session, altered: Sequence[tuple[Change, Stored]], secrets: Secrets) -> None:
    update_devices(session, [{"id": stored.id, **_columns(change)} for change, stored in altered])
    update_devices(
        session,
        [
            {"id": stored.id, "password_encrypted": secrets.encrypt(change.row.password)}
            for change, stored in altered
            if change.sets_password
        ],
    )


def _assign(
    session: Session, changes: Sequence[Change], ids: dict[str, int], effective: date
) -> None:
    placed = [change for change in changes if change.is_new or change.moves]
    cohorts = intern_cohorts(session, {change.record.cohort_key for change in placed})

    def belonging(change: Change) -> Belonging:
        record = change.record
        return Belonging(ids[record.code], cohorts[record.cohort_key], record.power_district)

    insert_first_assignments(session, [belonging(each) for each in placed if each.is_new])
    reassign(session, [belonging(each) for each in placed if each.moves], effective)


def _new_row(change: Change, secrets: Secrets, today: date) -> dict[str, Any]:
    password = change.row.password
    encrypted = secrets.encrypt(password) if password else None
    return {**_columns(change), "registered_on": today, "password_encrypted": encrypted}


def _columns(change: Change) -> dict[str, Any]:
    """The record's columns of `Device`; where it belongs is told by its assignment."""
    values = change.record.as_dict()
    return {name: value for name, value in values.items() if name not in _ELSEWHERE}
