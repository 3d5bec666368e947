"""The outages behind the percentages, held against a loop over every slot of random courses."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings

from app.availability.explained import explained
from app.availability.selection import Filters, select_devices
from app.database import Database
from app.fleet.roster import Grouping
from kpi.calendar import Month, days_between
from kpi.explained import Excuse, Pieces
from kpi.policy import DEFAULT_POLICY
from kpi.status import SlotClass
from tests.app.evidence.courses import (
    DEVICES,
    FIRST,
    INTERVAL_S,
    LAST,
    ROUGH,
    Course,
    Step,
    begun,
    course,
    courses,
    in_service,
    room_of,
)

TABLE = DEFAULT_POLICY.class_table()
FAILING = (SlotClass.IMPAIRED, SlotClass.OFFLINE)
EXCUSES = {SlotClass.SUSPENDED: Excuse.SUSPENDED, SlotClass.EXEMPTED: Excuse.EXEMPTED}
MONTHS = [Month(2026, 3), Month(2026, 4)]
ASKED = [Filters(), *(Filters(room=room) for room in ("R0", "R1")), Filters(device="A")]
Told = tuple[int, int, int, int, int]
"""(device id, start, end, the status that it had longest, excuse)"""


def days_asked(filters: Filters, month: Month) -> list[tuple[str, date]]:
    """The device-days that the question is about."""
    return [
        (code, day)
        for code in DEVICES
        for day in days_between(FIRST, LAST)
        if Month.of(day) == month
        and in_service(code, day)
        and filters.device in (None, code)
        and filters.room in (None, room_of(code, day))
    ]


def slot_by_slot(made: Course, filters: Filters, month: Month) -> list[Told]:
    """The longest first, then by device and start."""
    runs: list[tuple[int, int, Excuse, list[int]]] = []
    for code, day in days_asked(filters, month):
        for tick, status, slot_class in made.classes_of(code, day):
            if TABLE[status] not in FAILING:
                continue
            key = made.ids[code], EXCUSES.get(slot_class, Excuse.NONE)
            last = runs[-1] if runs else None
            if last and (last[0], last[2]) == key and tick == last[1] + len(last[3]) * INTERVAL_S:
                last[3].append(status)
            else:
                runs.append((key[0], tick, key[1], [status]))
    told = [
        (device, start, start + len(run) * INTERVAL_S, longest(run), int(excuse))
        for device, start, excuse, run in runs
    ]
    return sorted(told, key=lambda each: (each[1] - each[2], each[0], each[1]))


def longest(run: list[int]) -> int:
    return min(Counter(run).items(), key=lambda each: (-each[1], each[0]))[0]


def check(made: Course) -> None:
    for month in MONTHS:
        for filters in ASKED:
            with made.database.read() as session:
                selection = select_devices(session, Grouping.FLEET, filters)
                found, first = (
                    explained(session, made.settings, selection, month, most) for most in (None, 3)
                )
            rows = slot_by_slot(made, filters, month)
            missing = lacking(made, filters, month)
            assert (rows_of(found.outages), found.total, found.missing_s) == (
                rows,
                len(rows),
                missing,
            )
            assert (rows_of(first.outages), first.total, first.missing_s) == (
                rows[:3],
                len(rows),
                missing,
            )


def rows_of(found: Pieces) -> list[Told]:
    return list(zip(*(column.tolist() for column in found), strict=True))


def lacking(made: Course, filters: Filters, month: Month) -> int:
    """The impaired and offline seconds of the ledger that a loop would make."""
    ledger = made.expected()
    asked = [ledger[day, made.ids[code]] for code, day in days_asked(filters, month)]
    return sum(row[each] for row in asked for each in FAILING)


@hypothesis_settings(max_examples=25, deadline=None)
@given(steps=courses())
@example(steps=ROUGH)
def test_outages_add_up_to_what_is_missing(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
) -> None:
    with course(sqlite_template, tmp_path_factory.mktemp("course")) as made:
        made.play(steps)
        check(made)


def test_a_rough_course_on_both_databases(database: Database, tmp_path: Path) -> None:
    made = begun(database, tmp_path)
    made.play(ROUGH)
    check(made)
