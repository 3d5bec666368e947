"""The list of cameras and other devices: their state, their last 24 hours, their month."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from sqlalchemy.orm import Session

from app.availability.device_slots import Hours, last_24_hours
from app.availability.devices_listed import SEVERITY, Chosen, Service, chosen_ids, devices_listed
from app.availability.instant import is_stale
from app.availability.places import CAMERA_COLUMNS, CameraLine, camera_lines
from app.availability.selection import Filters, select_devices
from app.config import Settings
from app.database import Database
from app.evidence.ledger import bring_up_to_date
from app.evidence.queries import last_sweep
from app.fleet.exporting import export_devices
from app.fleet.queries import Selection
from app.fleet.roster import Grouping, GroupName, cohorts, group_names
from app.web.language import message
from app.web.listing import Column, Listing
from app.web.words import class_name
from kpi.calendar import local_day
from kpi.status import SlotClass

DEVICE_COLUMNS = (
    *CAMERA_COLUMNS[:-1],
    Column("hours", message("The last 24 hours"), can_sort=False),
    CAMERA_COLUMNS[-1],
)
STATES = {class_name(each): each for each in (*SEVERITY, SlotClass.SUSPENDED)}
"""What a state is called in an address."""
SERVICE_WORDS = {
    Service.IN: message("in service"),
    Service.OUT: message("not in service"),
    Service.ALL: message("all"),
}
GROUPS = {
    Grouping.STATION: message("Station"),
    Grouping.ROOM: message("Room"),
    Grouping.PROJECT: message("Project"),
    Grouping.CONTRACTOR: message("Contractor"),
}


@dataclass(frozen=True, slots=True)
class ListFilters:
    """What the list shows: of whom, in service or not, in which state now (of `STATES`).

    `unplaced`: only those without coordinates.
    """

    filters: Filters
    service: Service = Service.IN
    state: str | None = None
    unplaced: bool = False


@dataclass(frozen=True, slots=True)
class DeviceList:
    """The rows of one page, and the last hours of each by the device's id."""

    lines: Sequence[CameraLine]
    hours: Mapping[int, Hours]
    list: Listing


def device_list(
    database: Database, settings: Settings, shown: ListFilters, wanted: Listing, now: int
) -> DeviceList:
    """The devices that the list shows. Raises `NotFound` for an unknown code."""
    today, reach = local_day(now, settings.zone), shown.filters.reach
    bring_up_to_date(database, settings, today.replace(day=1), today, now)
    with database.read() as session:
        chosen = _chosen(session, settings, shown, wanted.text, now)
        rows, wanted = devices_listed(session, chosen, wanted)
        lines = camera_lines(session, settings, rows, now, reach)
        hours = last_24_hours(session, settings, [row.id for row in rows], now, reach)
    return DeviceList(lines, hours, wanted)


def export_list(
    database: Database,
    settings: Settings,
    target: BinaryIO,
    shown: ListFilters,
    text: str,
    now: int,
    *,
    as_workbook: bool,
) -> None:
    """Write the devices of all pages of the list as the register's importer reads them.

    Raises `NotFound` for an unknown code.
    """
    with database.read() as session:
        among = chosen_ids(_chosen(session, settings, shown, text, now))
    export_devices(database, target, Selection(among=among), as_workbook=as_workbook)


def list_choices(session: Session, filters: Filters) -> list[tuple[Grouping, str, list[GroupName]]]:
    """The groups to choose from, by name: those that occur within reach, and the chosen one.

    A grouping by which the reach is limited offers no choice.
    """
    views = [view for view in cohorts(session, filters.reach) if view.kind == filters.kind]
    choices = []
    for by, label in GROUPS.items():
        if getattr(filters.reach, by.value, None) is not None:
            continue
        occurring = {view.groups[by] for view in views}
        found = [
            name
            for group_id, name in group_names(session, by).items()
            if group_id in occurring or name.code == filters.code_of(by)
        ]
        choices.append((by, label, sorted(found, key=lambda name: (name.name, name.code))))
    return choices


def _chosen(
    session: Session, settings: Settings, shown: ListFilters, text: str, now: int
) -> Chosen:
    selection = select_devices(session, Grouping.FLEET, shown.filters)
    return Chosen(
        selection.cohorts.keys(),
        local_day(now, settings.zone),
        now,
        text=text,
        service=shown.service,
        state=STATES[shown.state] if shown.state else None,
        stale=is_stale(last_sweep(session), now),
        unplaced=shown.unplaced,
    )
