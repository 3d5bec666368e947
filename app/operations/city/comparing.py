"""Our month of each camera beside the bureau's, with the likely reason of a difference."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from sqlalchemy.orm import Session

from app.availability.periods import require_begun
from app.availability.queries import seconds_by_device
from app.availability.selection import Filters, Selection, select_devices
from app.config import Settings
from app.database import Database
from app.evidence.ledger import bring_up_to_date
from app.fleet.roster import Grouping, GroupName, cohorts, device_names
from app.operations.city import queries
from app.operations.city.importing import MILLION
from app.operations.city.tables import CityFigure
from kpi.calendar import Month
from kpi.rates import Amounts
from kpi.second_count import Reason, Theirs, compare


@dataclass(frozen=True, slots=True)
class CityLine:
    """A device: our seconds, the bureau's rate (None: it gives none), what lies between them.

    `difference`: ours less theirs in hundredths of a percentage point, None where there are not
    two rates of the same time.
    """

    device: GroupName
    ours: Amounts
    city_rate: Fraction | None
    city_missing_s: int | None
    difference: int | None
    reasons: Sequence[Reason]

    @property
    def missing_s(self) -> int:
        return self.ours.impaired + self.ours.offline


@dataclass(frozen=True, slots=True)
class CityMonth:
    """All devices of a month, the greatest difference first; none while the bureau has told
    nothing. `recorded_at`: when figures were taken over last, local time."""

    month: Month
    recorded_at: datetime | None
    lines: Sequence[CityLine]

    @property
    def counts(self) -> dict[Reason, int]:
        """Reason → of how many devices; a device may have two of them."""
        found = Counter(reason for line in self.lines for reason in line.reasons)
        return {reason: found[reason] for reason in Reason if found[reason]}

    def chosen(self, reason: Reason | None, text: str = "") -> list[CityLine]:
        """The lines with a reason, of which code or name hold a text."""
        sought = text.casefold()
        return [
            line
            for line in self.lines
            if (reason is None or reason in line.reasons)
            and any(sought in each.casefold() for each in (line.device.code, line.device.name))
        ]


def city_month(
    database: Database, settings: Settings, month: Month, filters: Filters, now: int
) -> CityMonth:
    """Compare a month as far as it has come.

    Raises `BadParameter` for one that has not begun, `NotFound` for an unknown code.
    """
    require_begun(settings, month, now)
    bring_up_to_date(database, settings, month.first, month.last, now)
    with database.read() as session:
        selection = select_devices(session, Grouping.FLEET, filters)
        recorded = queries.last_recorded(session, month)
        if recorded is None:
            return CityMonth(month, None, [])
        names = device_names(session)
        lines = [
            _line(names[device_id], *compared)
            for device_id, compared in _compared(session, selection, filters, month)
        ]
    lines.sort(key=_greatest_first)
    return CityMonth(month, datetime.fromtimestamp(recorded, settings.zone), lines)


def _greatest_first(line: CityLine) -> tuple[bool, int, str]:
    return line.difference is None, -abs(line.difference or 0), line.device.code


def _compared(
    session: Session, selection: Selection, filters: Filters, month: Month
) -> Iterator[tuple[int, tuple[Amounts, int, CityFigure | None]]]:
    """Device id → (our seconds within the selection, those in service outside of it, theirs)."""
    figures = queries.city_figures(session, month)
    own, elsewhere = _own_seconds(session, selection, filters, month)
    unserved = {
        device_id
        for device_id, cohort_id in queries.cohorts_at_end(session, month).items()
        if cohort_id in selection.cohorts and device_id not in elsewhere
    }
    if selection.device_id is not None:
        unserved &= {selection.device_id}
    for device_id in own.keys() | unserved:
        ours = own.get(device_id, Amounts())
        yield device_id, (ours, elsewhere.get(device_id, 0), figures.get(device_id))


def _own_seconds(
    session: Session, selection: Selection, filters: Filters, month: Month
) -> tuple[Mapping[int, Amounts], Mapping[int, int]]:
    """Device id → seconds while it belonged to the selection; those in service while it did not."""
    every = [view.id for view in cohorts(session) if view.kind == filters.kind]
    own: dict[int, Amounts] = {}
    elsewhere: dict[int, int] = defaultdict(int)
    rows = seconds_by_device(session, month.first, month.last, every, selection.device_id)
    for device_id, cohort_id, seconds in rows:
        is_own = cohort_id in selection.cohorts
        if is_own:
            own[device_id] = own.get(device_id, Amounts()) + seconds
        elsewhere[device_id] += 0 if is_own else seconds.in_service
    return own, elsewhere


def _line(
    device: GroupName, ours: Amounts, elsewhere_s: int, figure: CityFigure | None
) -> CityLine:
    if figure is None:
        return CityLine(device, ours, None, None, None, (Reason.NOT_LISTED,))
    theirs = _theirs(figure)
    if elsewhere_s:
        return CityLine(device, ours, theirs.rate, None, None, (Reason.PART_OF_MONTH,))
    found = compare(ours, theirs)
    return CityLine(device, ours, theirs.rate, found.missing_s, found.difference, found.reasons)


def _theirs(figure: CityFigure) -> Theirs:
    """The seconds say more than the rate that was made of them."""
    assessed_s, intact_s = figure.assessed_s, figure.intact_s
    if assessed_s is None or intact_s is None:
        return Theirs(Fraction(figure.rate, MILLION))
    return Theirs(Fraction(intact_s, assessed_s), assessed_s, intact_s)
