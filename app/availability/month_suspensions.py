"""The suspensions behind a month's suspended rate, of the devices that the ledger names."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.availability.month_outages import MonthLosses, month_losses
from app.availability.months import MonthAsked
from app.availability.periods import require_begun
from app.availability.selection import Selection
from app.config import Settings
from app.database import Database
from app.evidence.ledger import bring_up_to_date
from app.evidence.suspension_queries import suspensions_of
from app.evidence.tables import Suspension
from app.fleet.roster import GroupName, names_of
from app.web.language import message
from app.web.listing import Column, Listing
from kpi.calendar import Month, day_bounds
from kpi.status import SlotClass

SUSPENSION_COLUMNS = (
    Column("start", message("From")),
    Column("end", message("To")),
    Column("device", message("Camera"), can_sort=False),
    Column("reason", message("Reason"), can_sort=False),
    Column("approved", message("Approved by"), can_sort=False),
)
NEVER = 2**62


@dataclass(frozen=True, slots=True)
class SuspensionLine:
    """A suspension as the list shows it, in local time; `end` None: open."""

    device: GroupName
    start: datetime
    end: datetime | None
    fact: Suspension


@dataclass(frozen=True, slots=True)
class MonthSuspensions:
    """A page of them; `devices` were suspended for `seconds`, as many as the figure says."""

    group: GroupName | None
    devices: int
    seconds: int
    lines: Sequence[SuspensionLine]
    list: Listing


def month_suspensions(
    database: Database, settings: Settings, asked: MonthAsked, wanted: Listing, now: int
) -> MonthSuspensions:
    """The suspensions that the month's suspended seconds come from.

    Raises `BadParameter` for a month that has not begun, `NotFound` for a group that the register
    does not hold.
    """
    require_begun(settings, asked.month, now)
    bring_up_to_date(database, settings, asked.month.first, asked.month.last, now)
    with database.read() as session:
        selection = asked.selected(session)
        taken, found = suspensions_behind(session, settings, selection, asked.month, now)
        wanted = wanted.of(len(found))
        found.sort(key=_ORDERS[wanted.sort], reverse=wanted.descending)
        shown = found[wanted.skip : wanted.skip + wanted.rows]
        names = names_of(session, {each.device_id for each in shown})
        lines = [_line(settings, names[each.device_id], each) for each in shown]
        group = asked.group_name(session)
    return MonthSuspensions(group, taken.devices, taken.seconds, lines, wanted)


def suspensions_behind(
    session: Session, settings: Settings, selection: Selection, month: Month, now: int
) -> tuple[MonthLosses, list[Suspension]]:
    """What the ledger says these devices were suspended in a month, and the facts behind it."""
    first, last = month.first, month.last
    taken = month_losses(session, settings, selection, first, last, (SlotClass.SUSPENDED,))
    start, end = day_bounds(first, settings.zone)[0], day_bounds(last, settings.zone)[1]
    device_ids = sorted(set(taken.losses.device.tolist()))
    found = [
        each
        for each in suspensions_of(session, device_ids)
        if each.start < min(end, now) and _ends(each) > start
    ]
    return taken, found


def _ends(fact: Suspension) -> int:
    return NEVER if fact.end is None else fact.end


_ORDERS: Mapping[str, Callable[[Suspension], tuple[int, int]]] = {
    "start": lambda each: (each.start, each.id),
    "end": lambda each: (_ends(each), each.id),
}


def _line(settings: Settings, device: GroupName, fact: Suspension) -> SuspensionLine:
    def local(instant: int) -> datetime:
        return datetime.fromtimestamp(instant, settings.zone)

    end = None if fact.end is None else local(fact.end)
    return SuspensionLine(device, local(fact.start), end, fact)
