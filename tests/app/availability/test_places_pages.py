"""Pages of stations, rooms, projects and contractors."""

import re
from datetime import date
from typing import Any

import pytest

from app.accounts.caller import Caller
from app.accounts.permissions import Role, permissions_of
from app.accounts.reach import Reach
from app.availability import pages
from app.config import Settings
from app.main import create_app
from tests.app.asking import Asker
from tests.app.availability.district import District


class _Clock:
    def __init__(self, now: int) -> None:
        self._now = now

    def time(self) -> float:
        return self._now


@pytest.fixture
def read(district: District, client: Asker, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A page, in words, as it is when all of 2 March is known."""
    monkeypatch.setattr(pages, "time", _Clock(district.end_of(date(2026, 3, 2))))

    def fetch(path: str, status: int = 200) -> str:
        answer = client.get(path, cookie="intact_lang=en", accept="text/html")
        assert answer.status_code == status
        body = answer.text.split("</head>")[1]
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))

    return fetch


def test_station(read: Any) -> None:
    seen = read("/stations/North?day=2026-03-02")
    assert "Overview Stations North" in seen
    assert "Intact rate – no evidence" in seen, "nobody sweeps here"
    assert "Month to date 2026-03 93.75 % missed" in seen, "a quarter of a day of one of two"
    assert "Outages of 2026-03-02 in all 6 h 0 min" in seen
    assert "00:00 or before 06:00 6 h 0 min Yard no answer in time" in seen
    assert "2026-03-01 100.00 %" in seen, "the chart's table"


def test_an_outage_belongs_to_its_day(read: Any) -> None:
    seen = read("/stations/North?day=2026-03-01")
    assert "Outages of 2026-03-01" in seen
    assert "No outages" in seen


def test_contractor_has_every_outage_of_its_own(read: Any) -> None:
    seen = read("/contractors/Beta?day=2026-03-02&outage-sort=start")
    assert "1–48 of 48" in seen, "every second slot is an outage of its own"
    assert "Roof service faulty" in seen
    assert "Yard" not in seen


def test_suspended_slots_are_no_outage(read: Any, district: District) -> None:
    district.suspend("C2,2026-03-02 00:00:00,2026-03-02 03:00:00,works,office")
    seen = read("/stations/North?day=2026-03-02")
    assert "03:00 06:00 3 h 0 min Yard" in seen


def test_room_shows_its_equipment(read: Any) -> None:
    seen = read("/rooms/N-room")
    assert "Equipment of the room Switch 127.9.1.1" in seen
    assert "Decoder" not in seen


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["Gate", "Yard"]),
        ("?sort=-name", ["Yard", "Gate"]),
        ("?q=9.0.2", ["Yard"]),
        ("?q=50%25", []),
    ],
)
def test_cameras_are_sorted_and_searched(read: Any, query: str, names: list[str]) -> None:
    listed = read(f"/stations/North{query}").split("Name, code or address")[-1]
    assert re.findall(r"Gate|Yard|Lane|Roof", listed) == names


def test_index_has_the_worst_first_and_those_of_none_last(read: Any) -> None:
    seen = read("/stations?sort=month")
    places = [seen.index(name) for name in ("North", "South", "none of these")]
    assert places[0] < places[1]
    assert read("/stations?q=nor").count("North") == 1
    assert "Nothing is found" in read("/stations?q=nowhere")


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/stations/nowhere", 404, "There is no station"),
        ("/stations/North?day=2026-03-09", 422, "lies in the future"),
        ("/stations/North?day=x", 422, "day"),
        ("/stations/North?sort=secret", 422, "no column"),
        ("/projects?page=0", 422, "page"),
    ],
)
def test_what_cannot_be_shown(read: Any, path: str, status: int, text: str) -> None:
    assert text in read(path, status)


def test_a_station_sees_its_own_alone(district: District, settings: Settings) -> None:
    reach = Reach(station="North")
    caller = Caller("north", permissions_of(Role.STATION), role=Role.STATION, reach=reach)
    asker = Asker(create_app(settings, district.database), caller)
    assert asker.get("/stations/North").status_code == 200
    assert asker.get("/stations/South").status_code == 404
    assert asker.get("/contractors/Beta").status_code == 404
    assert "North" in asker.get("/stations").text
    assert "South" not in asker.get("/stations").text
