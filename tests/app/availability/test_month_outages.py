"""The outages behind a month's figures, held against those that each day's samples tell."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from random import Random
from typing import Any

import numpy as np
import pytest
from sqlalchemy import delete

from app.availability import month_outages as searching
from app.availability import month_pages
from app.availability.month_outages import (
    MonthLosses,
    foremost,
    month_losses,
    month_outages,
)
from app.availability.months import MonthAsked
from app.availability.outages import outages_of
from app.availability.periods import monthly
from app.availability.places import OUTAGE_COLUMNS
from app.availability.selection import Filters, select_devices
from app.config import Settings
from app.evidence.archive.archiving import archive_closed_days
from app.evidence.ledger import bring_up_to_date
from app.evidence.samples import failing_samples
from app.evidence.tables import Sample
from app.fleet.roster import Grouping
from app.web.listing import Listing
from kpi.calendar import Month, days_between
from kpi.outages import FAILING_CLASSES, Spans
from kpi.status import SlotClass
from tests.app.asking import Asker
from tests.app.availability.district import District
from tests.app.availability.test_months import FixedClock, seen

MARCH = Month(2026, 3)
FIRST, LAST = date(2026, 3, 1), date(2026, 3, 6)
STATUSES = (0, 0, 0, 1, 11, 20, 21, None)
only_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def rows_of(found: Spans) -> list[tuple[int, ...]]:
    return sorted(zip(*(column.tolist() for column in found), strict=True))


def ordered_by(sort: str) -> Listing:
    return Listing(OUTAGE_COLUMNS, sort.strip("-"), sort[0] == "-", page=1, text="")


def search(
    district: District,
    settings: Settings,
    filters: Filters,
    now: int,
    *,
    sort: str = "start",
    count: int = 10**6,
    classes: Sequence[SlotClass] = FAILING_CLASSES,
) -> tuple[MonthLosses, Spans, bool]:
    """What was lost from `FIRST` to `LAST` by a ledger that has come to `now`, and the outages."""
    bring_up_to_date(district.database, settings, FIRST, LAST, now)
    with district.database.read() as session:
        selection = select_devices(session, Grouping.FLEET, filters)
        lost = month_losses(session, settings, selection, FIRST, LAST, classes)
        return lost, *foremost(session, lost, ordered_by(sort), count)


@pytest.fixture
def troubled(district: District) -> District:
    """Six days of every kind of trouble: whole days, torn ones, suspended parts, a change of hands
    at the start of 4 March."""
    dice = Random(7)  # noqa: S311 - made-up evidence
    for code in ("C1", "C3"):
        for day in days_between(date(2026, 3, 3), LAST):
            run = [dice.choice(STATUSES) for _ in range(12)]
            district.observe(code, day, lambda slot, run=run: run[slot // 8])  # type: ignore[misc]
    for day in days_between(date(2026, 3, 3), date(2026, 3, 5)):
        district.observe("C2", day, lambda _slot: 20)
    district.observe("C2", LAST, lambda slot: 20 if slot < 40 else 0)
    district.suspend(
        "C2,2026-03-05 06:00:00,2026-03-05 09:00:00,works,office",
        "C4,2026-03-02 03:00:00,2026-03-02 05:07:00,works,office",
    )
    district.register("code,station,room,contractor\nC2,South,S-room,Beta\n", date(2026, 3, 4))
    return district


@pytest.mark.parametrize("archived", [False, True])
@pytest.mark.parametrize(
    "filters",
    [Filters(), Filters(station="North"), Filters(station="South"), Filters(contractor="Beta")],
)
def test_they_are_what_the_samples_tell(
    troubled: District, settings: Settings, filters: Filters, archived: bool
) -> None:
    now = troubled.end_of(LAST)
    with troubled.database.read() as session:
        selection = select_devices(session, Grouping.FLEET, filters)
        told = outages_of(session, settings, selection, FIRST, LAST, now)
    if archived:
        released = archive_closed_days(troubled.database, settings, now + 30 * 86_400).released
        assert len(released) == 6
    lost, found, is_all = search(troubled, settings, filters, now)
    assert rows_of(found) == sorted((each.device, each.start, each.end) for each in told)
    assert len(told) > 3
    assert is_all
    assert lost.devices == len({each.device for each in told})


@pytest.mark.parametrize("at", ["2026-03-06T08:00:00", "2026-03-06T10:30:00"])
@pytest.mark.parametrize("classes", [FAILING_CLASSES, (SlotClass.OFFLINE,)])
def test_their_seconds_are_the_figures(
    troubled: District, settings: Settings, at: str, classes: Sequence[SlotClass]
) -> None:
    now = troubled.at(at)
    lost, found, _ = search(troubled, settings, Filters(), now, classes=classes)
    total = monthly(troubled.database, settings, MARCH, Grouping.FLEET, Filters(), now).total
    seconds = total.offline_s + (total.impaired_s if len(classes) > 1 else 0)
    assert lost.seconds == int(found.seconds.sum()) == seconds > 0


@only_sqlite
@pytest.mark.parametrize("sort", ["start", "-start", "-seconds"])
def test_the_foremost_come_first_however_few_are_read(
    troubled: District, settings: Settings, monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    now = troubled.end_of(LAST)
    _, everything, _ = search(troubled, settings, Filters(), now, sort=sort)
    monkeypatch.setattr(searching, "FIRST_READ", 1)
    monkeypatch.setattr(searching, "MOST_READ", 1)
    cut_short = 0
    for count in range(1, len(everything.device) + 1):
        _, found, is_all = search(troubled, settings, Filters(), now, sort=sort, count=count)
        assert len(found.device) >= count
        sure = np.arange(len(found.device))
        assert [column.tolist() for column in found] == [
            column.tolist() for column in everything.take(sure)
        ]
        cut_short += not is_all
    assert cut_short > 0


@only_sqlite
def test_samples_are_read_of_torn_days_alone(
    troubled: District, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[tuple[int, int]] = []

    def noted(session: Any, device_ids: list[int], start: int, *others: Any) -> Any:
        read.extend((device_id, start) for device_id in device_ids)
        return failing_samples(session, device_ids, start, *others)

    monkeypatch.setattr(searching, "failing_samples", noted)
    now = troubled.end_of(date(2026, 3, 3))
    _, found, _ = search(troubled, settings, Filters(station="North"), now)
    dark = troubled.at("2026-03-03")
    (device,) = [each for each, start, end in rows_of(found) if end - start == 86_400]
    assert (device, dark) not in read, "C2 was dark from morning to night"
    assert len(read) == 2


@only_sqlite
def test_those_of_no_station(troubled: District, settings: Settings) -> None:
    asked = MonthAsked(MARCH, Grouping.STATION, Filters(), group="")
    with troubled.database.read() as session:
        selected = asked.selected(session)
        assert asked.group_name(session) is None
    assert {view.groups[Grouping.STATION] for view in selected.cohorts.values()} == {None}


@only_sqlite
def test_no_more_are_kept_than_are_listed(
    troubled: District, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = troubled.end_of(LAST)
    _, everything, _ = search(troubled, settings, Filters(), now, sort="-seconds")
    monkeypatch.setattr(searching, "MOST_LISTED", 4)
    _, found, is_all = search(troubled, settings, Filters(), now, sort="-seconds")
    assert rows_of(found) == rows_of(everything.take(np.arange(5)))
    assert not is_all


@only_sqlite
@pytest.mark.parametrize(
    ("page", "most", "rows", "last", "and_more", "cut_off"),
    [(1, 2_000, 10, 10, False, False), (9, 20, 10, 20, True, True), (1, 50, 50, 49, False, False)],
)
def test_where_the_list_is_cut_off(
    district: District,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    page: int,
    most: int,
    rows: int,
    last: int,
    and_more: bool,
    cut_off: bool,
) -> None:
    monkeypatch.setattr(searching, "MOST_LISTED", most)
    monkeypatch.setattr(searching, "FIRST_READ", 1)
    asked = MonthAsked(MARCH, Grouping.FLEET, Filters())
    wanted = replace(ordered_by("start"), page=page, rows=rows)
    now = district.end_of(date(2026, 3, 2))
    found = month_outages(district.database, settings, asked, None, wanted, now)
    assert (found.list.last, found.list.and_more, found.cut_off) == (last, and_more, cut_off)
    assert len(found.lines) == last - found.list.skip


# The page


@pytest.fixture
def read(district: District, client: Asker, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A page, in words, as it is when all of 2 March is known."""
    clock = FixedClock(district.end_of(date(2026, 3, 2)))
    monkeypatch.setattr(month_pages, "time", clock)

    return partial(seen, client)


def test_the_outages_of_a_station(read: Any) -> None:
    seen = read("/months/outages?month=2026-03&by=station&group=North")
    assert "Overview Months 2026-03 Outages" in seen
    assert "Outages 2026-03 North · Cameras · so far, until 2026-03-03 00:00" in seen
    assert "6 h 0 min lost devices concerned: 1" in seen
    assert "03-02 00:00 03-02 06:00 6 h 0 min Yard no answer in time" in seen


def test_those_of_none_and_of_all(read: Any) -> None:
    assert "none of these · Cameras" in read("/months/outages?by=station&group=")
    assert "12 h 0 min lost devices concerned: 1" in read("/months/outages?by=station&group=")
    seen = read("/months/outages?by=station")
    assert "18 h 0 min lost devices concerned: 2" in seen
    assert seen.index("Yard") < seen.index("Roof"), "the longest comes first"
    assert "1–1 of 1" in read("/months/outages?by=fleet&group=North&only=offline")


def test_pages_and_orders(read: Any) -> None:
    district_wide = "/months/outages?month=2026-03&by=contractor&group=Beta"
    assert "1–48 of 48" in read(district_wide)
    first = read(f"{district_wide}&sort=start").split("Status")[1]
    assert first.strip().startswith("03-02 00:15 03-02 00:30 15 min Roof service faulty")
    last = read(f"{district_wide}&sort=-start").split("Status")[1]
    assert last.strip().startswith("03-02 23:45 goes on 15 min Roof")


@only_sqlite
def test_what_reaches_over_the_ends_of_the_month(
    district: District, read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in (date(2026, 3, 31), date(2026, 4, 1)):
        district.observe("C1", day, lambda _slot: 22)
    monkeypatch.setattr(month_pages, "time", FixedClock(district.end_of(date(2026, 4, 2))))
    assert "03-31 00:00 04-01 00:00 or later 1 d 0 h" in read("/months/outages?month=2026-03")
    assert "04-01 00:00 or before 04-02 00:00 1 d 0 h" in read("/months/outages?month=2026-04")


@only_sqlite
def test_an_outage_whose_samples_are_gone(district: District, read: Any) -> None:
    district.observe("C3", date(2026, 3, 2), lambda _slot: 20)
    assert "1 d 0 h Lane no answer in time" in read("/months/outages?by=fleet")
    with district.database.write() as session:
        session.execute(delete(Sample))
    assert "1 d 0 h Lane not measured" in read("/months/outages?by=fleet")


@only_sqlite
def test_a_month_without_any(read: Any) -> None:
    assert "No outages" in read("/months/outages?month=2026-02")


@only_sqlite
@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/months/outages?by=station&group=West", 404, "There is no station"),
        ("/months/outages?by=device&group=C1", 422, "by"),
        ("/months/outages?only=intact", 422, "only"),
        ("/months/outages?sort=device", 422, "no column"),
        ("/months/outages?month=2026-04", 422, "lies in the future"),
    ],
)
def test_what_cannot_be_shown(read: Any, path: str, status: int, text: str) -> None:
    assert text in read(path, status)
