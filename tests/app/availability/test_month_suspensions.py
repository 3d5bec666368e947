"""The suspensions behind a month's suspended rate."""

import re
from datetime import date
from typing import Any

import pytest

from app.accounts.caller import Caller
from app.accounts.permissions import Role, permissions_of
from app.accounts.reach import Reach
from app.availability import month_pages
from app.availability.month_suspensions import SUSPENSION_COLUMNS, month_suspensions
from app.availability.months import MonthAsked
from app.availability.periods import monthly
from app.availability.selection import Filters
from app.config import Settings
from app.fleet.roster import Grouping
from app.main import create_app
from app.web.listing import Listing
from kpi.calendar import Month
from tests.app.asking import Asker
from tests.app.availability.district import District
from tests.app.availability.test_months import FixedClock, seen

MARCH = Month(2026, 3)
NEWEST_FIRST = Listing(SUSPENSION_COLUMNS, "start", descending=True, page=1, text="")
only_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def asker(district: District, client: Asker, monkeypatch: pytest.MonkeyPatch) -> Asker:
    """Somebody of the office, as all of 2 March is known."""
    district.suspend(
        "C1,2026-02-10 00:00:00,2026-02-20 00:00:00,before,office",
        "C1,2026-03-01 06:00:00,2026-03-01 12:00:00,road works,office",
        "C2,2026-03-02 00:00:00,,moved,the chief",
        "C4,2026-03-01 00:00:00,2026-03-02 00:00:00,cable,office",
        "C4,2026-03-20 00:00:00,,planned,office",
    )
    clock = FixedClock(district.end_of(date(2026, 3, 2)))
    monkeypatch.setattr(month_pages, "time", clock)
    return client


@pytest.mark.parametrize("group", [None, "North", "South", ""])
def test_their_seconds_are_the_figure(
    district: District, settings: Settings, asker: Asker, group: str | None
) -> None:
    now = district.end_of(date(2026, 3, 2))
    asked = MonthAsked(MARCH, Grouping.STATION, Filters(), group)
    found = month_suspensions(district.database, settings, asked, NEWEST_FIRST, now)
    document = monthly(district.database, settings, MARCH, Grouping.STATION, Filters(), now)
    rows = {row.group or "": row for row in document.rows} | {None: document.total}
    assert found.seconds == rows[group].suspended_s
    assert found.devices == {None: 3, "North": 2, "South": 0, "": 1}[group]


def test_page(asker: Asker) -> None:
    page = seen(asker, "/months/suspensions?month=2026-03&by=station&group=North")
    assert "Overview Months 2026-03 Suspensions" in page
    assert "1 d 6 h suspended devices concerned: 2" in page
    rows = page.split("Approved by")[1]
    assert re.match(
        r" 2026-03-02 00:00 open Yard moved the chief "
        r"2026-03-01 06:00 2026-03-01 12:00 Gate road works office 1–2 of 2",
        rows,
    )
    assert "before" not in rows


@only_sqlite
def test_orders(asker: Asker) -> None:
    by_end = seen(asker, "/months/suspensions?month=2026-03&sort=end").split("Approved by")[1]
    assert re.findall("Gate|Roof|Yard", by_end) == ["Gate", "Roof", "Yard"]
    assert "planned" not in by_end, "it has not begun"


@only_sqlite
@pytest.mark.parametrize(
    ("query", "status", "text"),
    [
        ("month=2026-02", 200, "No suspensions"),  # nothing was in service
        ("month=2026-04", 422, "lies in the future"),
        ("by=station&group=West", 404, "There is no station"),
        ("sort=reason", 422, "no column"),
    ],
)
def test_others(asker: Asker, query: str, status: int, text: str) -> None:
    assert text in seen(asker, f"/months/suspensions?{query}", status)


@only_sqlite
@pytest.mark.usefixtures("asker")
def test_one_sees_ones_own_alone(district: District, settings: Settings) -> None:
    reach = Reach(contractor="Beta")
    role = Role.CONTRACTOR
    caller = Caller("beta", permissions_of(role), role=role, reach=reach)
    beta: Any = Asker(create_app(settings, district.database), caller)
    page = seen(beta, "/months/suspensions?month=2026-03&by=fleet")
    assert "Roof cable" in page
    assert "Yard" not in page
    seen(beta, "/months/suspensions?by=contractor&group=Alpha", 404)
