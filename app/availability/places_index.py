"""The list of all stations (rooms, projects, contractors) with their figures."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.availability.figures import Figure, figure
from app.availability.instant import present
from app.availability.queries import seconds_by_cohort
from app.availability.selection import Filters, select_devices
from app.config import Settings
from app.database import Database
from app.fleet.roster import Grouping
from app.web.bars import Share, shares
from app.web.language import message
from app.web.listing import Column, Listing
from kpi.calendar import local_day
from kpi.rates import Amounts

PLACE_COLUMNS = (
    Column("name", message("Name")),
    Column("intact", message("Intact rate"), is_number=True),
    Column("parts", message("Cameras by state"), can_sort=False),
    Column("month", message("Month"), is_number=True),
    Column("devices", message("Cameras"), is_number=True),
    Column("failing", message("not intact"), is_number=True),
    Column("suspended", message("Suspended rate"), is_number=True),
)


@dataclass(frozen=True, slots=True)
class PlaceLine:
    """One place of the list; no code: the cameras that belong to none."""

    code: str | None
    name: str | None
    amounts: Amounts
    intact: Figure
    suspended: Figure
    month: Figure
    parts: list[Share]

    @property
    def failing(self) -> int:
        return self.amounts.impaired + self.amounts.offline


def places(
    database: Database,
    settings: Settings,
    grouping: Grouping,
    filters: Filters,
    wanted: Listing,
    now: int,
) -> tuple[list[PlaceLine], Listing]:
    """The places that the list shows, and the list with the number of all."""
    document = present(database, settings, grouping, filters, now)
    months = _months(database, settings, grouping, filters, now)
    lines = [
        PlaceLine(
            row.group,
            row.name,
            row.amounts,
            figure("intact", row.amounts),
            figure("suspended", row.amounts),
            figure("intact", months.get(row.group, Amounts())),
            shares(row.amounts),
        )
        for row in document.rows
        if wanted.text.casefold() in f"{row.name} {row.group}".casefold()
    ]
    lines.sort(key=_ORDERS[wanted.sort], reverse=wanted.descending)
    wanted = wanted.of(len(lines))
    return lines[wanted.skip : wanted.skip + wanted.rows], wanted


def _months(
    database: Database, settings: Settings, grouping: Grouping, filters: Filters, now: int
) -> dict[str | None, Amounts]:
    """Code → seconds of the month so far."""
    today = local_day(now, settings.zone)
    sums: dict[str | None, Amounts] = defaultdict(Amounts)
    with database.read() as session:
        selection = select_devices(session, grouping, filters)
        found = seconds_by_cohort(session, today.replace(day=1), today, selection.cohorts.keys())
    for cohort_id, seconds in found.items():
        name = selection.name_of(selection.group_of(cohort_id))
        sums[name.code if name else None] += seconds
    return sums


_ORDERS: Mapping[str, Callable[[PlaceLine], tuple[float | str, str]]] = {
    "name": lambda line: (line.name or "\U0010ffff", line.code or ""),
    "intact": lambda line: (_or_last(line.intact), line.name or ""),
    "month": lambda line: (_or_last(line.month), line.name or ""),
    "devices": lambda line: (line.amounts.in_service, line.name or ""),
    "failing": lambda line: (line.failing, line.name or ""),
    "suspended": lambda line: (_or_last(line.suspended), line.name or ""),
}


def _or_last(rate: Figure) -> float:
    """The fraction; a rate that is none comes after all others."""
    return 2.0 if rate.fraction is None else rate.fraction
