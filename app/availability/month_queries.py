"""All SQL of what is behind a month's figures."""

from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.availability.queries import belongs_on
from app.evidence.tables import Ledger
from app.fleet.tables import Assignment


def lost_on(
    session: Session, day: date, cohort_ids: Collection[int], names: Sequence[str]
) -> list[tuple[int, int]]:
    """(device id, seconds) of the devices of these cohorts that lost any time on a day.

    `names` are the classes of the ledger that count as lost.
    """
    first, *others = (getattr(Ledger, name) for name in names)
    lost = sum(others, start=first)
    query = (
        select(Ledger.device_id, lost)
        .join(Assignment, belongs_on(Ledger.device_id, Ledger.day))
        .where(Ledger.day == day, lost > 0, Assignment.cohort_id.in_(cohort_ids))
    )
    return [(device_id, seconds) for device_id, seconds in session.execute(query)]
