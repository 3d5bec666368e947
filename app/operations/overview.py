"""What the overview says: the rates now and of the month, the evidence behind them, the worst.

Nothing here grows with the fleet: sums by station, and of those at most `MOST_STATIONS`.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction

import structlog
from sqlalchemy.exc import OperationalError

from app.availability.documents import NowRow, PeriodRow
from app.availability.instant import present
from app.availability.periods import monthly
from app.availability.selection import Filters
from app.config import Settings
from app.database import Database
from app.errors import IntactError
from app.evidence.queries import has_days_of, last_sweep
from app.evidence.tables import DayOrigin
from app.fleet.roster import Grouping, first_service_day
from app.operations import queries
from app.operations.messages import AlertFacts
from app.web.language import message
from kpi.calendar import Month, local_day
from kpi.policy import DEFAULT_POLICY
from kpi.rates import Amounts, Direction, percent

MOST_STATIONS = 60

log = structlog.get_logger()


class Verdict(StrEnum):
    """How a figure stands to its target; the words are texts of the catalogue."""

    MET = message("met")
    MISSED = message("missed")
    INSUFFICIENT = message("evidence insufficient")
    NOTHING = message("no evidence")


@dataclass(frozen=True, slots=True)
class Figure:
    """A rate in print ("97.41 %", or "–"), its fraction for the scale, and its verdict."""

    text: str
    fraction: float | None
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class Scale:
    """The stretch of a rate that is drawn; `target` None: the rate has none."""

    low: Fraction
    high: Fraction
    target: Fraction | None
    direction: Direction

    def place(self, fraction: float | Fraction) -> float:
        """Where a fraction lies on the scale, in per cent of its length."""
        share = (float(fraction) - float(self.low)) / float(self.high - self.low)
        return round(100 * min(max(share, 0.0), 1.0), 2)


@dataclass(frozen=True, slots=True)
class Rate:
    """One of the three rates: now, and from the first of the month."""

    key: str
    label: str
    scale: Scale
    now: Figure
    month: Figure


@dataclass(frozen=True, slots=True)
class StationLine:
    """One station now; `parts` are the shares of its classes for the bar, in per cent."""

    code: str | None
    name: str | None
    devices: int
    amounts: Amounts
    intact: Figure
    online: Figure
    suspended: Figure
    parts: Sequence[tuple[str, float, float]]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What stands behind the figures; ages in seconds, None before the first sweep."""

    age_s: int | None
    swept_at: datetime | None
    stale: bool
    coverage_now: Figure
    coverage_month: Figure


@dataclass(frozen=True, slots=True)
class Overview:
    """The page. `month_problem`: why the month's figures are missing, where they are;
    `demonstration`: days of the month are invented."""

    month: Month
    timezone: str
    devices: int
    amounts: Amounts
    rates: Sequence[Rate]
    evidence: Evidence
    alerts: Sequence[AlertFacts]
    stations: Sequence[StationLine]
    more_stations: int
    month_problem: str | None
    unsent: int
    demonstration: bool


SCALES = {
    "intact": Scale(Fraction(90, 100), Fraction(1), DEFAULT_POLICY.intact_target, "at_least"),
    "online": Scale(Fraction(90, 100), Fraction(1), None, "at_least"),
    "suspended": Scale(Fraction(0), Fraction(6, 100), DEFAULT_POLICY.suspended_target, "at_most"),
}
LABELS = {
    "intact": message("Intact rate"),
    "online": message("Online rate"),
    "suspended": message("Suspended rate"),
}
BAR = ("offline", "impaired", "unknown", "suspended", "exempted", "intact")
"""What fails comes first, so that the bars of all stations can be compared at one edge."""


def overview(database: Database, settings: Settings, now: int) -> Overview | None:
    """The page's figures at `now` (UTC seconds); None where no device is registered."""
    with database.read() as session:
        if first_service_day(session) is None:
            return None
        sweep = last_sweep(session)
        alerts = [AlertFacts.of(alert) for alert in queries.open_alerts(session)]
        unsent = queries.count_unsent(session, now)
        first = local_day(now, settings.zone).replace(day=1)
        demonstration = has_days_of(session, DayOrigin.DEMO, first)
    document = present(database, settings, Grouping.STATION, Filters(), now)
    today = local_day(now, settings.zone)
    so_far, problem = _month_to_date(database, settings, today, now)
    lines = [_line(row) for row in sorted(document.rows, key=_worst_first)]
    return Overview(
        month=Month.of(today),
        timezone=settings.timezone,
        devices=document.total.devices,
        amounts=document.total.amounts,
        rates=[_rate(key, document.total, so_far) for key in SCALES],
        evidence=Evidence(
            age_s=None if sweep is None else max(0, now - sweep.finished_at),
            swept_at=None if sweep is None else _local(settings, sweep.finished_at),
            stale=document.stale,
            coverage_now=_coverage(document.total.amounts),
            coverage_month=_coverage(so_far.amounts if so_far else Amounts()),
        ),
        alerts=alerts,
        stations=lines[:MOST_STATIONS],
        more_stations=max(0, len(lines) - MOST_STATIONS),
        month_problem=problem,
        unsent=unsent,
        demonstration=demonstration,
    )


def _month_to_date(
    database: Database, settings: Settings, today: date, now: int
) -> tuple[PeriodRow | None, str | None]:
    """The month's row, or why there is none: the page shows the rest in any case."""
    try:
        month = Month.of(today)
        return monthly(database, settings, month, Grouping.FLEET, Filters(), now).total, None
    except IntactError as error:
        return None, str(error)
    except OperationalError as error:
        log.warning("the month's figures are missing", error=str(error.orig))
        return None, message("The ledger is being brought up to date; the month follows.")


def _rate(key: str, total: NowRow, so_far: PeriodRow | None) -> Rate:
    scale = SCALES[key]
    month = Figure("–", None, None) if so_far is None else _figure(key, so_far, so_far.amounts)
    return Rate(key, LABELS[key], scale, _figure(key, total, total.amounts), month)


def _figure(key: str, row: NowRow | PeriodRow, amounts: Amounts) -> Figure:
    scale = SCALES[key]
    part, whole = _share(key, amounts)
    met = {"intact": row.intact_target_met, "suspended": row.suspended_target_met}.get(key)
    verdict = None if scale.target is None else _verdict(met, whole, amounts)
    text = percent(part, whole, scale.target, scale.direction)
    return Figure(text, part / whole if whole else None, verdict)


def _share(key: str, amounts: Amounts) -> tuple[int, int]:
    if key == "suspended":
        return amounts.suspended, amounts.in_service
    return (amounts.intact if key == "intact" else amounts.answered), amounts.assessed


def _verdict(met: bool | None, whole: int, amounts: Amounts) -> Verdict:
    if not whole or (met is None and not amounts.assessed):
        return Verdict.NOTHING
    if met is None:
        return Verdict.INSUFFICIENT
    return Verdict.MET if met else Verdict.MISSED


def _coverage(amounts: Amounts) -> Figure:
    part, whole = amounts.assessed, amounts.to_be_assessed
    least = DEFAULT_POLICY.min_coverage
    met = part >= least * whole if whole else None
    verdict = Verdict.NOTHING if met is None else Verdict.MET if met else Verdict.INSUFFICIENT
    return Figure(percent(part, whole, least), part / whole if whole else None, verdict)


def _line(row: NowRow) -> StationLine:
    amounts = row.amounts
    intact, online, suspended = (_figure(key, row, amounts) for key in SCALES)
    return StationLine(
        row.group, row.name, row.devices, amounts, intact, online, suspended, _parts(amounts)
    )


def _parts(amounts: Amounts) -> list[tuple[str, float, float]]:
    """(class, start, width) of what is there, in per cent of the bar."""
    total, parts, start = sum(astuple(amounts)), [], 0.0
    for name in BAR:
        width = 100 * getattr(amounts, name) / total if total else 0.0
        if width:
            parts.append((name, round(start, 2), round(width, 2)))
        start += width
    return parts


def _worst_first(row: NowRow) -> tuple[bool, float, int, str]:
    """The lowest intact rate first; stations without one after those that have it."""
    failing = row.impaired + row.offline
    return row.intact_rate is None, row.intact_rate or 0.0, -failing, row.group or "\U0010ffff"


def _local(settings: Settings, instant: int) -> datetime:
    return datetime.fromtimestamp(instant, settings.zone)
