"""All SQL of what is behind a month's figures."""

from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.availability.queries import belongs_on
from app.availability.selection import Selection
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


def with_outages_on(selection: Selection, day: date) -> Select[int]:
    """The devices in question that may have had an outage on a day, an excused one among them."""
    failed = Ledger.impaired + Ledger.offline + Ledger.suspended + Ledger.exempted
    found = (
        select(Ledger.device_id)
        .join(Assignment, belongs_on(Ledger.device_id, Ledger.day))
        .where(Ledger.day == day, failed > 0, Assignment.cohort_id.in_(selection.cohorts.keys()))
    )
    if selection.device_id is not None:
        found = found.where(Ledger.device_id == selection.device_id)
    return found
