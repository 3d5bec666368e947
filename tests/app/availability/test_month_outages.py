"""The outages behind a month's figures, held against those that each day's samples tell."""

import re
from datetime import date
from random import Random
from typing import Any

import pytest

from app.availability import month_outages as searching
from app.availability import month_pages
from app.availability.month_outages import find_outages
from app.availability.months import MonthAsked
from app.availability.outages import outages_of
from app.availability.periods import monthly
from app.availability.selection import Filters, select_devices
from app.config import Settings
from app.evidence.failing import failing_samples
from app.evidence.ledger import bring_up_to_date
from app.fleet.roster import Grouping
from kpi.calendar import Month, days_between
from kpi.outages import Spans
from kpi.status import SlotClass
from tests.app.asking import Asker
from tests.app.availability.district import District

MARCH = Month(2026, 3)
FIRST, LAST = date(2026, 3, 1), date(2026, 3, 6)
STATUSES = (0, 0, 0, 1, 11, 20, 21, None)
only_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


class _Clock:
    def __init__(self, now: int) -> None:
        self._now = now

    def time(self) -> float:
        return self._now


def rows_of(found: Spans) -> list[tuple[int, ...]]:
    return sorted(zip(*(column.tolist() for column in found), strict=True))


def search(
    district: District, settings: Settings, filters: Filters, now: int, **options: Any
) -> searching.Found:
    """The outages from `FIRST` to `LAST`, of a ledger that has come to `now`."""
    bring_up_to_date(district.database, settings, FIRST, LAST, now)
    with district.database.read() as session:
        selection = select_devices(session, Grouping.FLEET, filters)
        return find_outages(session, settings, selection, FIRST, LAST, **options)


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


@pytest.mark.parametrize(
    "filters",
    [Filters(), Filters(station="North"), Filters(station="South"), Filters(contractor="Beta")],
)
def test_they_are_what_the_samples_tell(
    troubled: District, settings: Settings, filters: Filters
) -> None:
    now = troubled.end_of(LAST)
    found = search(troubled, settings, filters, now)
    with troubled.database.read() as session:
        selection = select_devices(session, Grouping.FLEET, filters)
        told = outages_of(session, settings, selection, FIRST, LAST, now)
    assert rows_of(found.spans) == sorted((each.device, each.start, each.end) for each in told)
    assert found.count == len(told) > 3
    assert found.devices == len({each.device for each in told})


@pytest.mark.parametrize("at", ["2026-03-06T08:00:00", "2026-03-06T10:30:00"])
@pytest.mark.parametrize("only", [None, SlotClass.OFFLINE])
def test_their_seconds_are_the_figures(
    troubled: District, settings: Settings, at: str, only: SlotClass | None
) -> None:
    now = troubled.at(at)
    classes = {} if only is None else {"classes": (only,)}
    found = search(troubled, settings, Filters(), now, **classes)
    total = monthly(troubled.database, settings, MARCH, Grouping.FLEET, Filters(), now).total
    lost = total.offline_s if only else total.offline_s + total.impaired_s
    assert found.lost_s == int(found.spans.seconds.sum()) == lost > 0


@only_sqlite
def test_the_longest_are_kept_and_all_are_counted(troubled: District, settings: Settings) -> None:
    now = troubled.end_of(LAST)
    everything = search(troubled, settings, Filters(), now)
    lengths = sorted(everything.spans.seconds.tolist())
    for most in (1, 3, 10):
        found = search(troubled, settings, Filters(), now, most=most)
        assert (found.count, found.lost_s) == (everything.count, everything.lost_s)
        assert sorted(found.spans.seconds.tolist()) == lengths[-most:]


@only_sqlite
def test_samples_are_read_of_torn_days_alone(
    troubled: District, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    def counted(*arguments: Any) -> Any:
        found = failing_samples(*arguments)
        read.append(len(found.tick))
        return found

    monkeypatch.setattr(searching, "failing_samples", counted)
    search(troubled, settings, Filters(station="North"), troubled.end_of(date(2026, 3, 3)))
    assert sum(read) <= 96, "of C1's third day, not of C2's, which was dark from morning to night"


@only_sqlite
def test_those_of_no_station(troubled: District, settings: Settings) -> None:
    asked = MonthAsked(MARCH, Grouping.STATION, Filters(), group="")
    with troubled.database.read() as session:
        selected = asked.selected(session)
        assert asked.group_name(session) is None
    assert {view.groups[Grouping.STATION] for view in selected.cohorts.values()} == {None}


# The page


@pytest.fixture
def read(district: District, client: Asker, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A page, in words, as it is when all of 2 March is known."""
    clock = _Clock(district.end_of(date(2026, 3, 2)))
    monkeypatch.setattr(month_pages, "time", clock)

    def fetch(path: str, status: int = 200) -> str:
        answer = client.get(path, cookie="intact_lang=en", accept="text/html")
        assert answer.status_code == status
        body = answer.text.split("</head>")[1]
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))

    return fetch


def test_the_outages_of_a_station(read: Any) -> None:
    seen = read("/months/outages?month=2026-03&by=station&group=North")
    assert "Overview Months 2026-03 Outages" in seen
    assert "Outages 2026-03 North · Cameras · so far, until 2026-03-03 00:00" in seen
    assert "Outages: 1, devices: 1 in all 6 h 0 min" in seen
    assert "03-02 00:00 03-02 06:00 6 h 0 min Yard no answer in time" in seen


def test_those_of_none_and_of_all(read: Any) -> None:
    assert "none of these · Cameras" in read("/months/outages?by=station&group=")
    assert "Outages: 48, devices: 1" in read("/months/outages?by=station&group=")
    seen = read("/months/outages?by=station")
    assert "Outages: 49, devices: 2" in seen
    assert seen.index("Yard") < seen.index("Roof"), "the longest comes first"
    assert "Outages: 1," in read("/months/outages?by=fleet&group=North&only=offline")


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
    monkeypatch.setattr(month_pages, "time", _Clock(district.end_of(date(2026, 4, 2))))
    assert "03-31 00:00 04-01 00:00 or later 1 d 0 h" in read("/months/outages?month=2026-03")
    assert "04-01 00:00 or before 04-02 00:00 1 d 0 h" in read("/months/outages?month=2026-04")


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
