"""The outages behind any percentage of a month, all of them, to the second.

Read day by day, as the ledger was made: a device-day belongs to the groups that the device had on
that day, a day has its own slot length and reaches as far as its ledger has come.
"""

from collections.abc import Iterator
from datetime import date

import numpy as np
from sqlalchemy.orm import Session

from app.availability.month_queries import with_outages_on
from app.availability.selection import Selection
from app.config import Settings
from app.evidence.covers import by_id, figured_covers
from app.evidence.queries import ledger_days
from app.evidence.samples import failing_samples
from kpi.calendar import Month, day_start
from kpi.explained import Pieces, Told, pieces, tell
from kpi.policy import DEFAULT_POLICY


def explained(
    session: Session,
    settings: Settings,
    selection: Selection,
    month: Month,
    most: int | None = None,
) -> Told:
    """The outages of these devices, `most` of them, the longest first; excused ones among them.

    Those without an excuse add up to the impaired and offline seconds of the month's figures.
    Memory: a day's failing samples, and the outages that are handed back.
    """
    return tell(_days(session, settings, selection, month.first, month.last), most)


def _days(
    session: Session, settings: Settings, selection: Selection, first: date, last: date
) -> Iterator[tuple[Pieces, int]]:
    """Each day's pieces, and where its ledger ends."""
    table = DEFAULT_POLICY.class_table()
    for day, (interval_s, through) in sorted(ledger_days(session, first, last).items()):
        start = day_start(day, settings.zone)
        devices = with_outages_on(selection, day)
        samples = failing_samples(session, devices, start, through, interval_s)
        ids = np.unique(samples.device).tolist()
        covers = figured_covers(session, settings.zone, ids, start, through)
        yield pieces(samples, table, *(by_id(each, ids) for each in covers)), through
