"""What the pages of stations, rooms, projects and contractors say.

Sums come by cohort, rows by the page, outages from what has failed on one day: nothing grows with
the fleet but the work of a busy day.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.accounts.reach import Reach
from app.availability.calendars import CalendarMonth, calendar
from app.availability.devices_listed import (
    Chosen,
    DeviceRow,
    devices_listed,
    seconds_of_devices,
)
from app.availability.documents import NowDocument
from app.availability.figures import Figure, Rate, Trend, figure, three_rates, trend
from app.availability.instant import is_stale, present
from app.availability.outages import OutageLine, outage_lines, outages_of
from app.availability.periods import seconds_by_day
from app.availability.rooms import EQUIPMENT, RoomState, room_states
from app.availability.selection import Filters, Selection, group_named, select_devices
from app.availability.today import Quarters, quarters_today
from app.config import Settings
from app.database import Database
from app.errors import BadParameter
from app.evidence.queries import last_sweep
from app.fleet.roster import Grouping, GroupName
from app.web.bars import Share, shares
from app.web.language import message
from app.web.listing import Column, Listing
from app.web.words import STATUS_WORDS, class_name
from kpi.calendar import Month, local_day
from kpi.outages import Outage
from kpi.policy import DEFAULT_POLICY
from kpi.rates import Amounts
from kpi.status import SlotClass, Status

TREND_DAYS = 31
A_DAY = timedelta(days=1)

CAMERA_COLUMNS = (
    Column("state", message("State")),
    Column("name", message("Name")),
    Column("code", message("Code")),
    Column("since", message("Since")),
    Column("month", message("Month"), is_number=True, can_sort=False),
)
OUTAGE_COLUMNS = (
    Column("start", message("From")),
    Column("end", message("To"), can_sort=False),
    Column("seconds", message("Length"), is_number=True),
    Column("device", message("Camera"), can_sort=False),
    Column("status", message("Status"), can_sort=False),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of place: the first step of its address, and its names in the catalogue."""

    grouping: Grouping
    path: str
    one: str
    many: str


KINDS = {
    kind.path: kind
    for kind in (
        Kind(Grouping.STATION, "stations", message("Station"), message("Stations")),
        Kind(Grouping.ROOM, "rooms", message("Room"), message("Rooms")),
        Kind(Grouping.PROJECT, "projects", message("Project"), message("Projects")),
        Kind(Grouping.CONTRACTOR, "contractors", message("Contractor"), message("Contractors")),
    )
}


@dataclass(frozen=True, slots=True)
class CameraLine:
    """A device of a list: its state now and its month so far; `status` is a text."""

    row: DeviceRow
    slot_class: str
    status: str
    since: datetime | None
    month: Figure


@dataclass(frozen=True, slots=True)
class Present:
    """A place now. `room` and `equipment`: where the place is a room."""

    swept_at: datetime | None
    stale: bool
    amounts: Amounts
    parts: Sequence[Share]
    today: Quarters | None
    room: RoomState | None
    equipment: Sequence[CameraLine]


@dataclass(frozen=True, slots=True)
class Past:
    """The month so far beside now, the trend of the last days, this month and the one before."""

    rates: Sequence[Rate]
    trend: Trend
    months: Sequence[CalendarMonth]


@dataclass(frozen=True, slots=True)
class Lists:
    """Cameras, and the outages of one day; `lost_s` is the length of them all together."""

    day: date
    cameras: Sequence[CameraLine]
    camera_list: Listing
    outages: Sequence[OutageLine]
    outage_list: Listing
    lost_s: int


@dataclass(frozen=True, slots=True)
class Place:
    """The page of one place."""

    kind: Kind
    name: GroupName
    month: Month
    present: Present
    past: Past
    lists: Lists


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the reader wants to see: the day of the outages (None: today), and two lists."""

    day: date | None
    cameras: Listing
    outages: Listing


def place(
    database: Database,
    settings: Settings,
    kind: Kind,
    code: str,
    reach: Reach,
    wishes: Wishes,
    now: int,
) -> Place:
    """The page of one place at `now`, of what is within reach.

    Raises `NotFound` for a code that the register does not hold, `BadParameter` for a day to come.
    """
    today = local_day(now, settings.zone)
    day = wishes.day or today
    if day > today:
        raise BadParameter("day", f"{day} lies in the future")
    only: dict[str, Any] = {kind.grouping.value: code}
    filters = Filters(**only, reach=reach)
    first = (today.replace(day=1) - A_DAY).replace(day=1)
    days = seconds_by_day(database, settings, first, today, filters, now)
    document = present(database, settings, Grouping.FLEET, filters, now)
    with database.read() as session:
        selection = select_devices(session, Grouping.FLEET, filters)
        return Place(
            kind,
            group_named(session, kind.grouping, code)[1],
            Month.of(today),
            _present(session, settings, filters, selection, document, now),
            _past(days, document.total.amounts, today, day),
            _lists(session, settings, selection, replace(wishes, day=day), reach, now),
        )


def _present(
    session: Session,
    settings: Settings,
    filters: Filters,
    selection: Selection,
    document: NowDocument,
    now: int,
) -> Present:
    sweep, amounts = last_sweep(session), document.total.amounts
    return Present(
        swept_at=None if sweep is None else _local(settings, sweep.finished_at),
        stale=document.stale,
        amounts=amounts,
        parts=shares(amounts),
        today=quarters_today(session, settings, selection, now).get(None),
        room=_room(session, settings, filters, now),
        equipment=_equipment(session, settings, filters, now),
    )


def _room(session: Session, settings: Settings, filters: Filters, now: int) -> RoomState | None:
    if filters.room is None:
        return None
    states = room_states(session, settings, now, filters.reach)
    return next((state for state in states if state.code == filters.room), None)


def _equipment(
    session: Session, settings: Settings, filters: Filters, now: int
) -> list[CameraLine]:
    """The equipment of a room, what fails first; of other places none is shown."""
    if filters.room is None:
        return []
    cohort_ids = {
        cohort_id
        for kind in EQUIPMENT
        for cohort_id in select_devices(
            session, Grouping.FLEET, replace(filters, kind=kind)
        ).cohorts
    }
    today = local_day(now, settings.zone)
    wanted = Listing(CAMERA_COLUMNS, "state", descending=False, page=1, text="")
    rows, _list = devices_listed(session, Chosen(cohort_ids, today, now), wanted)
    return camera_lines(session, settings, rows, now, filters.reach)


def _past(days: Mapping[date, Amounts], now: Amounts, today: date, chosen: date) -> Past:
    first = today.replace(day=1)
    so_far = Amounts.total(sums for day, sums in days.items() if day >= first)
    recent = {day: sums for day, sums in days.items() if day > today - TREND_DAYS * A_DAY}
    return Past(
        three_rates(now, so_far),
        trend(recent, ("intact", "online")),
        [
            calendar(month, days, chosen, lambda day: f"?day={day}#outages")
            for month in (Month.of(first - A_DAY), Month.of(today))
        ],
    )


def _lists(
    session: Session,
    settings: Settings,
    selection: Selection,
    wishes: Wishes,
    reach: Reach,
    now: int,
) -> Lists:
    today = local_day(now, settings.zone)
    day = wishes.day or today
    cameras = Chosen(selection.cohorts.keys(), today, now, text=wishes.cameras.text)
    rows, camera_list = devices_listed(session, cameras, wishes.cameras)
    found = outages_of(session, settings, selection, day, day, now)
    outage_list = wishes.outages.of(len(found))
    return Lists(
        day,
        camera_lines(session, settings, rows, now, reach),
        camera_list,
        outage_lines(session, settings, _page_of(found, outage_list), day, now),
        outage_list,
        sum(each.seconds for each in found),
    )


def _page_of(found: Sequence[Outage], wanted: Listing) -> list[Outage]:
    """The outages that the list shows."""
    orders: dict[str, Callable[[Outage], tuple[int, int]]] = {
        "start": lambda each: (each.start, each.device),
        "seconds": lambda each: (each.seconds, each.device),
    }
    ordered = sorted(found, key=orders[wanted.sort], reverse=wanted.descending)
    return ordered[wanted.skip : wanted.skip + wanted.rows]


def camera_lines(
    session: Session, settings: Settings, rows: Sequence[DeviceRow], now: int, reach: Reach
) -> list[CameraLine]:
    """The rows in words; where the last sweep is too old, nothing is known of now."""
    today = local_day(now, settings.zone)
    shown = [row.id for row in rows]
    months = seconds_of_devices(session, shown, today.replace(day=1), today, reach)
    stale = is_stale(last_sweep(session), now)
    table = DEFAULT_POLICY.class_table()
    lines = []
    for row in rows:
        status = Status.UNKNOWN if stale or row.status is None else Status(row.status)
        slot_class = SlotClass.SUSPENDED if row.is_suspended else SlotClass(table[status])
        since = None if row.since is None or stale else _local(settings, row.since)
        month = figure("intact", months.get(row.id, Amounts()))
        lines.append(CameraLine(row, class_name(slot_class), STATUS_WORDS[status], since, month))
    return lines


def _local(settings: Settings, instant: int) -> datetime:
    return datetime.fromtimestamp(instant, settings.zone)
