"""What devices say otherwise than the register: listed, shown, accepted."""

from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.accounts.audit import Actor
from app.accounts.tables import AuditEntry
from app.errors import NotFound
from app.fleet.api import router
from app.fleet.drift import accept_drift
from app.fleet.observed_queries import Compared, read_observed, store_observed
from app.fleet.tables import ChangeSource
from app.web import problems
from tests.app.asking import Asker
from tests.app.fleet.imported import Register

AT = 1_790_000_000
REGISTER = """\
code,name,address,vendor,model,serial,firmware,mac,resolution,username,password
A,A,10.0.0.1,Maker,M1,S1,V1,00:1A:2B:3C:4D:5E,1920x1080,admin,hunter2
B,B,10.0.0.2,Maker,M1,S2,V1,,,,
C,C,10.0.0.3,,,,,,,,
"""
TOLD: dict[str, dict[str, Any]] = {
    "A": {"vendor": "Maker", "model": "M1", "firmware": "V2", "mac": "00:1A:2B:3C:4D:5E"},
    "B": {"vendor": "Maker", "serial": "S2"},
    "C": {"serial": "S3", "resolution": "640x360"},
}
FIRMWARE = {"field": "firmware", "registered": "V1", "observed": "V2"}


@pytest.fixture
def observed(register: Register) -> Register:
    """Three devices, of which A and C say otherwise."""
    register.load(REGISTER)
    ids = {code: stored.id for code, stored in register.devices().items()}
    common = {"asked_at": AT, "outcome": 0, "detail": "", "inspected_at": AT}
    with register.database.write() as session:
        store_observed(
            session, [{"device_id": ids[code], **common, **told} for code, told in TOLD.items()]
        )
    return register


@pytest.fixture
def client(observed: Register) -> Asker:
    app = FastAPI()
    problems.install(app)
    app.include_router(router)
    app.state.database = observed.database
    app.state.settings = observed.settings
    return Asker(app)


@pytest.mark.parametrize(
    ("query", "codes"),
    [("drift=true", ["A", "C"]), ("drift=false", ["B"]), ("", ["A", "B", "C"])],
)
def test_those_that_differ_are_listed(client: Asker, query: str, codes: list[str]) -> None:
    page = client.get(f"/devices?{query}").json()
    assert [item["code"] for item in page["items"]] == codes
    assert page["total"] == len(codes)


def test_each_difference_is_shown(client: Asker) -> None:
    items = {item["code"]: item for item in client.get("/devices").json()["items"]}
    (firmware,) = items["A"]["drift"]
    assert firmware.pop("inspected_at") == "2026-09-21T22:13:20+08:00"
    assert firmware == FIRMWARE
    assert items["B"]["drift"] == []
    assert {(each["field"], each["registered"]) for each in items["C"]["drift"]} == {
        ("serial", None),
        ("resolution", None),
    }


def test_a_device_shows_what_was_observed(client: Asker) -> None:
    seen = client.get("/devices/A").json()["observed"]
    assert (seen["outcome"], seen["firmware"], seen["serial"]) == ("INTACT", "V2", None)
    assert seen["profiles"] == []


def test_one_never_inspected_has_nothing(client: Asker, observed: Register) -> None:
    observed.load("code,name,address\nD,D,10.0.0.4\n")
    shown = client.get("/devices/D").json()
    assert (shown["observed"], shown["drift"]) == (None, [])


def accept(register: Register, **choice: Any) -> int:
    register.touched = []
    result = accept_drift(
        register.database,
        register.settings,
        actor=Actor("office"),
        source=ChangeSource.CLI,
        now=AT,
        on_touched=lambda _, days: register.touched.extend(days),
        **choice,
    )
    return result.updated


def test_accepting_changes_what_was_told_and_nothing_else(observed: Register) -> None:
    before = observed.devices()
    assert accept(observed) == 2
    after = observed.devices()
    changed = {
        (code, name)
        for code, stored in after.items()
        for name, value in stored.record.as_dict().items()
        if value != getattr(before[code].record, name)
    }
    assert changed == {("A", "firmware"), ("C", "serial"), ("C", "resolution")}
    assert [stored.password_encrypted for stored in after.values()] == [
        stored.password_encrypted for stored in before.values()
    ]
    assert observed.touched == []  # no day of any ledger
    with observed.database.read() as session:
        query = select(AuditEntry).where(AuditEntry.action == "drift.accept")
        entry = session.scalars(query).one()
    assert (entry.actor, entry.action, entry.details) == ("office", "drift.accept", {"updated": 2})
    assert accept(observed) == 0


def test_accepting_one_device_or_one_field(observed: Register) -> None:
    assert accept(observed, codes=["C"], fields=[Compared.SERIAL]) == 1
    record = observed.devices()["C"].record
    assert (record.serial, record.resolution) == ("S3", None)
    assert accept(observed, codes=["B"]) == 0
    with pytest.raises(NotFound, match="nobody"):
        accept(observed, codes=["A", "nobody"])
    assert observed.devices()["A"].record.firmware == "V1"


def test_a_failed_inspection_leaves_what_was_observed(observed: Register) -> None:
    device_id = observed.devices()["A"].id
    with observed.database.write() as session:
        failed = {"asked_at": AT + 60, "outcome": 20, "detail": "no answer"}
        store_observed(session, [{"device_id": device_id, **failed}])
    with observed.database.read() as session:
        row = read_observed(session, [device_id])[device_id]
    assert (row.outcome, row.asked_at, row.inspected_at, row.firmware) == (20, AT + 60, AT, "V2")


def test_the_first_inspection_may_have_learnt_nothing(register: Register) -> None:
    register.load(REGISTER)
    device_id = register.devices()["A"].id
    row = {"device_id": device_id, "asked_at": AT, "outcome": 20, "detail": "no answer"}
    with register.database.write() as session:
        store_observed(session, [row])
    with register.database.read() as session:
        kept = read_observed(session, [device_id])[device_id]
    assert (kept.inspected_at, kept.profiles, kept.capabilities) == (None, [], {})
