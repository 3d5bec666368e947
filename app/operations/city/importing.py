"""The bureau's figures of a month are taken over from its file, one row a camera, all or nothing.

A rate in per cent, or hours (intact and assessed), or both. A figure that was told before is
changed, and what it said is kept.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from app.accounts.audit import Actor, record
from app.availability.periods import require_begun
from app.config import Settings
from app.database import Database
from app.errors import Remedy
from app.fleet.queries import device_ids
from app.operations.city import queries
from app.tabular import Columns, ImportResult, Problems, ReportProgress, open_table, unreported
from app.tabular.setting_aside import refuse_or_set_aside
from kpi.calendar import Month, day_bounds
from kpi.second_count import CLOSE, rounded

HEADERS = {
    "device_code": ("设备编码", "编码", "点位编码"),
    "name": ("名称", "设备名称", "点位名称"),
    "intact_rate": ("完好率", "市局完好率", "完好率(%)", "完好率（%）"),
    "intact_hours": ("完好时长", "完好小时", "完好时长(小时)", "完好时长（小时）"),
    "assessed_hours": ("考核时长", "考核小时", "考核时长(小时)", "考核时长（小时）"),
}
CITY_FILE = Columns(
    names={header: name for name, more in HEADERS.items() for header in (name, *more)},
    required=frozenset({"device_code"}),
    key="device_code",
)
MILLION = 1_000_000
_NUMBER = re.compile(r"[0-9]{1,9}(?:\.[0-9]+)?(?:[eE]-[0-9]{1,2})?")


@dataclass(frozen=True, slots=True)
class CityRow:
    """A row whose cells are right; `facts` are the columns `rate`, `assessed_s`, `intact_s`."""

    number: int
    code: str
    facts: Mapping[str, int | None]


def import_city_figures(
    database: Database,
    settings: Settings,
    path: Path,
    month: Month,
    *,
    now: int,
    actor: Actor,
    dry_run: bool = False,
    skip_bad: bool = False,
    progress: ReportProgress = unreported,
) -> ImportResult:
    """Take the bureau's figures of a month over; with `dry_run` only say what would happen.

    Raises `ImportRefused` with every mistake, `BadParameter` for a file that cannot be opened and
    for a month that has not begun.
    """
    require_begun(settings, month, now)
    longest = _hours_of(month, settings.zone)
    with open_table(path, CITY_FILE, skip_bad=skip_bad) as table:
        problems = table.problems
        parsed = [parse_row(number, row, longest, problems) for number, row in table.rows(progress)]
    with database.read() if dry_run else database.write() as session:
        rows = [row for row in parsed if row]
        ids = device_ids(session, sorted({row.code for row in rows}))
        wanted = _by_device(rows, ids, problems)
        bad = refuse_or_set_aside(path, CITY_FILE, table, skip_bad=skip_bad, dry_run=dry_run)
        if not dry_run:
            queries.lock_figures(session)
        present = queries.city_figures(session, month)
        noted = {"month": str(month), "file": path.name[:256], "recorded_at": now}
        facts = {
            device_id: {"device_id": device_id, **row.facts, **noted, "recorded_by": actor.name}
            for device_id, row in wanted.items()
        }
        new = [each for device_id, each in facts.items() if device_id not in present]
        changed = [
            (present[device_id], each)
            for device_id, each in facts.items()
            if device_id in present and _differs(present[device_id], each)
        ]
        result = ImportResult(len(new), len(changed), len(facts) - len(new) - len(changed))
        result = replace(result, examples=table.examples, set_aside=bad)
        if not dry_run:
            queries.insert_figures(session, new)
            queries.replace_figures(session, changed)
            subject = f"{month} {path.name}"
            record(session, actor, "city_figures.import", subject, now, result.counts)
    return result


def parse_row(
    number: int, row: Mapping[str, str], longest: int, problems: Problems
) -> CityRow | None:
    """Read the cells of a row; None, and the problems noted, where one is wrong.

    `longest`: how many hours the month has.
    """
    before = problems.total

    def note(field: str, remedy: Remedy) -> None:
        problems.add(number, field, row.get(field, ""), remedy)

    told = {name: row.get(name, "") for name in ("intact_rate", "intact_hours", "assessed_hours")}
    values: dict[str, Fraction] = {}
    for name, cell in told.items():
        try:
            if cell:
                values[name] = read_rate(cell) if name == "intact_rate" else _hours(cell, longest)
        except ValueError as error:
            note(name, error.args[0])
    if not row["device_code"]:
        note("device_code", Remedy("must not be empty; fill it in"))
    if not any(told.values()):
        note("intact_rate", Remedy("must not be empty; write a rate in per cent, or hours"))
    for name, other in (("intact_hours", "assessed_hours"), ("assessed_hours", "intact_hours")):
        if told[other] and not told[name]:
            note(name, Remedy("is missing beside %(other)s; fill in both or none", other=other))
    if problems.total == before:
        _note_contradiction(values, note)
    if problems.total > before:
        return None
    return CityRow(number, row["device_code"], _facts(values))


def read_rate(cell: str) -> Fraction:
    """A rate in per cent, with the sign or without it, as a fraction of 1.

    Raises `ValueError` with the remedy, also for what may be a fraction or a percentage.
    """
    text = cell.replace("％", "%")
    bare = text.removesuffix("%").strip()
    rate = Fraction(bare) / 100 if _NUMBER.fullmatch(bare) else None
    if rate is None or rate > 1:
        raise ValueError(Remedy("is no rate; write per cent from 0 to 100, such as 97.41"))
    if 0 < 100 * rate <= 1 and not text.endswith("%"):
        raise ValueError(
            Remedy("may be a fraction or per cent; write the sign, such as 97.41%% or 0.97%%")
        )
    return rate


def _hours(cell: str, longest: int) -> Fraction:
    hours = Fraction(cell) if _NUMBER.fullmatch(cell) else None
    if hours is None or hours > longest:
        raise ValueError(
            Remedy("is no number of hours from 0 to the month's %(longest)d", longest=longest)
        )
    return hours


def _note_contradiction(values: Mapping[str, Fraction], note: Any) -> None:
    """Hours among themselves, and beside a rate."""
    assessed, intact = values.get("assessed_hours"), values.get("intact_hours")
    if assessed is None or intact is None:
        return
    rate = values.get("intact_rate")
    if not assessed:
        note("assessed_hours", Remedy("must be more than 0; leave out what was not assessed"))
    elif intact > assessed:
        note("intact_hours", Remedy("is more than assessed_hours; correct one of them"))
    elif rate is not None and abs(intact / assessed - rate) > CLOSE:
        note("intact_rate", Remedy("is not intact_hours / assessed_hours; correct one of them"))


def _facts(values: Mapping[str, Fraction]) -> dict[str, int | None]:
    assessed, intact = values.get("assessed_hours"), values.get("intact_hours")
    if assessed is None or intact is None:
        return {
            "rate": rounded(values["intact_rate"] * MILLION),
            "assessed_s": None,
            "intact_s": None,
        }
    return {
        "rate": rounded(intact / assessed * MILLION),
        "assessed_s": rounded(assessed * 3600),
        "intact_s": rounded(intact * 3600),
    }


def _hours_of(month: Month, zone: ZoneInfo) -> int:
    start, end = day_bounds(month.first, zone)[0], day_bounds(month.last, zone)[1]
    return (end - start) // 3600


def _by_device(
    rows: Sequence[CityRow], ids: Mapping[str, int], problems: Problems
) -> dict[int, CityRow]:
    """The rows by device id; unknown and repeated codes are noted as problems."""
    wanted: dict[int, CityRow] = {}
    for row in rows:
        device_id = ids.get(row.code)
        if device_id is None:
            remedy = Remedy("the register has no device of this code; correct it or register it")
            problems.add(row.number, "device_code", row.code, remedy)
        elif device_id in wanted:
            remedy = Remedy(
                "row %(row)d is of the same device; keep one", row=wanted[device_id].number
            )
            problems.add(row.number, "device_code", row.code, remedy)
        else:
            wanted[device_id] = row
    return wanted


def _differs(old: object, facts: Mapping[str, Any]) -> bool:
    return any(getattr(old, name) != facts[name] for name in queries.FACTS)
