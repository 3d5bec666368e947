"""What a month's workbook holds, gathered in one go: figures by group, outages, what excuses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy.orm import Session

from app.accounts.audit_queries import audit_head
from app.availability.documents import MonthlyDocument
from app.availability.explained import explained
from app.availability.month_suspensions import suspensions_behind
from app.availability.months import Reached, reached
from app.availability.periods import monthly
from app.availability.selection import Filters, Selection, select_devices
from app.config import Settings
from app.database import Database
from app.evidence.exemptions.queries import exemptions_touching
from app.evidence.exemptions.tables import Exemption
from app.evidence.tables import Suspension
from app.fleet.roster import Grouping, GroupName, device_names
from app.operations.explaining.queries import incidents_of
from kpi.calendar import Month, day_bounds
from kpi.explained import Pieces

GROUPINGS = (Grouping.STATION, Grouping.PROJECT, Grouping.CONTRACTOR, Grouping.DEVICE)
MOST_OUTAGES = 1_000_000
"""A sheet of Excel has 1,048,576 rows."""


@dataclass(frozen=True, slots=True)
class Outages:
    """The outages, the longest first, with their devices and incidents; `total`: how many there
    are."""

    found: Pieces
    incidents: Sequence[int | None]
    names: Mapping[int, GroupName]
    total: int


@dataclass(frozen=True, slots=True)
class MonthContents:
    """All that is written; instants in UTC seconds. `exemptions` None: the reader may not see
    them. `audit_head`: hash of the newest entry of the audit log."""

    month: Month
    reached: Reached
    written_at: datetime
    audit_head: str
    figures: Mapping[Grouping, MonthlyDocument]
    outages: Outages
    suspensions: Sequence[tuple[GroupName, Suspension]]
    exemptions: Sequence[Exemption] | None

    @property
    def total(self) -> MonthlyDocument:
        """The document of which every sheet has the same total."""
        return self.figures[Grouping.STATION]


def month_contents(
    database: Database, settings: Settings, month: Month, filters: Filters, now: int
) -> MonthContents:
    """Gather a month as far as it has come. Raises `BadParameter` for one that has not begun."""
    figures = {
        grouping: monthly(database, settings, month, grouping, filters, now)
        for grouping in GROUPINGS
    }
    with database.read() as session:
        selection = select_devices(session, Grouping.FLEET, filters)
        names = device_names(session)
        return MonthContents(
            month,
            reached(settings, month, now),
            datetime.fromtimestamp(now, settings.zone),
            audit_head(session).last_hash,
            figures,
            _outages(session, settings, selection, month, names),
            _suspensions(session, settings, selection, month, names, now),
            None if filters.reach.limited else _exemptions(session, settings, month),
        )


def _outages(
    session: Session,
    settings: Settings,
    selection: Selection,
    month: Month,
    names: Mapping[int, GroupName],
) -> Outages:
    told = explained(session, settings, selection, month)
    found = told.outages.take(np.arange(min(len(told.outages.start), MOST_OUTAGES)))
    return Outages(found, incidents_of(session, found), names, told.total)


def _suspensions(
    session: Session,
    settings: Settings,
    selection: Selection,
    month: Month,
    names: Mapping[int, GroupName],
    now: int,
) -> list[tuple[GroupName, Suspension]]:
    """By device and start."""
    _taken, facts = suspensions_behind(session, settings, selection, month, now)
    found = [(names[each.device_id], each) for each in facts]
    return sorted(found, key=lambda each: (each[0].code, each[1].start))


def _exemptions(session: Session, settings: Settings, month: Month) -> list[Exemption]:
    start, end = (
        day_bounds(month.first, settings.zone)[0],
        day_bounds(month.last, settings.zone)[1],
    )
    found = exemptions_touching(session, start, end)
    return sorted(found, key=lambda each: (each.scope, each.code, each.start))
