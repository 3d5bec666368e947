"""The history of a record: what each way of changing the register leaves there, and who sees it."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from app.accounts.audit import Actor
from app.accounts.audit_queries import newest_of
from app.accounts.permissions import Role
from app.accounts.reach import EVERYTHING, Reach
from app.database import Database
from app.errors import ImportRefused
from app.fleet.changes import Stored
from app.fleet.drift import accept_drift
from app.fleet.editing import cells_of, save_device, stamp
from app.fleet.history import CREATED, Origin, history_of
from app.fleet.importing import import_devices
from app.fleet.key_rotation import rotate_key
from app.fleet.observed_queries import store_observed
from app.fleet.tables import ChangeSource, DeviceChange
from app.fleet.touched import DeviceDays
from app.main import create_app
from kpi.calendar import day_start
from tests.app.accounts.people import signed_in
from tests.app.fleet.imported import TODAY, Register

AT = 1_773_100_800  # 2026-03-10 08:00 in Shanghai
LI = Origin(Actor("li"), ChangeSource.IMPORT, AT)
HEAD = "code,name,station,address,power_district,username,password\n"
GATE = "C1,Gate,North,10.0.0.1,Grid 1,admin,hunter2\n"
Told = tuple[str, str | None, str | None]


def told(register: Register, code: str = "C1", reach: Reach = EVERYTHING) -> list[Told]:
    """(field, before, after), the oldest first."""
    return [(each.field, each.before, each.after) for each in entries(register, code, reach)]


def entries(register: Register, code: str = "C1", reach: Reach = EVERYTHING) -> list[DeviceChange]:
    device_id, zone = register.devices()[code].id, register.settings.zone
    with register.database.read() as session:
        total, found = history_of(session, zone, device_id, reach, 0, 100)
        assert total == len(found)
        return found[::-1]


def count(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count(DeviceChange.id))) or 0


@pytest.fixture
def gate(register: Register) -> Register:
    """C1 in the register."""
    register.load(HEAD + GATE, origin=LI)
    return register


def test_a_new_device_is_one_entry(gate: Register) -> None:
    (entry,) = entries(gate)
    assert (entry.field, entry.before, entry.after) == (CREATED, None, "Gate")
    assert (entry.actor, entry.source, entry.at) == ("li", ChangeSource.IMPORT, AT)


CASES: list[tuple[str, dict[str, Any], list[Told]]] = [
    ("code,name\nC1,Gate\n", {}, []),
    ("code,name,tls\nC1,Door,yes\n", {}, [("name", "Gate", "Door"), ("tls", "false", "true")]),
    ("code,address,port\nC1,10.0.0.2,8080\n", {},
     [("address", "10.0.0.1", "10.0.0.2"), ("port", "80", "8080")]),
    ("code,username\nC1,\n", {}, [("username", "admin", None)]),
    ("code,password\nC1,hunter2\n", {}, []),
    ("code,password\nC1,hunter3\n", {}, [("password", None, None)]),
    ("code,decommissioned_on\nC1,2026-04-01\n", {}, [("decommissioned_on", None, "2026-04-01")]),
    ("code,station\nC1,South\n", {},
     [("station", "North", "South"), ("effective", None, "2026-03-11")]),
    ("code,power_district\nC1,Grid 2\n", {"effective": date(2026, 3, 1)},
     [("power_district", "Grid 1", "Grid 2"), ("effective", None, "2026-03-01")]),
]  # fmt: skip


@pytest.mark.parametrize(("file", "options", "expected"), CASES)
def test_an_import_leaves_an_entry_for_each_field(
    gate: Register, file: str, options: dict[str, Any], expected: list[Told]
) -> None:
    gate.load(file, origin=LI, **options)
    assert told(gate)[1:] == expected


def test_an_assignment_dated_back_says_from_when_to_when(gate: Register) -> None:
    gate.load("code,station\nC1,South\n", origin=LI)
    gate.load("code,station\nC1,South\n", origin=LI, effective=date(2026, 3, 2))
    assert told(gate)[-1] == ("effective", "2026-03-11", "2026-03-02")


def test_no_secret_is_kept(gate: Register) -> None:
    gate.load("code,password\nC1,hunter3\n", origin=LI)
    with gate.database.read() as session:
        rows = session.execute(select(DeviceChange.__table__)).all()
    assert "hunter" not in str(rows)


def test_what_changes_nothing_leaves_nothing(gate: Register) -> None:
    gate.load(HEAD + GATE, origin=LI)
    gate.load("code,name\nC1,Door\n", origin=LI, dry_run=True)
    with pytest.raises(ImportRefused):
        gate.load("code,name,port\nC1,Door,99999\n", origin=LI)
    with pytest.raises(ZeroDivisionError):
        _fail(gate)
    rotate_key(gate.database, gate.settings)
    assert count(gate.database) == 1


def _fail(register: Register) -> None:
    """An import whose transaction ends after the register was written."""
    path = register.folder / "register.csv"
    path.write_text("code,name,address\nC1,Door,10.0.0.1\nC9,New,10.0.0.9\n")
    import_devices(register.database, register.settings, path, today=TODAY, on_touched=_breaks)


def _breaks(_session: Session, _days: Sequence[DeviceDays]) -> None:
    raise ZeroDivisionError


def test_a_form_and_what_a_device_says_leave_their_source(gate: Register) -> None:
    stored: Stored = gate.devices()["C1"]
    save_device(
        gate.database,
        gate.settings,
        cells_of(stored) | {"name": "Door"},
        stamp(stored),
        actor=Actor("wang"),
        now=AT + 60,
        on_touched=lambda *_: None,
    )
    with gate.database.write() as session:
        seen = {"asked_at": 1, "outcome": 0, "detail": "", "inspected_at": 1, "vendor": "Lingshi"}
        store_observed(session, [{"device_id": stored.id, **seen}])
    accept_drift(
        gate.database,
        gate.settings,
        actor=Actor("shell:root"),
        source=ChangeSource.CLI,
        now=AT + 120,
        on_touched=lambda *_: None,
    )
    assert [
        (each.actor, each.source, each.at, each.field, each.after) for each in entries(gate)[1:]
    ] == [
        ("wang", ChangeSource.FORM, AT + 60, "name", "Door"),
        ("shell:root", ChangeSource.CLI, AT + 120, "vendor", "Lingshi"),
    ]


def test_the_database_refuses_to_change_it(gate: Register) -> None:
    for statement in (update(DeviceChange).values(actor="nobody"), delete(DeviceChange)):
        with pytest.raises(DatabaseError, match="append-only"), gate.database.write() as session:
            session.execute(statement)
    assert count(gate.database) == 1


def test_the_audit_log_is_of_the_same_transaction(gate: Register) -> None:
    with pytest.raises(ZeroDivisionError):
        _fail(gate)
    gate.load("code,name\nC1,Door\n", origin=LI, dry_run=True)
    with gate.database.read() as session:
        (entry,) = newest_of(session, ["devices.import"], 5)
    assert (entry.actor, entry.subject, entry.at) == ("li", "register.csv", AT)
    assert entry.details == {"inserted": 1, "updated": 0, "unchanged": 0, "refused": 0}


def test_each_sees_what_was_changed_while_it_was_theirs(gate: Register) -> None:
    moved = date(2026, 3, 20)
    gate.load("code,station\nC1,South\n", origin=LI, effective=moved)
    since = day_start(moved, gate.settings.zone)
    for at, name in ((since - 1, "Before"), (since, "After")):
        gate.load(f"code,name\nC1,{name}\n", origin=Origin(LI.actor, LI.source, at))
    assert told(gate, reach=Reach(station="South")) == [("name", "Before", "After")]
    assert [each[0] for each in told(gate)] == [CREATED, "station", "effective", "name", "name"]


def test_over_rest(gate: Register) -> None:
    gate.load("code,name,port\nC1,Door,8080\n", origin=LI)
    application = create_app(gate.settings, gate.database)
    north = signed_in(application, gate.database, Role.STATION, Reach("North"))
    page = north.send("GET", "/api/v1/devices/C1/changes?page_size=2").json()
    assert (page["total"], page["page"], page["page_size"]) == (3, 1, 2)
    assert page["items"][0] == {
        "at": "2026-03-10T08:00:00+08:00",
        "actor": "li",
        "source": "import",
        "field": "port",
        "before": "80",
        "after": "8080",
    }
    rest = north.send("GET", "/api/v1/devices/C1/changes?page_size=2&page=2").json()
    assert [each["field"] for each in rest["items"]] == [CREATED]
    south = signed_in(application, gate.database, Role.STATION, Reach("South"), "south")
    assert south.send("GET", "/api/v1/devices/C1/changes").status_code == 404
