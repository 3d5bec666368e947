"""All SQL of the burn rates: what the sweeps of some hours counted."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from app.evidence.tables import Sweep, SweepCount
from kpi.rates import Amounts

ASSESSED = ("intact", "impaired", "offline")


def counted_seconds(
    session: Session, since: Sequence[int], until: int, cohort_ids: Collection[int]
) -> list[dict[int, Amounts]]:
    """For each of these beginnings: cohort id → assessed device-seconds from there to `until`."""
    columns = [
        func.sum(case((SweepCount.tick >= begin, _seconds(name)), else_=0))
        for begin in since
        for name in ASSESSED
    ]
    rows = session.execute(
        select(SweepCount.cohort_id, *columns)
        .join(Sweep, Sweep.tick == SweepCount.tick)
        .where(
            SweepCount.tick >= min(since),
            SweepCount.tick < until,
            SweepCount.cohort_id.in_(cohort_ids),
        )
        .group_by(SweepCount.cohort_id)
    )
    found: list[dict[int, Amounts]] = [defaultdict(Amounts) for _ in since]
    for cohort_id, *sums in rows:
        for place, of_window in enumerate(found):
            parts = sums[len(ASSESSED) * place : len(ASSESSED) * (place + 1)]
            of_window[cohort_id] = Amounts(*(int(part) for part in parts))
    return found


def _seconds(name: str) -> ColumnElement[int]:
    counted: ColumnElement[int] = getattr(SweepCount, name) * Sweep.interval_s
    return counted
