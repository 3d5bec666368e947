"""Exemptions: whom they cover on which day, what a file or a request of them must say."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.audit import Actor
from app.availability.instant import present
from app.availability.selection import Filters
from app.config import Settings
from app.database import Database
from app.errors import ImportRefused
from app.evidence.covers import exemption_covers
from app.evidence.exemptions.importing import import_exemptions
from app.evidence.exemptions.tables import Exemption, ExemptionVersion
from app.evidence.ledger import bring_up_to_date, mark_touched
from app.evidence.store import claim_day, store_samples
from app.evidence.tables import DayOrigin, Ledger
from app.fleet.roster import Grouping
from app.fleet.tables import (
    BEGINNING,
    Assignment,
    Cohort,
    Device,
    DeviceKind,
    ProbeChoice,
    Project,
    Room,
)
from kpi.calendar import day_start
from kpi.ledger import Cover
from tests.app.asking import Asker

FIRST = date(2026, 3, 2)
SECOND = FIRST + timedelta(days=1)
ACTOR = Actor("office")
HEADER = "scope,code,from,to,reason,approved_by,document\n"
NOW_DAYS = 10


def camera(session: Session, code: str) -> int:
    device = Device(
        code=code,
        name=code,
        kind=DeviceKind.CAMERA,
        probe=ProbeChoice.ONVIF,
        registered_on=FIRST,
    )
    session.add(device)
    session.flush()
    return device.id


@pytest.fixture
def devices(database: Database) -> dict[str, int]:
    """`A` moves from room R1 to R2 and from power district P1 to P2 on the second day; `B` stays
    in R1, P1; both in project X. `C` is in none."""
    with database.write() as session:
        first, second, project = (
            Room(code="R1", name="1"),
            Room(code="R2", name="2"),
            Project(code="X", name="X"),
        )
        session.add_all([first, second, project])
        session.flush()
        one = Cohort(kind=DeviceKind.CAMERA, room_id=first.id, project_id=project.id)
        two = Cohort(kind=DeviceKind.CAMERA, room_id=second.id, project_id=project.id)
        none = Cohort(kind=DeviceKind.CAMERA)
        session.add_all([one, two, none])
        session.flush()
        ids = {code: camera(session, code) for code in "ABC"}
        session.add_all(
            Assignment(
                device_id=ids[code],
                from_day=begin,
                to_day=end,
                cohort_id=cohort.id,
                power_district=power,
            )
            for code, begin, end, cohort, power in (
                ("A", BEGINNING, SECOND, one, "P1"),
                ("A", SECOND, None, two, "P2"),
                ("B", BEGINNING, None, one, "P1"),
                ("C", BEGINNING, None, none, None),
            )
        )
    return ids


def imported(
    database: Database, settings: Settings, folder: Path, *rows: str, dry_run: bool = False
) -> tuple[int, int, int]:
    file = folder / "exemptions.csv"
    file.write_text(HEADER + "\n".join(rows) + "\n", encoding="utf-8")
    now = day_start(FIRST + timedelta(days=NOW_DAYS), settings.zone)
    result = import_exemptions(
        database,
        settings,
        file,
        now=now,
        actor=ACTOR,
        on_touched=mark_touched,
        dry_run=dry_run,
    )
    return result.inserted, result.updated, result.unchanged


@pytest.mark.parametrize(
    ("row", "covered"),
    [
        ("device,A,2026-03-02,2026-03-02", {"A": [(0, 24)]}),
        ("device,A,2026-03-02 06:00,2026-03-03 06:00", {"A": [(6, 24), (24, 30)]}),
        ("room,R1,2026-03-02,2026-03-03", {"A": [(0, 24)], "B": [(0, 48)]}),
        ("room,R2,2026-03-02,2026-03-03", {"A": [(24, 48)]}),
        ("room,R2,2026-03-02,2026-03-02", {}),
        ("power_district,P2,2026-03-02 12:00,", {"A": [(24, None)]}),
        ("power_district,P1,2026-03-02 12:00,", {"A": [(12, 24)], "B": [(12, None)]}),
        ("project,X,2026-03-02 12:00,2026-03-02 13:00", {"A": [(12, 13)], "B": [(12, 13)]}),
        ("机房,R1,2026-03-03 01:00,2026-03-03 02:00", {"B": [(25, 26)]}),
    ],
)
def test_whom_it_covers_and_when(
    database: Database,
    settings: Settings,
    tmp_path: Path,
    devices: dict[str, int],
    row: str,
    covered: dict[str, list[tuple[int, int | None]]],
) -> None:
    assert imported(database, settings, tmp_path, f"{row},works,office,D-1") == (1, 0, 0)
    start = day_start(FIRST, settings.zone)
    ids = list(devices.values())
    with database.read() as session:
        found = exemption_covers(session, settings.zone, ids, start, start + 48 * 3600)
    expected = [
        Cover(ids.index(devices[code]), start + 3600 * begin, end and start + 3600 * end)
        for code, spans in covered.items()
        for begin, end in spans
    ]
    assert sorted(set(found), key=str) == sorted(expected, key=str)


def test_the_ledger_leaves_exempted_time_out(
    database: Database, settings: Settings, tmp_path: Path, devices: dict[str, int]
) -> None:
    start = day_start(FIRST, settings.zone)
    with database.write() as session:
        claim_day(session, FIRST, settings.timezone, 60, DayOrigin.IMPORT)
        rows = [
            (start + 60 * n, device, 20, None) for n in range(1440) for device in devices.values()
        ]
        store_samples(session, settings.zone, rows)
    now = start + NOW_DAYS * 86_400

    def exempted() -> dict[str, tuple[int, int]]:
        bring_up_to_date(database, settings, FIRST, FIRST, now)
        with database.read() as session:
            ledger = {row.device_id: row for row in session.scalars(select(Ledger))}
        return {
            code: (ledger[device].exempted, ledger[device].offline)
            for code, device in devices.items()
        }

    assert exempted() == dict.fromkeys("ABC", (0, 86_400))
    first = "room,R1,2026-03-02 06:00,2026-03-02 07:00,works,office,D-1"
    assert imported(database, settings, tmp_path, first, dry_run=True) == (1, 0, 0)
    assert exempted() == dict.fromkeys("ABC", (0, 86_400))
    imported(database, settings, tmp_path, first)
    moved = (3_600, 82_800)
    assert exempted() == {"A": moved, "B": moved, "C": (0, 86_400)}
    longer = first.replace("07:00", "08:00")
    assert imported(database, settings, tmp_path, longer) == (0, 1, 0)
    assert imported(database, settings, tmp_path, longer) == (0, 0, 1)
    moved = (7_200, 79_200)
    assert exempted() == {"A": moved, "B": moved, "C": (0, 86_400)}
    with database.read() as session:
        stored = session.scalars(select(Exemption)).one()
        former = session.scalars(select(ExemptionVersion)).one()
    assert (stored.version, stored.end) == (2, start + 8 * 3600)
    assert (former.version, former.end, former.recorded_by) == (1, start + 7 * 3600, "office")


def test_the_figures_of_now_know_it(
    database: Database, settings: Settings, tmp_path: Path, devices: dict[str, int]
) -> None:
    imported(database, settings, tmp_path, "project,X,2026-03-02,,works,office,D-1")
    now = day_start(SECOND, settings.zone)
    total = present(database, settings, Grouping.FLEET, Filters(), now).total
    assert (total.exempted, total.unknown, total.devices) == (2, 1, 3)


@pytest.mark.parametrize(
    ("row", "column", "remedy"),
    [
        ("lane,A,2026-03-02,,works,office,", "scope", "device, room, power_district, project"),
        ("device,Z,2026-03-02,,works,office,", "code", "no device of the register"),
        ("room,A,2026-03-02,,works,office,", "code", "no room of the register"),
        ("device,A,,,works,office,", "from", "must not be empty"),
        ("device,A,2026-03-02,,,office,", "reason", "must not be empty"),
        ("device,A,2026-03-02,,works,,", "approved_by", "must not be empty"),
        ("device,A,2026-03-02 08:00,2026-03-02 08:00,works,office,", "to", "must be after from"),
        ("device,A,2.3.26,,works,office,", "from", "YYYY-MM-DD"),
        ("device,B,2026-03-02,,other,office,", "from", "row 2 has the same"),
    ],
)
def test_a_wrong_row_is_named_and_nothing_is_written(
    database: Database,
    settings: Settings,
    tmp_path: Path,
    devices: dict[str, int],
    row: str,
    column: str,
    remedy: str,
) -> None:
    with pytest.raises(ImportRefused) as refused:
        imported(database, settings, tmp_path, "device,B,2026-03-02,,works,office,", row)
    (problem,) = refused.value.problems
    assert (problem.row, problem.column) == (3, column)
    assert remedy in problem.remedy
    with database.read() as session:
        assert session.scalars(select(Exemption)).all() == []


def test_rest_records_lists_and_refuses(client: Asker, devices: dict[str, int]) -> None:
    wanted = {
        "scope": "room",
        "code": "R1",
        "from": "2026-03-02",
        "to": "2026-03-04",
        "reason": "planned maintenance",
        "approved_by": "视频办",
    }
    made = client.ask("POST", "/api/v1/exemptions", json=wanted)
    assert made.status_code == 201, made.text
    assert made.json()["to"] == "2026-03-05T00:00:00+08:00"
    changed = client.ask("POST", "/api/v1/exemptions", json={**wanted, "to": "2026-03-03"})
    assert (changed.json()["version"], changed.json()["id"]) == (2, made.json()["id"])
    page = client.get("/api/v1/exemptions?scope=room&code=R1").json()
    assert (page["total"], page["items"][0]["to"]) == (1, "2026-03-04T00:00:00+08:00")
    assert client.get("/api/v1/exemptions?scope=device").json()["total"] == 0
    wrong = client.ask("POST", "/api/v1/exemptions", json={**wanted, "code": "R9"})
    assert wrong.status_code == 422
    assert "R9" in wrong.text
