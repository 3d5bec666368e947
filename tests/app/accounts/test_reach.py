"""Whose devices somebody sees: the same question of everybody, answered within each one's reach.

Every list is asked generically: its answer must be what the office gets when it asks for that
station (contractor) alone, totals included.
"""

import re
from datetime import date
from typing import Any

import pytest
from fastapi import FastAPI

from app.accounts.permissions import PERMISSIONS, Role
from app.accounts.reach import Reach
from app.config import Settings
from app.database import Database
from app.main import create_app
from tests.app.accounts.people import Person, signed_in
from tests.app.accounts.test_permission_matrix import endpoints
from tests.app.availability.district import REGISTER, SLOT_S, District

MONTH = "month=2026-03"
DAYS = "from=2026-03-01&to=2026-03-02"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return Settings(data_dir=settings.data_dir, poll_interval=SLOT_S)


@pytest.fixture
def district(database: Database, settings: Settings, tmp_path: Any) -> District:
    """As in the tests of the rates; and C2 belongs to South and Beta from 2 March on."""
    made = District(database, settings, tmp_path)
    made.register(REGISTER)
    for code in ("C1", "C2", "C4"):
        for day in (date(2026, 3, 1), date(2026, 3, 2)):
            made.observe(code, day, lambda slot: 20 if slot < 24 else 0)
    made.register("code,station,room,contractor\nC2,South,S-room,Beta\n", date(2026, 3, 2))
    return made


@pytest.fixture
def application(settings: Settings, database: Database, district: District) -> FastAPI:
    return create_app(settings, database)


LIMITED = [
    (Role.STATION, Reach(station="North"), "station=North"),
    (Role.STATION, Reach(station="South"), "station=South"),
    (Role.CONTRACTOR, Reach(contractor="Alpha"), "contractor=Alpha"),
    (Role.CONTRACTOR, Reach(contractor="Beta"), "contractor=Beta"),
    (Role.STATION, Reach(station="Nowhere"), None),
]
GROUPINGS = ("fleet", "station", "room", "project", "contractor", "device")
LISTS = [
    "devices?page_size=2",
    "devices?kind=camera",
    "devices?q=a",
    *(f"availability/monthly?{MONTH}&group_by={each}" for each in GROUPINGS),
    *(f"availability/monthly?{MONTH}&group_by={each}&format=csv" for each in ("room", "device")),
    *(f"availability/daily?{DAYS}&group_by={each}" for each in GROUPINGS),
    *(f"availability/now?group_by={each}" for each in GROUPINGS),
    "map?kind=camera",
    f"availability/monthly?{MONTH}&kind=room_equipment&group_by=room",
]
only_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.mark.parametrize(("role", "reach", "same_as"), LIMITED)
def test_a_list_is_what_the_office_sees_of_them(
    application: FastAPI, database: Database, role: Role, reach: Reach, same_as: str | None
) -> None:
    theirs = signed_in(application, database, role, reach)
    office = signed_in(application, database, Role.OFFICE)
    for path in LISTS:
        seen = _answer(theirs, path)
        if same_as is None:
            assert _is_empty(seen), path
        else:
            assert seen == _answer(office, f"{path}&{same_as}"), path


def _answer(person: Person, path: str) -> Any:
    answer = person.get(f"/api/v1/{path}", accept="*/*")
    assert answer.status_code == 200, path
    return answer.json() if "csv" not in path else answer.text


def _is_empty(seen: Any) -> bool:
    if isinstance(seen, str):
        return len(seen.splitlines()) == 1
    counted = seen.get("total")
    return (counted if isinstance(counted, int) else counted["devices"]) == 0


def test_a_change_of_hands_parts_the_figures(application: FastAPI, database: Database) -> None:
    north = signed_in(application, database, Role.STATION, Reach("North"))
    daily = _answer(north, f"availability/daily?{DAYS}&group_by=device")
    assert [(row["day"], row["group"]) for row in daily["rows"]] == [
        ("2026-03-01", "C1"),
        ("2026-03-01", "C2"),
        ("2026-03-02", "C1"),
    ]
    samples = _answer(north, "devices/C2/samples?from=2026-03-01&to=2026-03-03")["samples"]
    assert {each["tick"][:10] for each in samples} == {"2026-03-01"}
    south = signed_in(application, database, Role.STATION, Reach("South"), "south")
    samples = _answer(south, "devices/C2/samples?from=2026-03-01&to=2026-03-03")["samples"]
    assert {each["tick"][:10] for each in samples} == {"2026-03-02"}


NOT_THEIRS = [
    "devices/C3",
    "devices/C9",
    "devices/C3/samples?from=2026-03-01&to=2026-03-02",
    "devices?station=South",
    "devices?room=S-room",
    "devices?contractor=Beta",
    "devices?project=Smart",
    f"availability/monthly?{MONTH}&station=South",
    f"availability/monthly?{MONTH}&room=S-room",
    f"availability/monthly?{MONTH}&device=C3",
    f"availability/daily?{DAYS}&device=C4",
    "availability/now?contractor=Beta",
]


@pytest.mark.parametrize("path", NOT_THEIRS)
def test_what_is_not_theirs_does_not_exist(
    application: FastAPI, database: Database, path: str
) -> None:
    """Asked for by name it is 404, in the words for what there is not."""
    alpha = signed_in(application, database, Role.CONTRACTOR, Reach(contractor="Alpha"))
    answer = alpha.get(f"/api/v1/{path}", accept="*/*")
    assert answer.status_code == 404
    assert "There is no" in answer.json()["detail"]


FOREIGN = {
    "C3": "Lane",
    "C4": "Roof",
    "E2": "Decoder",
    "South": "South",
    "S-room": "S-room",
    "Beta": "Beta",
    "Smart": "Smart",
}
"""What is nothing of North's: code → the word by which one would see it."""
EVERY_QUERY = f"{MONTH}&{DAYS}&group_by=device&lang=en"


@only_sqlite
def test_no_endpoint_tells_of_what_is_not_theirs(application: FastAPI, database: Database) -> None:
    """Whatever endpoint there is, a new one too: pages, parts of pages, REST."""
    north = signed_in(application, database, Role.STATION, Reach("North"))
    asked = 0
    for endpoint in endpoints(application):
        if endpoint.method != "GET" or endpoint.permission is None:
            continue
        for code in ("C1", "North", "N-room", "HD", "Alpha"):
            answer = north.get(f"{_with(endpoint.path, code)}?{EVERY_QUERY}", accept="*/*")
            seen = [word for word in FOREIGN.values() if word in answer.text]
            assert seen == [], endpoint
            asked += answer.status_code == 200
        if "{" in endpoint.path and Role.STATION in PERMISSIONS[endpoint.permission]:
            for code in FOREIGN:
                address = f"{_with(endpoint.path, code)}?{EVERY_QUERY}"
                status = north.get(address, accept="*/*").status_code
                assert status in (404, 422), address  # 422: it takes a number, and no code
    assert asked > 20


def _with(path: str, code: str) -> str:
    """A path with the code in place of its parameter."""
    return re.sub(r"\{[^}]+\}", code, path)


@only_sqlite
def test_rooms_and_their_counts(application: FastAPI, database: Database) -> None:
    office = signed_in(application, database, Role.OFFICE)
    everything = {room["code"]: room for room in _answer(office, "rooms")["rooms"]}
    assert everything["S-room"]["cameras"] == 2
    station = signed_in(application, database, Role.STATION, Reach("South"))
    assert _answer(station, "rooms")["rooms"] == [everything["S-room"]]
    contractor = signed_in(application, database, Role.CONTRACTOR, Reach(contractor="Alpha"))
    (room,) = _answer(contractor, "rooms")["rooms"]
    assert (room["code"], room["cameras"], room["equipment"]) == ("N-room", 1, 0)
    assert room["state"] == "unknown", "the equipment is not this contractor's"


@only_sqlite
@pytest.mark.parametrize("path", ["/", "/overview/live"])
def test_the_overview_is_of_their_own(application: FastAPI, database: Database, path: str) -> None:
    north = signed_in(application, database, Role.STATION, Reach("North"))
    page = north.get(f"{path}?lang=en").text
    assert "North" in page
    for foreign in ("South", "S-room", "Lane"):
        assert foreign not in page, foreign


@only_sqlite
def test_the_fleets_own_figures_are_not_for_them(application: FastAPI, database: Database) -> None:
    for role, reach, _ in LIMITED[1:3]:
        person = signed_in(application, database, role, reach)
        assert person.get("/api/v1/sweeps", accept="*/*").status_code == 403
        assert person.get("/metrics", accept="*/*").status_code == 403
        assert person.get("/api/v1/alerts", accept="*/*").json()["total"] == 0
