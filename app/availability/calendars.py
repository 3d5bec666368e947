"""Months as calendars: each day's intact rate, coloured by how it stands to the target."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from app.availability.figures import Figure, figure
from app.availability.today import level
from kpi.calendar import Month, days_between
from kpi.rates import Amounts


@dataclass(frozen=True, slots=True)
class Cell:
    """A day; `level` is a kind of `app.web.bars.LEVELS`, empty where nothing was assessed."""

    day: date
    figure: Figure
    level: str
    address: str | None
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class CalendarMonth:
    """A month, a row a week from Monday; None: a day of another month."""

    title: str
    weeks: Sequence[Sequence[Cell | None]]


def calendar(
    month: Month,
    days: Mapping[date, Amounts],
    chosen: date | None,
    address_of: Callable[[date], str],
) -> CalendarMonth:
    """The month of these sums; a day without any leads nowhere."""
    cells: list[Cell | None] = [None] * month.first.weekday()
    for day in days_between(month.first, month.last):
        sums = days.get(day, Amounts())
        address = address_of(day) if day in days else None
        cells.append(Cell(day, figure("intact", sums), level(sums) or "", address, day == chosen))
    cells += [None] * (-len(cells) % 7)
    return CalendarMonth(str(month), [cells[at : at + 7] for at in range(0, len(cells), 7)])
