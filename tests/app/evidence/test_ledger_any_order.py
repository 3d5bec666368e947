"""The ledger by increments is the ledger from scratch, and both are what a loop counts."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from sqlalchemy import select

from app.database import Database
from app.evidence import queries
from app.evidence.ledger import bring_up_to_date
from app.evidence.tables import Ledger, LedgerCohort
from kpi.calendar import days_between
from tests.app.evidence.courses import (
    FIRST,
    LAST,
    ROUGH,
    Course,
    Step,
    begun,
    course,
    courses,
)


def ledger(made: Course) -> dict[tuple[date, int], tuple[int, ...]]:
    """Seconds by class of each device-day; the cohorts' sums must agree."""
    with made.database.read() as session:
        rows = session.scalars(select(Ledger)).all()
        sums = session.scalars(select(LedgerCohort)).all()
        assert queries.dirty_days(session, FIRST, LAST) == set()
    for day in days_between(FIRST, LAST):
        for name in queries.AMOUNTS:
            of_devices = sum(getattr(row, name) for row in rows if row.day == day)
            assert of_devices == sum(getattr(row, name) for row in sums if row.day == day)
    return {
        (row.day, row.device_id): tuple(getattr(row, name) for name in queries.AMOUNTS)
        for row in rows
    }


def from_scratch(made: Course) -> dict[tuple[date, int], tuple[int, ...]]:
    with made.database.write() as session:
        for day in days_between(FIRST, LAST):
            queries.forget_ledger_day(session, day)
    bring_up_to_date(made.database, made.settings, FIRST, LAST, made.later)
    return ledger(made)


@hypothesis_settings(max_examples=30, deadline=None)
@given(steps=courses())
@example(steps=ROUGH)
def test_late_shuffled_and_repeated_evidence(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
) -> None:
    with course(sqlite_template, tmp_path_factory.mktemp("course")) as made:
        made.play(steps)
        by_increments = ledger(made)
        assert by_increments == made.expected()
        assert by_increments == from_scratch(made)


def test_a_rough_course_on_both_databases(database: Database, tmp_path: Path) -> None:
    made = begun(database, tmp_path)
    made.play(ROUGH)
    by_increments = ledger(made)
    assert by_increments == made.expected()
    assert by_increments == from_scratch(made)
