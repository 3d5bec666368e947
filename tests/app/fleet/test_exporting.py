import csv
import io
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import NotFound
from app.fleet.exporting import export_devices
from app.fleet.queries import Selection
from app.fleet.record import RECORD_FIELDS
from app.fleet.tables import DeviceKind
from app.tabular import ImportResult
from tests.app.fleet.imported import Register

BOM = b"\xef\xbb\xbf"

FULL = {
    "code": "44010600001310000001",
    "name": "东门",
    "kind": "storage",
    "project": "P1",
    "station": "S1",
    "room": "R1",
    "contractor": "甲公司",
    "power_district": "D1",
    "address": "2001:db8::1",
    "port": "8554",
    "probe": "tcp",
    "tls": "true",
    "critical": "true",
    "vendor": "V",
    "model": "M",
    "serial": "0012",
    "firmware": "1.0",
    "mac": "00:1A:2B:3C:4D:5E",
    "longitude": "-113.2643851",
    "latitude": "-23.1",
    "install_address": "1 Road\nback",
    "position_class": "2",
    "resolution": "1920x1080",
    "commissioned_on": "2025-01-01",
    "decommissioned_on": "2026-01-01",
    "lease_ends_on": "2028-01-01",
    "username": "admin",
    "password": "hunter2",
}


def table(*rows: dict[str, str]) -> str:
    target = io.StringIO()
    writer = csv.DictWriter(target, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return target.getvalue()


def exported(register: Register, selection: Selection | None = None, **options: Any) -> bytes:
    target = io.BytesIO()
    export_devices(register.database, target, selection, **options)
    return target.getvalue()


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_gives_back_what_was_imported_but_the_password(register: Register) -> None:
    register.load(table(FULL))
    content = exported(register)
    assert content.startswith(BOM)
    assert rows_of(content) == [{name: FULL[name] for name in RECORD_FIELDS}]
    assert b"hunter2" not in content
    assert b"password" not in content


@pytest.mark.parametrize("chinese", [False, True])
def test_an_export_imported_again_changes_nothing(register: Register, chinese: bool) -> None:
    register.load(table(FULL))
    register.load(table({"code": "C1", "name": "Gate", "address": "cam-1"}))
    content = exported(register, chinese=chinese)
    assert register.load(content) == ImportResult(0, 0, 2)
    assert register.devices()["44010600001310000001"].password_encrypted


HOSTILE = [
    "=1+1",
    "+1",
    "-1",
    "@x",
    "'=1",
    "''-1",
    "'x",
    '"',
    ",",
    ";",
    "a\nb",
    "a\r\nb",
    "'\t=",
    "'",
]


def test_hostile_text_is_harmless_and_comes_back(register: Register) -> None:
    rows = [
        {"code": f"{text.strip()[:1]}{n}", "name": text, "address": "10.0.0.1", "station": "=S"}
        for n, text in enumerate(HOSTILE)
        if text[:1] not in "\"\n,;'"
    ]
    rows += [
        {"code": f"C{n}", "name": text, "address": "10.0.0.1", "station": "'=S"}
        for n, text in enumerate(HOSTILE)
    ]
    register.load(table(*rows))
    before = {code: each.record for code, each in register.devices().items()}
    content = exported(register)
    for row in rows_of(content):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row.values())
    assert register.load(content) == ImportResult(0, 0, len(before))
    assert {code: each.record for code, each in register.devices().items()} == before


@given(
    name=st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=20).map(
        str.strip
    )
)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_name_survives_export_and_import(register: Register, name: str) -> None:
    register.load(table({"code": "C1", "name": f"x{name}", "address": "10.0.0.1", "vendor": name}))
    assert register.load(exported(register)) == ImportResult(0, 0, 1)


def test_the_newest_assignment_is_written(register: Register) -> None:
    register.load(table(FULL))
    register.load(table({"code": FULL["code"], "contractor": "乙"}), effective=date(2027, 1, 1))
    assert rows_of(exported(register))[0]["contractor"] == "乙"


def test_selects(register: Register) -> None:
    register.load(table(FULL))
    register.load(table({"code": "C1", "name": "Gate", "address": "cam-1"}))
    chosen = Selection(station="S1", kind=DeviceKind.STORAGE)
    assert [row["code"] for row in rows_of(exported(register, chosen))] == [FULL["code"]]
    with pytest.raises(NotFound, match="no station with the code 'S9'"):
        exported(register, Selection(station="S9"))
