"""The list of devices by its filters: what it shows is what it exports."""

import csv
import io
import re
import time
from itertools import chain

import openpyxl
import pytest
from fastapi import FastAPI
from sqlalchemy import delete

from app.accounts.permissions import Role
from app.accounts.reach import Reach
from app.availability.device_list import DEVICE_COLUMNS
from app.availability.devices_listed import Chosen, devices_listed
from app.database import Database
from app.evidence.tables import DeviceState, Sweep
from app.fleet.roster import cohorts, device_ids_by_code
from app.main import create_app
from app.web.listing import Listing
from kpi.calendar import floor_to_slot, local_day
from kpi.status import SlotClass
from tests.app.accounts.people import signed_in
from tests.app.availability.district import SLOT_S, District

MORE = """\
code,name,kind,project,station,room,contractor,address,port,probe,critical,commissioned_on
C5,Old,camera,HD,North,N-room,Alpha,127.9.0.5,80,onvif,,2026-03-01
C6,Wall,camera,HD,North,,Alpha,127.9.0.6,80,onvif,,2026-03-01
C7,Quay,camera,Smart,South,S-room,Beta,127.9.0.7,80,onvif,,2026-03-01
"""
GONE = "code,decommissioned_on\nC5,2026-03-02\n"
STATES = {"C1": 0, "C2": 20, "C4": 11, "C6": 0, "C7": 22}
"""C3 was never seen, C5 is out of service; C7 is suspended."""


@pytest.fixture
def now(district: District) -> int:
    """The district as the last sweep saw it, just now."""
    now = int(time.time())
    district.register(MORE)
    district.register(GONE)
    district.suspend("C7,2026-03-01T00:00:00+08:00,,works,office")
    tick = floor_to_slot(now, SLOT_S)
    with district.database.write() as session:
        ids = device_ids_by_code(session)
        for code, status in STATES.items():
            state = {"status": status, "since": tick, "detail": ""}
            session.add(DeviceState(device_id=ids[code], **state))
        numbers = {"interval_s": SLOT_S, "devices": 8, "stored": 8, "wall_s": 1.0, "cpu_s": 1.0}
        session.add(Sweep(tick=tick, finished_at=now, by_status={}, latency_ms={}, **numbers))
    return now


@pytest.fixture
def application(district: District) -> FastAPI:
    return create_app(district.settings, district.database)


SELECTIONS = [
    ("", ["C2", "C4", "C3", "C1", "C6", "C7"]),
    ("sort=-state", ["C7", "C1", "C6", "C3", "C4", "C2"]),
    ("sort=-code", ["C7", "C6", "C4", "C3", "C2", "C1"]),
    ("sort=name", ["C1", "C3", "C7", "C4", "C6", "C2"]),
    ("station=South&q=", ["C3", "C7"]),
    ("station=&q=Gate", ["C1"]),
    ("room=N-room", ["C2", "C1"]),
    ("room=N-room&state=intact", ["C1"]),
    ("state=offline", ["C2"]),
    ("state=impaired", ["C4"]),
    ("state=unknown", ["C3"]),
    ("state=intact&sort=-code", ["C6", "C1"]),
    ("state=suspended", ["C7"]),
    ("state=intact&q=a", ["C1", "C6"]),
    ("service=out", ["C5"]),
    ("service=out&state=intact", []),
    ("service=all&sort=code", ["C1", "C2", "C3", "C4", "C5", "C6", "C7"]),
    ("service=all&station=North&project=HD&sort=code", ["C1", "C2", "C5", "C6"]),
    ("service=all&state=offline", ["C2"]),
    ("kind=room_equipment&sort=code", ["E1", "E2"]),
]


@pytest.mark.parametrize(("query", "codes"), SELECTIONS)
def test_the_list_shows_and_exports_the_same(
    application: FastAPI, database: Database, now: int, query: str, codes: list[str]
) -> None:
    office = signed_in(application, database, Role.OFFICE)
    page = office.get(f"/devices?{query}")
    assert re.findall(r'<td class="soft">(\w+)</td>', page.text) == codes
    exported = re.search(r'href="(/devices\.csv\?[^"]*)"', page.text)
    assert exported is not None
    answer = office.get(exported.group(1).replace("&amp;", "&"), accept="*/*")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["code"] for row in rows] == sorted(codes)
    assert all("password" not in row for row in rows)


def test_the_selection_as_a_workbook(application: FastAPI, database: Database, now: int) -> None:
    office = signed_in(application, database, Role.OFFICE)
    answer = office.get("/devices.xlsx?service=out", accept="*/*")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[0]
    assert [row[0].value for row in sheet.iter_rows()] == ["code", "C5"]


@pytest.mark.parametrize("query", ["state=broken", "service=maybe", "room=nowhere"])
def test_a_choice_that_is_none_is_refused(
    application: FastAPI, database: Database, now: int, query: str
) -> None:
    office = signed_in(application, database, Role.OFFICE)
    for path in ("/devices", "/devices.csv"):
        assert office.get(f"{path}?{query}").status_code in (404, 422)


@pytest.mark.parametrize(
    ("role", "reach", "offered", "rooms"),
    [
        (Role.OFFICE, Reach(), ["station", "room", "project", "contractor"], ["N-room", "S-room"]),
        (Role.STATION, Reach(station="North"), ["room", "project", "contractor"], ["N-room"]),
        (Role.CONTRACTOR, Reach(contractor="Beta"), ["station", "room", "project"], ["S-room"]),
    ],
)
def test_the_choices_that_make_sense(
    application: FastAPI,
    database: Database,
    now: int,
    role: Role,
    reach: Reach,
    offered: list[str],
    rooms: list[str],
) -> None:
    page = signed_in(application, database, role, reach).get("/devices").text
    groups = ("station", "room", "project", "contractor")
    assert [name for name in re.findall(r'<select [^>]*name="(\w+)"', page) if name in groups] == (
        offered
    )
    assert re.findall(r'<option value="(\w-room)"', page) == rooms


def test_nothing_is_known_of_now_after_an_old_sweep(
    application: FastAPI, district: District, now: int
) -> None:
    with district.database.write() as session:
        session.execute(delete(Sweep))
    office = signed_in(application, district.database, Role.OFFICE)
    for state, number in (("unknown", 5), ("offline", 0), ("intact", 0), ("suspended", 1)):
        page = office.get(f"/devices?state={state}").text
        assert len(re.findall(r'<td class="soft">', page)) == number, state


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("sort", ["state", "code", "since", "name"])
def test_pages_are_parts_of_the_whole(
    district: District, now: int, sort: str, descending: bool
) -> None:
    day = local_day(now, district.settings.zone)
    with district.database.read() as session:
        ids = [view.id for view in cohorts(session) if view.kind == "camera"]
        chosen = Chosen(ids, day, now)

        def page(number: int, rows: int) -> list[str]:
            wanted = Listing(DEVICE_COLUMNS, sort, descending, number, "", rows=rows)
            found, shown = devices_listed(session, chosen, wanted)
            assert shown.total == 6
            return [row.code for row in found]

        whole = page(1, 50)
        assert len(whole) == 6
        for rows in (1, 2, 4, 5):
            parts = [page(number, rows) for number in range(1, -(-6 // rows) + 1)]
            assert list(chain(*parts)) == whole, rows


def test_the_ledger_tells_how_many_there_are(district: District, now: int) -> None:
    """As long as the day has no ledger, and once it has one."""
    today = local_day(now, district.settings.zone)
    wanted = Listing(DEVICE_COLUMNS, "state", descending=False, page=1, text="")
    office = signed_in(
        create_app(district.settings, district.database), district.database, Role.OFFICE
    )
    found = []
    for _ in range(2):
        with district.database.read() as session:
            ids = [view.id for view in cohorts(session) if view.kind == "camera"]
            for state in (None, SlotClass.INTACT):
                chosen = Chosen(ids, today, now, state=state)
                found.append(devices_listed(session, chosen, wanted)[1].total)
        office.get("/devices")  # brings the ledger up to date
    assert found == [6, 2, 6, 2]
