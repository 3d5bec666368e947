"""The error budget of a month, by any grouping: the ledger says what was spent, the sweeps' counts
how fast it is being spent. See `kpi.budget`."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from app.availability.budget_queries import counted_seconds
from app.availability.instant import cohorts_now
from app.availability.periods import require_begun
from app.availability.queries import seconds_by_cohort
from app.availability.selection import FLEET, Filters, select_devices
from app.config import Settings
from app.database import Database
from app.errors import BadParameter, Remedy
from app.evidence.ledger import bring_up_to_date
from app.fleet.roster import Grouping, GroupName
from kpi.budget import WINDOWS, Budget, Course, Outlook, budget
from kpi.calendar import Month, day_bounds, day_start, local_day
from kpi.policy import DEFAULT_POLICY
from kpi.rates import Amounts

LAG_SLOTS = 3
ByCohort = Mapping[int, Amounts]


class BudgetRow(BaseModel):
    """A group's budget in device-seconds."""

    group: str | None = Field(description="Code; `fleet` for the fleet, null for no group")
    name: str | None
    assessed_s: int = Field(description="So far")
    expected_s: int = Field(description="Assessed by the end of the month, at the present size")
    budget_s: int = Field(description="What may be missed of it")
    spent_s: int
    left_s: int = Field(description="Below 0 the month misses its target whatever comes")
    burn: dict[str, float | None] = Field(
        description="Window → how many times as fast as it may the budget is spent; null: unknown"
    )
    outlook: Outlook
    breaks_at: datetime | None = Field(description="When it is spent at the present rate")


class BudgetDocument(BaseModel):
    month: str
    timezone: str
    policy: str
    target: float
    total: BudgetRow
    rows: list[BudgetRow]


def budgets(
    database: Database,
    settings: Settings,
    month: Month,
    grouping: Grouping,
    filters: Filters,
    now: int,
) -> BudgetDocument:
    """The budget of a month, a row for each group; burn rates only while the month lasts.

    Raises `BadParameter` for a month that has not begun and for single devices, `NotFound` for an
    unknown code.
    """
    if grouping is Grouping.DEVICE or filters.device is not None:
        raise BadParameter("group_by", Remedy("a budget belongs to a group of devices"))
    require_begun(settings, month, now)
    bring_up_to_date(database, settings, month.first, month.last, now, lag_slots=LAG_SLOTS)
    end = day_bounds(month.last, settings.zone)[1]
    with database.read() as session:
        selection = select_devices(session, grouping, filters)
        found = courses(session, settings, selection.cohorts.keys(), month, now)
    by_group: dict[int | None, list[Course]] = defaultdict(list)
    for cohort_id, course in found.items():
        by_group[selection.group_of(cohort_id)].append(course)
    rows = [
        _row(selection.name_of(group), Course.total(parts, now, end), settings)
        for group, parts in by_group.items()
    ]
    return BudgetDocument(
        month=str(month),
        timezone=settings.timezone,
        policy=DEFAULT_POLICY.label,
        target=float(DEFAULT_POLICY.intact_target),
        total=_row(FLEET, Course.total(found.values(), now, end), settings),
        rows=sorted(rows, key=lambda row: (row.group is None, row.group or "")),
    )


def month_budget(
    session: Session, settings: Settings, cohort_ids: Collection[int], month: Month, now: int
) -> Budget:
    """The budget of these cohorts together, as far as the ledger has come."""
    end = day_bounds(month.last, settings.zone)[1]
    parts = courses(session, settings, cohort_ids, month, now).values()
    return budget(Course.total(parts, now, end), DEFAULT_POLICY.intact_target)


def courses(
    session: Session, settings: Settings, cohort_ids: Collection[int], month: Month, now: int
) -> dict[int, Course]:
    """Cohort id → how its month goes; those that had no part in it are left out."""
    end = day_bounds(month.last, settings.zone)[1]
    so_far = seconds_by_cohort(session, month.first, month.last, cohort_ids)
    present: ByCohort = {}
    windows: dict[str, ByCohort] = {name: {} for name in WINDOWS}
    if now < end:
        present = cohorts_now(session, settings, now)
        windows = _windows(session, settings, cohort_ids, now)
    none = Amounts()
    return {
        each: Course(
            so_far.get(each, none),
            present.get(each, none).to_be_assessed,
            {name: of.get(each, none) for name, of in windows.items()},
            now,
            end,
        )
        for each in cohort_ids
        if each in so_far or each in present
    }


def _windows(
    session: Session, settings: Settings, chosen: Collection[int], now: int
) -> dict[str, ByCohort]:
    """Window → cohort id → assessed seconds. The whole days of the longest come from the ledger."""
    today = local_day(now, settings.zone)
    begin = now - WINDOWS["7d"]
    first_whole = local_day(begin, settings.zone) + timedelta(days=1)
    short = [name for name in WINDOWS if name != "7d"]
    since = [*(now - WINDOWS[name] for name in short), day_start(today, settings.zone)]
    *found, of_today = counted_seconds(session, since, now, chosen)
    (edge,) = counted_seconds(session, [begin], day_start(first_whole, settings.zone), chosen)
    days = seconds_by_cohort(session, first_whole, today - timedelta(days=1), chosen)
    week = {each: edge[each] + of_today[each] + days.get(each, Amounts()) for each in chosen}
    return {**dict(zip(short, found, strict=True)), "7d": week}


def _row(name: GroupName | None, course: Course, settings: Settings) -> BudgetRow:
    found = budget(course, DEFAULT_POLICY.intact_target)
    at = found.breaks_at
    return BudgetRow(
        group=name.code if name else None,
        name=name.name if name else None,
        assessed_s=found.assessed,
        expected_s=found.expected,
        budget_s=found.budget,
        spent_s=found.spent,
        left_s=found.left,
        burn={key: None if rate is None else float(rate) for key, rate in found.burn.items()},
        outlook=found.outlook,
        breaks_at=None if at is None else datetime.fromtimestamp(at, settings.zone),
    )
