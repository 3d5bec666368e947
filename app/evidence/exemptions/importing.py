"""Exemptions are taken over row by row, from a file or from REST, under one set of rules.

All or nothing, unless bad rows are to be skipped. An exemption is known by its scope, code and
start: the same key again changes it and keeps what it said before. Two that overlap exempt no more
than one. Source: DESIGN §4.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.accounts.audit import Actor, record
from app.config import Settings
from app.database import Database
from app.errors import Remedy
from app.evidence.exemptions import queries
from app.evidence.exemptions.tables import Exemption, ExemptionScope
from app.evidence.suspension_changes import told
from app.evidence.suspensions import read_bound
from app.fleet.cells import text
from app.fleet.touched import DeviceDays, OnTouched
from app.tabular import Columns, ImportResult, Problems, ReportProgress, open_table, unreported
from app.tabular.progress import CHANGES_SHOWN
from app.tabular.setting_aside import refuse_or_set_aside
from kpi.calendar import local_day

HEADERS = {
    "scope": ("范围", "豁免范围"),
    "code": ("编码", "范围编码"),
    "from": ("开始", "豁免开始"),
    "to": ("结束", "豁免结束"),
    "reason": ("原因", "豁免原因"),
    "approved_by": ("批准人",),
    "document": ("文件", "批准文件"),
}
EXEMPTION_FILE = Columns(
    names={header: name for name, more in HEADERS.items() for header in (name, *more)},
    required=frozenset({"scope", "code", "from", "to", "reason", "approved_by"}),
    key="code",
)
SCOPES = {
    "设备": ExemptionScope.DEVICE,
    "机房": ExemptionScope.ROOM,
    "供电片区": ExemptionScope.POWER_DISTRICT,
    "项目": ExemptionScope.PROJECT,
} | {scope.value: scope for scope in ExemptionScope}
REQUIRED_CELLS = ("scope", "code", "from", "reason", "approved_by")
_TEXTS = {
    "code": text(64),
    "reason": text(512, several_lines=True),
    "approved_by": text(128),
    "document": text(256, several_lines=True),
}

Key = tuple[ExemptionScope, str, int]
"""(scope, code, start)"""


@dataclass(frozen=True, slots=True)
class ExemptionRow:
    """A row whose cells are right; `facts` are the columns of the table that it sets."""

    number: int
    key: Key
    facts: Mapping[str, Any]


def import_exemptions(
    database: Database,
    settings: Settings,
    path: Path,
    *,
    now: int,
    actor: Actor,
    on_touched: OnTouched,
    dry_run: bool = False,
    skip_bad: bool = False,
    progress: ReportProgress = unreported,
) -> ImportResult:
    """Take an exemption file over; with `dry_run` only say what would happen.

    Arguments, results and errors as of `app.evidence.suspensions.import_suspensions`.
    """
    zone = settings.zone
    with open_table(path, EXEMPTION_FILE, skip_bad=skip_bad) as table:
        problems = table.problems
        parsed = [parse_row(number, row, zone, problems) for number, row in table.rows(progress)]
    with database.read() if dry_run else database.write() as session:
        wanted = _by_key(session, [row for row in parsed if row], problems)
        bad = refuse_or_set_aside(path, EXEMPTION_FILE, table, skip_bad=skip_bad, dry_run=dry_run)
        taken = _take_over(session, zone, wanted, now, actor, on_touched, write=not dry_run)
        result = replace(taken, examples=table.examples, set_aside=bad)
        if not dry_run:
            record(session, actor, "exemptions.import", path.name, now, result.counts)
    return result


def add_exemption(
    session: Session,
    zone: ZoneInfo,
    cells: Mapping[str, str],
    now: int,
    actor: Actor,
    on_touched: OnTouched,
) -> Key:
    """Add or change one, given as the cells of a row. Raises `ImportRefused`."""
    problems = Problems("exemption")
    row = parse_row(1, cells, zone, problems)
    wanted = _by_key(session, [row] if row else [], problems)
    problems.refuse()
    _take_over(session, zone, wanted, now, actor, on_touched, write=True)
    (key,) = wanted
    details = {name: str(value) for name, value in cells.items() if value}
    record(session, actor, "exemption.record", f"{key[0]} {key[1]}", now, details)
    return key


def parse_row(
    number: int, row: Mapping[str, str], zone: ZoneInfo, problems: Problems
) -> ExemptionRow | None:
    """Read the cells of a row; None, and the problems noted, where one is wrong."""
    before = problems.total
    for name in REQUIRED_CELLS:
        if not row.get(name):
            problems.add(number, name, "", Remedy("must not be empty; fill it in"))
    values: dict[str, Any] = {}
    for name, cell in row.items():
        try:
            values[name] = _value(name, cell, zone) if cell else None
        except ValueError as error:
            problems.add(number, name, cell, error.args[0])
    if problems.total > before:
        return None
    end = values.pop("to", None)
    scope, start = values.pop("scope"), values.pop("from")
    if end is not None and end <= start:
        remedy = Remedy("must be after from (%(start)s); correct it", start=row["from"])
        problems.add(number, "to", row["to"], remedy)
        return None
    facts = {**values, "scope": scope, "start": start, "end": end}
    return ExemptionRow(number, (scope, values["code"], start), facts)


def _value(name: str, cell: str, zone: ZoneInfo) -> object:
    if name in ("from", "to"):
        return read_bound(cell, zone, ends=name == "to")
    if name == "scope":
        if cell not in SCOPES:
            names = ", ".join(scope.value for scope in ExemptionScope)
            raise ValueError(Remedy("is no scope; use one of: %(names)s", names=names))
        return SCOPES[cell]
    return _TEXTS[name](cell)


def _by_key(
    session: Session, rows: Sequence[ExemptionRow], problems: Problems
) -> dict[Key, ExemptionRow]:
    """The rows by key; codes that name nothing and repeated keys are noted as problems."""
    known = {scope: queries.known_codes(session, scope) for scope in {row.key[0] for row in rows}}
    wanted: dict[Key, ExemptionRow] = {}
    for row in rows:
        scope, code, _ = row.key
        if code not in known[scope]:
            remedy = Remedy("no %(scope)s of the register has this code", scope=scope.value)
            problems.add(row.number, "code", code, remedy)
        elif row.key in wanted:
            other = wanted[row.key].number
            remedy = Remedy("row %(row)d has the same scope, code and from; keep one", row=other)
            problems.add(row.number, "from", "", remedy)
        else:
            wanted[row.key] = row
    return wanted


def _take_over(
    session: Session,
    zone: ZoneInfo,
    wanted: Mapping[Key, ExemptionRow],
    now: int,
    actor: Actor,
    on_touched: OnTouched,
    *,
    write: bool,
) -> ImportResult:
    if write:
        queries.lock_exemptions(session)
    present: dict[Key, Exemption] = {
        (ExemptionScope(old.scope), old.code, old.start): old
        for old in queries.all_exemptions(session)
    }
    new = {key: row for key, row in wanted.items() if key not in present}
    changed = {
        key: row
        for key, row in wanted.items()
        if key in present and _differs(present[key], row.facts)
    }
    if write:
        noted = {"recorded_at": now, "recorded_by": actor.name}
        ends = [(row, [row.facts["end"]]) for row in new.values()]
        ends += [(row, [row.facts["end"], present[key].end]) for key, row in changed.items()]
        queries.insert_exemptions(session, [{**row.facts, **noted} for row in new.values()])
        queries.replace_exemptions(
            session, [(present[key], {**row.facts, **noted}) for key, row in changed.items()]
        )
        _tell_touched(session, zone, ends, on_touched)
    changes = [
        told(wanted[key].number, key[1], present.get(key), wanted[key].facts, zone)
        for key in islice((*new, *changed), CHANGES_SHOWN)
    ]
    unchanged = len(wanted) - len(new) - len(changed)
    return ImportResult(len(new), len(changed), unchanged, changes=changes)


def _differs(old: Exemption, facts: Mapping[str, Any]) -> bool:
    return any(getattr(old, name) != value for name, value in facts.items())


def _tell_touched(
    session: Session,
    zone: ZoneInfo,
    rows: Sequence[tuple[ExemptionRow, Sequence[int | None]]],
    on_touched: OnTouched,
) -> None:
    """The device-days of all that ever belonged to what is named: a few too many do no harm."""
    touched: list[DeviceDays] = []
    for row, ends in rows:
        scope, code, start = row.key
        known = [end for end in ends if end is not None]
        last = local_day(max(known) - 1, zone) if len(known) == len(ends) else None
        ids = sorted({each.device_id for each in queries.members(session, scope, [code])})
        touched += [DeviceDays(device_id, local_day(start, zone), last) for device_id in ids]
    if touched:
        on_touched(session, touched)
