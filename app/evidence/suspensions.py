"""Import of suspensions (报停): every row is checked before anything is written.

All or nothing, unless bad rows are to be skipped.

A suspension is known by its device and its start. The same key again changes it and keeps what it
said before; two suspensions of one device never overlap. Source: issue "Fleet register", DESIGN §4.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.accounts.audit import Actor, record, shell_actor
from app.config import Settings
from app.database import Database
from app.errors import Remedy
from app.evidence.overlaps import Span, overlaps
from app.evidence.suspension_changes import shown, told
from app.evidence.suspension_queries import (
    insert_suspensions,
    lock_suspensions,
    replace_suspensions,
    suspensions_of,
)
from app.evidence.tables import Suspension
from app.fleet.cells import text
from app.fleet.queries import device_ids
from app.fleet.touched import DeviceDays, OnTouched
from app.tabular import (
    Columns,
    ImportResult,
    Problems,
    ReportProgress,
    open_table,
    read_day,
    unreported,
)
from app.tabular.progress import CHANGES_SHOWN
from app.tabular.setting_aside import refuse_or_set_aside
from kpi.calendar import day_start, local_day

HEADERS = {
    "device_code": ("设备编码", "编码"),
    "from": ("开始", "报停开始"),
    "to": ("结束", "报停结束"),
    "reason": ("原因", "报停原因"),
    "approved_by": ("批准人",),
    "document": ("文件", "批准文件"),
}
SUSPENSION_FILE = Columns(
    names={header: name for name, more in HEADERS.items() for header in (name, *more)},
    required=frozenset({"device_code", "from", "to", "reason", "approved_by"}),
    key="device_code",
)
_TEXTS = {
    "reason": text(512, several_lines=True),
    "approved_by": text(128),
    "document": text(256, several_lines=True),
}
REQUIRED_CELLS = ("device_code", "from", "reason", "approved_by")
_MOMENT = re.compile(
    r"([0-9/-]+)[T ]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))? ?(?:(Z)|([+-])([0-9]{2}):?([0-9]{2}))?"
)
_DAY = timedelta(days=1)

_Key = tuple[int, int]
"""(device id, start)"""


@dataclass(frozen=True, slots=True)
class SuspensionRow:
    """A row whose cells are right. `end` None: open. `texts` holds the columns that are there.

    `from_cell` is the start as the file writes it.
    """

    number: int
    code: str
    from_cell: str
    start: int
    end: int | None
    texts: Mapping[str, str | None]


def import_suspensions(
    database: Database,
    settings: Settings,
    path: Path,
    *,
    now: int,
    on_touched: OnTouched,
    actor: Actor | None = None,
    dry_run: bool = False,
    skip_bad: bool = False,
    progress: ReportProgress = unreported,
) -> ImportResult:
    """Take a suspension file over; with `dry_run` only say what would happen.

    With `skip_bad` rows with mistakes go to a file of their own and all others are taken over.

    `now` (UTC seconds) is noted as the time of recording. `on_touched` is given the local days of
    each suspension that is new or has another end, before and after, in the same transaction, as
    the audit log is, which says that `actor` did it (None: the shell).
    Raises `ImportRefused` with every mistake, `BadParameter` for a file that cannot be opened.
    """
    zone = settings.zone
    with open_table(path, SUSPENSION_FILE, skip_bad=skip_bad) as table:
        problems = table.problems
        parsed = [parse_row(number, row, zone, problems) for number, row in table.rows(progress)]
    rows = [row for row in parsed if row]
    with database.read() if dry_run else database.write() as session:
        if not dry_run:
            lock_suspensions(session)
        ids = device_ids(session, sorted({row.code for row in rows}))
        wanted = _by_key(rows, ids, problems)
        involved = sorted({device_id for device_id, _ in wanted})
        present = {(old.device_id, old.start): old for old in suspensions_of(session, involved)}
        overlapping = _note_overlaps(wanted, present, zone, problems)
        while skip_bad and overlapping:  # what a skipped row was to replace stands after all
            wanted = {key: row for key, row in wanted.items() if row.number not in overlapping}
            overlapping = _note_overlaps(wanted, present, zone, problems)
        bad = refuse_or_set_aside(path, SUSPENSION_FILE, table, skip_bad=skip_bad, dry_run=dry_run)
        new = {key: _facts(key, row) for key, row in wanted.items() if key not in present}
        changed = [
            (present[key], _facts(key, row))
            for key, row in wanted.items()
            if key in present and _differs(present[key], _facts(key, row))
        ]
        if not dry_run:
            _write(session, list(new.values()), changed, now, zone, on_touched)
        unchanged = len(wanted) - len(new) - len(changed)
        result = ImportResult(len(new), len(changed), unchanged, table.examples, bad)
        if not dry_run:
            who = actor or shell_actor()
            record(session, who, "suspensions.import", path.name, now, result.counts)
    altered = {(old.device_id, old.start): facts for old, facts in changed} | new
    changes = [
        told(wanted[key].number, wanted[key].code, present.get(key), altered[key], zone)
        for key in islice((key for key in wanted if key in altered), CHANGES_SHOWN)
    ]
    return replace(result, changes=changes)


def parse_row(
    number: int, row: Mapping[str, str], zone: ZoneInfo, problems: Problems
) -> SuspensionRow | None:
    """Read the cells of a row; None, and the problems noted, where one is wrong."""
    before = problems.total
    for name in REQUIRED_CELLS:
        if not row[name]:
            problems.add(number, name, "", Remedy("must not be empty; fill it in"))
    values: dict[str, Any] = {}
    for name, cell in row.items():
        try:
            values[name] = _value(name, cell, zone) if cell else None
        except ValueError as error:
            problems.add(number, name, cell, error.args[0])
    if problems.total > before:
        return None
    if values["to"] is not None and values["to"] <= values["from"]:
        remedy = Remedy("must be after from (%(start)s); correct it", start=row["from"])
        problems.add(number, "to", row["to"], remedy)
        return None
    texts = {name: values[name] for name in _TEXTS if name in values}
    return SuspensionRow(
        number, row["device_code"], row["from"], values["from"], values["to"], texts
    )


def _value(name: str, cell: str, zone: ZoneInfo) -> str | int:
    if name in ("from", "to"):
        return read_bound(cell, zone, ends=name == "to")
    return str(_TEXTS[name](cell)) if name in _TEXTS else cell


def read_bound(cell: str, zone: ZoneInfo, *, ends: bool) -> int:
    """The instant (UTC seconds) at which a suspension starts or ends.

    A bare date starts at its midnight and ends with its last second. A time without offset is
    local; one that comes twice when the clock is put back is taken as the earlier, one that is
    skipped as that much later. Raises `ValueError` with the remedy.
    """
    moment = _MOMENT.fullmatch(cell)
    if not moment:
        try:
            day = read_day(cell)
        except ValueError as error:
            told = Remedy("%(reason)s (write YYYY-MM-DD or YYYY-MM-DD HH:MM)", reason=error.args[0])
            raise ValueError(told) from None
        return day_start(day + _DAY if ends else day, zone)
    day = read_day(moment[1])
    try:
        local = datetime(
            day.year, day.month, day.day, int(moment[2]), int(moment[3]), int(moment[4] or 0),
            tzinfo=_offset(moment) or zone,
        )  # fmt: skip
    except ValueError:
        raise ValueError(
            Remedy("is no time from 00:00 to 23:59, or its offset is wrong; correct it")
        ) from None
    return int(local.timestamp())


def _offset(moment: re.Match[str]) -> timezone | None:
    if moment[5]:
        return UTC
    if not moment[6]:
        return None
    ahead = timedelta(hours=int(moment[7]), minutes=int(moment[8]))
    return timezone(ahead if moment[6] == "+" else -ahead)


def _by_key(
    rows: Sequence[SuspensionRow], ids: Mapping[str, int], problems: Problems
) -> dict[_Key, SuspensionRow]:
    """The rows by device and start; unknown devices and repeated keys are noted as problems."""
    wanted: dict[_Key, SuspensionRow] = {}
    for row in rows:
        if row.code not in ids:
            remedy = Remedy("is not in the register; import the device first")
            problems.add(row.number, "device_code", row.code, remedy)
            continue
        key = (ids[row.code], row.start)
        if key in wanted:
            remedy = Remedy(
                "row %(row)d has the same device and from; keep one of them", row=wanted[key].number
            )
            problems.add(row.number, "from", row.from_cell, remedy)
        else:
            wanted[key] = row
    return wanted


def _note_overlaps(
    wanted: Mapping[_Key, SuspensionRow],
    present: Mapping[_Key, Suspension],
    zone: ZoneInfo,
    problems: Problems,
) -> set[int]:
    """Note overlaps within the file and with the database, where the file replaces its keys.

    Returns the rows to blame: without them the others do not overlap among themselves.
    """
    blamed_rows = set()
    cells = {row.number: row.from_cell for row in wanted.values()}
    spans: defaultdict[int, list[Span]] = defaultdict(list)
    for (device_id, start), row in wanted.items():
        spans[device_id].append(Span(start, row.end, row.number))
    for key, old in present.items():
        if key not in wanted:
            spans[old.device_id].append(Span(old.start, old.end, None))
    for each in spans.values():
        for blamed, other in overlaps(each):
            remedy = Remedy(
                "overlaps the suspension %(place)s (%(start)s to %(end)s); end one before the "
                "other starts",
                place=_place(other),
                start=shown(other.start, zone),
                end=Remedy("open") if other.end is None else shown(other.end, zone),
            )
            row_number = blamed.row or 0  # those of the file are blamed, and these have one
            problems.add(row_number, "from", cells[row_number], remedy)
            blamed_rows.add(row_number)
    return blamed_rows


def _place(other: Span) -> Remedy:
    if other.row is None:
        return Remedy("of the register")
    return Remedy("in row %(row)d", row=other.row)


def _facts(key: _Key, row: SuspensionRow) -> dict[str, Any]:
    device_id, start = key
    return {"device_id": device_id, "start": start, "end": row.end, **row.texts}


def _differs(old: Suspension, facts: Mapping[str, Any]) -> bool:
    return any(getattr(old, name) != value for name, value in facts.items())


def _write(
    session: Session,
    new: Sequence[Mapping[str, Any]],
    changed: Sequence[tuple[Suspension, Mapping[str, Any]]],
    now: int,
    zone: ZoneInfo,
    on_touched: OnTouched,
) -> None:
    touched = [_days(facts["device_id"], facts["start"], [facts["end"]], zone) for facts in new]
    touched += [
        _days(old.device_id, old.start, [old.end, facts["end"]], zone)
        for old, facts in changed
        if old.end != facts["end"]
    ]
    insert_suspensions(session, [{**facts, "recorded_at": now} for facts in new])
    replace_suspensions(session, [(old, {**facts, "recorded_at": now}) for old, facts in changed])
    if touched:
        on_touched(session, touched)


def _days(device_id: int, start: int, ends: Sequence[int | None], zone: ZoneInfo) -> DeviceDays:
    """The local days from a start to the latest of these ends."""
    known = [end for end in ends if end is not None]
    last = local_day(max(known) - 1, zone) if len(known) == len(ends) else None
    return DeviceDays(device_id, local_day(start, zone), last)
