"""The list of cameras and other devices: their state, their last 24 hours, their month."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.availability.device_slots import Hours, last_24_hours
from app.availability.devices_listed import devices_listed
from app.availability.places import CAMERA_COLUMNS, CameraLine, camera_lines
from app.availability.selection import Filters, select_devices
from app.config import Settings
from app.database import Database
from app.evidence.ledger import bring_up_to_date
from app.fleet.roster import Grouping
from app.web.language import message
from app.web.listing import Column, Listing
from kpi.calendar import local_day

DEVICE_COLUMNS = (
    *CAMERA_COLUMNS[:-1],
    Column("hours", message("The last 24 hours"), can_sort=False),
    CAMERA_COLUMNS[-1],
)


@dataclass(frozen=True, slots=True)
class DeviceList:
    """The rows of one page, and the last hours of each by the device's id."""

    lines: Sequence[CameraLine]
    hours: Mapping[int, Hours]
    list: Listing


def device_list(
    database: Database,
    settings: Settings,
    filters: Filters,
    wanted: Listing,
    now: int,
    *,
    unplaced: bool = False,
) -> DeviceList:
    """The devices in service that the list shows; `unplaced`: only those without coordinates.

    Raises `NotFound` for an unknown code.
    """
    today = local_day(now, settings.zone)
    bring_up_to_date(database, settings, today.replace(day=1), today, now)
    with database.read() as session:
        selection = select_devices(session, Grouping.FLEET, filters)
        cohort_ids = selection.cohorts.keys()
        rows, wanted = devices_listed(session, cohort_ids, today, now, wanted, unplaced=unplaced)
        lines = camera_lines(session, settings, rows, now, filters.reach)
        shown = [row.id for row in rows]
        hours = last_24_hours(session, settings, shown, now, filters.reach)
    return DeviceList(lines, hours, wanted)
