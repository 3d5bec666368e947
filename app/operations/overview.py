"""What the overview says: the rates now and of the month, the evidence behind them, the worst.

Nothing here grows with the fleet: sums by station and room, and of those only so many.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.availability.budgets import month_budget
from app.availability.documents import NowRow
from app.availability.figures import (
    Figure,
    Rate,
    Trend,
    coverage,
    figure,
    three_rates,
    trend,
)
from app.availability.instant import present
from app.availability.periods import seconds_by_day
from app.availability.queries import Change, changes_since, seconds_by_cohort
from app.availability.rooms import Condition, RoomState, rooms_now
from app.availability.selection import Filters, Selection, select_devices
from app.availability.today import Quarters, quarters_today
from app.config import Settings
from app.database import Database
from app.errors import IntactError
from app.evidence.host_queries import open_host_events
from app.evidence.queries import has_days_of, last_sweep
from app.evidence.tables import DayOrigin
from app.fleet.roster import Grouping, first_service_day
from app.operations.alerts.messages import AlertFacts
from app.operations.alerts.queries import open_alerts
from app.operations.delivery.queries import count_unsent
from app.operations.faults.list_queries import open_incidents
from app.operations.faults.showing import IncidentLine, incident_line
from app.web.language import message
from app.web.words import STATUS_WORDS, class_name
from kpi.budget import Budget
from kpi.calendar import Month, local_day
from kpi.policy import DEFAULT_POLICY
from kpi.rates import Amounts
from kpi.status import SlotClass, Status

T = TypeVar("T")

MOST_STATIONS = 60
MOST_ROOMS = 60
MOST_CHANGES = 12
CHANGED_WITHIN_S = 3600
TREND_DAYS = 31

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class StationLine:
    """One station: now, the slots of its day, its month so far; no code: no station."""

    code: str | None
    name: str | None
    devices: int
    amounts: Amounts
    intact: Figure
    suspended: Figure
    month: Figure
    today: Quarters | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What stands behind the figures; ages in seconds, None before the first sweep."""

    age_s: int | None
    swept_at: datetime | None
    stale: bool
    coverage_now: Figure
    coverage_month: Figure


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """A device that is as it is since `at`; `status` is a text of the catalogue."""

    change: Change
    slot_class: str
    status: str
    at: datetime


@dataclass(frozen=True, slots=True)
class HostLine:
    """What has put the collector's host in doubt since `at`: a kind of `HostEventKind`."""

    kind: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Overview:
    """The page. `month_problem`: why the month's figures are missing, where they are;
    `demonstration`: days of the month are invented; `host`: what puts the collector in doubt."""

    now: datetime
    month: Month
    timezone: str
    devices: int
    amounts: Amounts
    rates: Sequence[Rate]
    budget: Budget
    breaks_at: datetime | None
    trend: Trend
    evidence: Evidence
    incidents: Sequence[IncidentLine]
    alerts: Sequence[AlertFacts]
    stations: Sequence[StationLine]
    more_stations: int
    rooms: Sequence[RoomState]
    more_rooms: int
    changes: Sequence[ChangeLine]
    more_changes: int
    month_problem: str | None
    unsent: int
    demonstration: bool
    host: Sequence[HostLine]


def overview(
    database: Database, settings: Settings, now: int, filters: Filters | None = None
) -> Overview | None:
    """The page's figures at `now` (UTC seconds); None where no device is registered."""
    filters = filters or Filters()
    today = local_day(now, settings.zone)
    days, problem = _days(database, settings, today, filters, now)
    document = present(database, settings, Grouping.STATION, filters, now)
    rooms = sorted(rooms_now(database, settings, now, filters.reach), key=_room_order)
    with database.read() as session:
        if first_service_day(session) is None:
            return None
        sweep = last_sweep(session)
        selection = select_devices(session, Grouping.STATION, filters)
        lines = _stations(session, settings, selection, document.rows, now)
        changes, more_changes = _changes(session, settings, selection, now)
        spare = month_budget(session, settings, selection.cohorts.keys(), Month.of(today), now)
        incidents = [
            incident_line(each, settings.zone, now)
            for each in open_incidents(session, filters.reach)
        ]
        alerts = [AlertFacts.of(alert) for alert in open_alerts(session, filters.reach)]
        unsent = 0 if filters.reach.limited else count_unsent(session, now)
        demonstration = has_days_of(session, DayOrigin.DEMO, today.replace(day=1))
        host = [HostLine(e.kind, _local(settings, e.at)) for e in open_host_events(session)]
    so_far = Amounts.total(sums for day, sums in days.items() if day >= today.replace(day=1))
    return Overview(
        now=_local(settings, now),
        month=Month.of(today),
        timezone=settings.timezone,
        devices=document.total.devices,
        amounts=document.total.amounts,
        budget=spare,
        breaks_at=None if spare.breaks_at is None else _local(settings, spare.breaks_at),
        rates=three_rates(document.total.amounts, None if problem else so_far),
        trend=trend(days, ("intact", "online")),
        evidence=Evidence(
            age_s=None if sweep is None else max(0, now - sweep.finished_at),
            swept_at=None if sweep is None else _local(settings, sweep.finished_at),
            stale=document.stale,
            coverage_now=coverage(document.total.amounts),
            coverage_month=coverage(so_far),
        ),
        incidents=incidents,
        alerts=alerts,
        stations=lines[:MOST_STATIONS],
        more_stations=max(0, len(lines) - MOST_STATIONS),
        rooms=rooms[:MOST_ROOMS],
        more_rooms=max(0, len(rooms) - MOST_ROOMS),
        changes=changes,
        more_changes=more_changes,
        month_problem=problem,
        unsent=unsent,
        demonstration=demonstration,
        host=host,
    )


def _days(
    database: Database, settings: Settings, today: date, filters: Filters, now: int
) -> tuple[dict[date, Amounts], str | None]:
    """The last days, or why there are none: the page shows the rest in any case."""
    first = min(today - timedelta(days=TREND_DAYS - 1), today.replace(day=1))
    try:
        return seconds_by_day(database, settings, first, today, filters, now), None
    except IntactError as error:
        return {}, str(error)
    except OperationalError as error:
        log.warning("the month's figures are missing", error=str(error.orig))
        return {}, message("The ledger is being brought up to date; the month follows.")


def _stations(
    session: Session, settings: Settings, selection: Selection, rows: Sequence[NowRow], now: int
) -> list[StationLine]:
    """Every station, the worst first."""
    quarters = _by_code(selection, quarters_today(session, settings, selection, now))
    months = _by_code(selection, _month_sums(session, settings, selection, now))
    lines = [
        StationLine(
            code=row.group,
            name=row.name,
            devices=row.devices,
            amounts=row.amounts,
            intact=figure("intact", row.amounts),
            suspended=figure("suspended", row.amounts),
            month=figure("intact", months.get(row.group, Amounts())),
            today=quarters.get(row.group),
        )
        for row in rows
    ]
    return sorted(lines, key=_worst_first)


def _month_sums(
    session: Session, settings: Settings, selection: Selection, now: int
) -> dict[int | None, Amounts]:
    """Group id → seconds of the month so far."""
    today = local_day(now, settings.zone)
    found = seconds_by_cohort(session, today.replace(day=1), today, selection.cohorts.keys())
    sums: dict[int | None, Amounts] = {}
    for cohort_id, seconds in found.items():
        group = selection.group_of(cohort_id)
        sums[group] = sums.get(group, Amounts()) + seconds
    return sums


def _by_code(selection: Selection, groups: Mapping[int | None, T]) -> dict[str | None, T]:
    names = {group: selection.name_of(group) for group in groups}
    return {name.code if name else None: groups[group] for group, name in names.items()}


def _changes(
    session: Session, settings: Settings, selection: Selection, now: int
) -> tuple[list[ChangeLine], int]:
    """The newest changes of the last hour, and how many more there are."""
    found, total = changes_since(
        session, now - CHANGED_WITHIN_S, selection.cohorts.keys(), MOST_CHANGES
    )
    table = DEFAULT_POLICY.class_table()
    lines = [
        ChangeLine(
            change,
            class_name(SlotClass(table[change.status])),
            STATUS_WORDS[Status(change.status)],
            _local(settings, change.since),
        )
        for change in found
    ]
    return lines, total - len(lines)


def _worst_first(line: StationLine) -> tuple[bool, float, int, str]:
    """The lowest intact rate first; stations without one after those that have it."""
    failing = line.amounts.impaired + line.amounts.offline
    rate = line.intact.fraction
    return rate is None, rate or 0.0, -failing, line.code or "\U0010ffff"


def _room_order(room: RoomState) -> tuple[int, str]:
    order = (Condition.DOWN, Condition.DEGRADED, Condition.UNKNOWN, Condition.UP)
    return order.index(room.state), room.code


def _local(settings: Settings, instant: int) -> datetime:
    return datetime.fromtimestamp(instant, settings.zone)
