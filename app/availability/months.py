"""What the page of a month says, and its exports: a row for each group, the total, how far it came.

The figures are those of `GET /availability/monthly`; a page holds one page of rows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.availability.documents import MonthlyDocument, PeriodRow
from app.availability.figures import Figure, Verdict, coverage, figure
from app.availability.periods import monthly
from app.availability.selection import Filters, Selection, group_named, select_devices
from app.config import Settings
from app.database import Database
from app.fleet.roster import Grouping, GroupName, first_service_day
from app.web.language import message
from app.web.listing import Column, Listing
from kpi.calendar import Month, day_start, existing_end, local_day
from kpi.rates import Amounts, Basis

MONTHS_OFFERED = 36
GROUPINGS: Mapping[Grouping, str] = {
    Grouping.STATION: message("Station"),
    Grouping.ROOM: message("Room"),
    Grouping.PROJECT: message("Project"),
    Grouping.CONTRACTOR: message("Contractor"),
    Grouping.FLEET: message("All together"),
}
"""What a row may stand for → its name in the catalogue."""
BASIS_WORDS: Mapping[Basis, str] = {
    "reachability": message("reachability"),
    "video": message("video"),
}
MONTH_COLUMNS = (
    Column("name", message("Name")),
    Column("devices", message("Assessed"), is_number=True),
    Column("intact", message("Intact rate"), is_number=True),
    Column("intact_target", message("Intact target")),
    Column("online", message("Online rate"), is_number=True),
    Column("suspended", message("Suspended rate"), is_number=True),
    Column("suspended_target", message("Suspended target")),
    Column("coverage", message("Coverage"), is_number=True),
    Column("basis", message("Basis")),
)


@dataclass(frozen=True, slots=True)
class MonthLine:
    """A group's month; no code: the devices that belong to none. `basis` is a text."""

    code: str | None
    name: str | None
    devices: int
    amounts: Amounts
    intact: Figure
    online: Figure
    suspended: Figure
    coverage: Figure
    basis: str


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a month has come: `until` is local time, None where all its slots are past."""

    month: Month
    until: datetime | None

    @property
    def is_over(self) -> bool:
        return self.until is None


@dataclass(frozen=True, slots=True)
class SealShown:
    """Under which seal the figures stand; `at` is local time."""

    version: int
    at: datetime
    sha256: str


@dataclass(frozen=True, slots=True)
class MonthAsked:
    """What somebody wants to see of which month.

    `group`: only this one (code); empty: the devices that belong to none; None: all together.
    """

    month: Month
    grouping: Grouping
    filters: Filters
    group: str | None = None

    def selected(self, session: Session) -> Selection:
        """The devices. Raises `NotFound` for a group that is not within reach."""
        filters = self.filters
        if self.group:
            only: dict[str, Any] = {self.grouping.value: self.group}
            filters = replace(filters, **only)
        selection = select_devices(session, self.grouping, filters)
        if self.group != "":
            return selection
        of_none = {
            cohort_id: view
            for cohort_id, view in selection.cohorts.items()
            if selection.group_of(cohort_id) is None
        }
        return replace(selection, cohorts=of_none)

    def group_name(self, session: Session) -> GroupName | None:
        """Code and name of the one group; None where there is none."""
        return group_named(session, self.grouping, self.group)[1] if self.group else None


@dataclass(frozen=True, slots=True)
class MonthFigures:
    """All rows of a month in the order asked for; where all are together there is but the total."""

    asked: MonthAsked
    reached: Reached
    timezone: str
    policy: str
    seal: SealShown | None
    lines: Sequence[MonthLine]
    total: MonthLine
    list: Listing

    @property
    def page(self) -> Sequence[MonthLine]:
        """The rows that the list shows."""
        return self.lines[self.list.skip : self.list.skip + self.list.rows]


def month_figures(
    database: Database, settings: Settings, asked: MonthAsked, wanted: Listing, now: int
) -> MonthFigures:
    """The figures of a month at `now`. Raises `BadParameter` for a month that has not begun."""
    grouping = asked.grouping
    document = monthly(database, settings, asked.month, grouping, asked.filters, now)
    rows = [] if grouping is Grouping.FLEET else document.rows
    lines = _in_order([_line(row) for row in rows], wanted)
    return MonthFigures(
        asked,
        reached(settings, asked.month, now),
        document.timezone,
        document.policy,
        _seal(document),
        lines,
        _line(document.total),
        wanted.of(len(lines)),
    )


def reached(settings: Settings, month: Month, now: int) -> Reached:
    """How far the month has come at `now`, in slots that exist."""
    start = day_start(month.first, settings.zone)
    end = day_start(month.last + timedelta(days=1), settings.zone)
    newest = existing_end(now, settings.poll_interval)
    until = datetime.fromtimestamp(max(start, newest), settings.zone) if newest < end else None
    return Reached(month, until)


def months_offered(database: Database, settings: Settings, chosen: Month, now: int) -> list[Month]:
    """The newest months in which anything was in service, and the chosen one; newest first."""
    with database.read() as session:
        earliest = first_service_day(session)
    month = Month.of(local_day(now, settings.zone))
    months = [month]
    while earliest is not None and len(months) < MONTHS_OFFERED and month.first > earliest:
        month = before(month)
        months.append(month)
    return months if chosen in months else [*months, chosen]


def before(month: Month) -> Month:
    """The month before."""
    return Month.of(month.first - timedelta(days=1))


def _seal(document: MonthlyDocument) -> SealShown | None:
    version, at, sha256 = document.version, document.sealed_at, document.manifest_sha256
    if version is None or at is None or sha256 is None:
        return None
    return SealShown(version, at, sha256)


def _line(row: PeriodRow) -> MonthLine:
    amounts = row.amounts
    return MonthLine(
        row.group,
        row.name,
        row.devices,
        amounts,
        figure("intact", amounts),
        figure("online", amounts),
        figure("suspended", amounts),
        coverage(amounts),
        BASIS_WORDS[row.basis],
    )


def _in_order(lines: Sequence[MonthLine], wanted: Listing) -> list[MonthLine]:
    """Sorted; what has no value for the column comes last either way."""
    value_of = _VALUES[wanted.sort]
    known = [line for line in lines if value_of(line) is not None]
    known.sort(key=lambda line: (value_of(line), line.name or ""), reverse=wanted.descending)
    return [*known, *(line for line in lines if value_of(line) is None)]


_WORST_FIRST = (Verdict.MISSED, Verdict.INSUFFICIENT, Verdict.NOTHING, Verdict.MET)


def _rank(rate: Figure) -> int | None:
    return None if rate.verdict is None else _WORST_FIRST.index(rate.verdict)


_VALUES: Mapping[str, Callable[[MonthLine], float | str | None]] = {
    "name": lambda line: line.name,
    "devices": lambda line: line.devices,
    "intact": lambda line: line.intact.fraction,
    "intact_target": lambda line: _rank(line.intact),
    "online": lambda line: line.online.fraction,
    "suspended": lambda line: line.suspended.fraction,
    "suspended_target": lambda line: _rank(line.suspended),
    "coverage": lambda line: line.coverage.fraction,
    "basis": lambda line: line.basis,
}
