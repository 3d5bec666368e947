from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from sqlalchemy import event, func, select

from app.database import Base, Database
from app.errors import ImportRefused, RowProblem
from app.fleet.queries import read_assignments, read_device
from app.fleet.secrets import KEY_FILE, Secrets
from app.fleet.tables import BEGINNING, Assignment, Cohort, Contractor, Device, Station
from app.tabular import ImportResult
from tests.app.fleet.imported import Register

TOMORROW = date(2026, 3, 11)
ONE = "code,name,address,station,contractor,commissioned_on\nC1,Gate,10.0.0.1,S1,A,2025-01-01\n"


def moved(contractor: str) -> str:
    return f"code,contractor\nC1,{contractor}\n"


def belonging(register: Register, code: str = "C1") -> list[tuple[date, date | None, str | None]]:
    with register.database.read() as session:
        found = read_assignments(session, read_device(session, code).id)
    return [(each.from_day, each.to_day, each.cohort.contractor) for each in found]


def spans(register: Register) -> list[tuple[date, date | None]]:
    return [(days.first, days.last) for days in register.touched]


def counts(database: Database) -> list[int]:
    tables: list[type[Base]] = [Device, Assignment, Cohort, Station, Contractor]
    with database.read() as session:
        return [session.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


def refused(register: Register, content: str) -> list[RowProblem]:
    with pytest.raises(ImportRefused) as caught:
        register.load(content)
    return caught.value.problems


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine, "before_cursor_execute", note)


def test_counts_what_it_did(register: Register) -> None:
    both = ONE + "C2,Yard,10.0.0.2,S1,B,\n"
    assert register.load(ONE) == ImportResult(1, 0, 0)
    assert register.load(both) == ImportResult(1, 0, 1)
    assert register.load(both.replace("Yard", "Court")) == ImportResult(0, 1, 1)
    assert register.devices()["C2"].record.name == "Court"
    assert counts(register.database) == [2, 2, 2, 1, 2]


def test_reads_chinese_headers_and_words_with_bom(register: Register) -> None:
    content = (
        "\ufeff设备编码,名称,类型,派出所,机房,运维单位,IP地址,端口,探测方式,关键设备,启用日期\r\n"
        "44010600001310000001,东门,机房设备,城东所,R1,甲公司,10.0.0.1,22,TCP,是,2025/1/2\r\n"
    )
    register.load(content)
    record = register.devices()["44010600001310000001"].record
    assert record.cohort_key == ("room_equipment", "城东所", "R1", None, "甲公司")
    assert (record.port, record.probe, record.critical) == (22, "tcp", True)
    assert record.commissioned_on == date(2025, 1, 2)


def test_a_new_group_has_its_text_as_code_and_name(register: Register) -> None:
    register.load(ONE)
    with register.database.read() as session:
        assert [(row.code, row.name) for row in session.scalars(select(Station))] == [("S1", "S1")]


def test_a_new_device_is_registered_today_and_belongs_for_all_of_the_past(
    register: Register,
) -> None:
    register.load(ONE)
    assert register.devices()["C1"].registered_on == register.today
    assert belonging(register) == [(BEGINNING, None, "A")]


def test_dry_run_counts_and_writes_nothing(register: Register) -> None:
    content = ONE.replace("code,", "password,code,").replace("C1,", "secret,C1,")
    assert register.load(content, dry_run=True) == ImportResult(1, 0, 0)
    assert counts(register.database) == [0, 0, 0, 0, 0]
    assert not (register.settings.data_dir / KEY_FILE).exists()
    assert register.touched == []


def test_nothing_is_written_when_any_row_is_bad(register: Register) -> None:
    register.load(ONE)
    before = counts(register.database)
    bad = "code,name,address,port\nC1,Changed,10.0.0.1,1\nC2,New,10.0.0.2,2\nC3,Bad,10.0.0.3,x\n"
    (problem,) = refused(register, bad)
    assert str(problem) == "row 4, port 'x': is no port; write a whole number from 1 to 65535"
    assert counts(register.database) == before
    assert register.devices()["C1"].record.name == "Gate"
    assert register.touched == []


def test_nothing_is_written_when_the_ledger_cannot_be_marked(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(register, "_note", broken)
    with pytest.raises(RuntimeError):
        register.load(ONE)
    assert counts(register.database) == [0, 0, 0, 0, 0]


def test_names_mistakes_of_cells_of_the_file_and_of_the_register_together(
    register: Register,
) -> None:
    register.load(ONE)
    content = (
        "code,name,address,port,decommissioned_on\n"
        "C1,Gate,10.0.0.1,,2024-12-31\n"
        "C2,Yard,nowhere!,99999,\n"
        "C3,,,,\n"
        "C4,Hall,10.0.0.4,,\n"
        "C4,Hall,10.0.0.4,,\n"
    )
    assert [(each.row, each.column) for each in refused(register, content)] == [
        (2, "decommissioned_on"),
        (3, "address"),
        (3, "port"),
        (4, "name"),
        (6, "code"),
    ]


def test_a_duplicate_names_the_first_row(register: Register) -> None:
    (problem,) = refused(register, "code,name,address\nC1,a,10.0.0.1\n\nC1,b,10.0.0.2\n")
    assert (problem.row, problem.column, problem.value) == (4, "code", "C1")
    assert "row 2 already; keep one" in problem.remedy


def test_shows_a_hundred_mistakes_and_counts_all(register: Register) -> None:
    rows = "".join(f"C{n},x,10.0.0.1,0\n" for n in range(150))
    with pytest.raises(ImportRefused) as caught:
        register.load("code,name,address,port\n" + rows)
    assert (len(caught.value.problems), caught.value.total) == (100, 150)


def test_passwords_are_encrypted_and_kept_by_an_empty_cell(register: Register) -> None:
    secrets = Secrets(register.settings)

    def password() -> str:
        stored = register.devices()["C1"].password_encrypted
        assert stored
        assert b"first" not in stored
        return secrets.decrypt(stored)

    header = "code,name,address,password\nC1,Gate,10.0.0.1,"
    assert register.load(header + "first") == ImportResult(1, 0, 0)
    assert register.load(header + "first") == ImportResult(0, 0, 1)
    assert register.load(header) == ImportResult(0, 0, 1)
    assert password() == "first"
    assert register.load(header + "second") == ImportResult(0, 1, 0)
    assert password() == "second"
    assert register.touched == []


def test_a_password_whose_key_is_lost_can_be_imported_again(register: Register) -> None:
    content = "code,name,address,password\nC1,Gate,10.0.0.1,secret\n"
    register.load(content)
    (register.settings.data_dir / KEY_FILE).unlink()
    assert register.load(content) == ImportResult(0, 1, 0)
    stored = register.devices()["C1"].password_encrypted
    assert stored
    assert Secrets(register.settings).decrypt(stored) == "secret"


def test_a_change_of_contractor_holds_from_tomorrow(register: Register) -> None:
    register.load(ONE)
    assert register.load(moved("B")) == ImportResult(0, 1, 0)
    assert belonging(register) == [(BEGINNING, TOMORROW, "A"), (TOMORROW, None, "B")]
    assert spans(register) == [(TOMORROW, None)]
    assert register.load(moved("B")) == ImportResult(0, 0, 1)
    assert register.devices()["C1"].record.station == "S1"


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (
            [("B", date(2026, 2, 1)), ("C", date(2026, 3, 1))],
            [
                (BEGINNING, date(2026, 2, 1), "A"),
                (date(2026, 2, 1), date(2026, 3, 1), "B"),
                (date(2026, 3, 1), None, "C"),
            ],
        ),
        (  # the same day again: replaced
            [("B", TOMORROW), ("C", TOMORROW)],
            [(BEGINNING, TOMORROW, "A"), (TOMORROW, None, "C")],
        ),
        (  # taken back before it held: one assignment again
            [("B", TOMORROW), ("A", TOMORROW)],
            [(BEGINNING, None, "A")],
        ),
        (  # a correction of the past replaces all that came after
            [("B", date(2026, 2, 1)), ("C", date(2026, 3, 1)), ("D", date(2026, 1, 1))],
            [(BEGINNING, date(2026, 1, 1), "A"), (date(2026, 1, 1), None, "D")],
        ),
        (  # in the middle of a former assignment
            [("B", date(2026, 2, 1)), ("C", date(2026, 3, 1)), ("D", date(2026, 2, 15))],
            [
                (BEGINNING, date(2026, 2, 1), "A"),
                (date(2026, 2, 1), date(2026, 2, 15), "B"),
                (date(2026, 2, 15), None, "D"),
            ],
        ),
        (  # back to the one before: that goes on
            [("B", date(2026, 2, 1)), ("C", date(2026, 3, 1)), ("B", date(2026, 3, 1))],
            [(BEGINNING, date(2026, 2, 1), "A"), (date(2026, 2, 1), None, "B")],
        ),
        ([("B", BEGINNING)], [(BEGINNING, None, "B")]),
    ],
)
def test_assignments_follow_one_another(
    register: Register, steps: list[tuple[str, date]], expected: list[Any]
) -> None:
    register.load(ONE)
    for contractor, effective in steps:
        register.load(moved(contractor), effective=effective)
        assert spans(register) == [(effective, None)]
    assert belonging(register) == expected


def test_only_the_devices_that_move_are_assigned_anew(register: Register) -> None:
    register.load(ONE + "C2,Yard,10.0.0.2,S1,A,\nC3,Hall,10.0.0.3,S1,A,\n")
    register.load("code,contractor\nC1,B\nC2,A\nC3,\n")
    assert belonging(register, "C2") == [(BEGINNING, None, "A")]
    assert belonging(register, "C3")[-1] == (TOMORROW, None, None)
    assert len(register.touched) == 2


def test_a_change_of_power_district_is_dated_too(register: Register) -> None:
    register.load(ONE)
    register.load("code,power_district\nC1,D1\n")
    with register.database.read() as session:
        found = read_assignments(session, read_device(session, "C1").id)
    assert [each.power_district for each in found] == [None, "D1"]
    assert found[0].cohort == found[1].cohort


@pytest.mark.parametrize(
    ("first", "then", "expected"),
    [
        ("", None, [(date(2026, 3, 10), None)]),
        ("commissioned_on=2025-01-01", None, [(date(2025, 1, 1), None)]),
        (
            "commissioned_on=2025-01-01 decommissioned_on=2025-02-01",
            None,
            [(date(2025, 1, 1), date(2025, 1, 31))],
        ),
        ("commissioned_on=2025-01-01 decommissioned_on=2025-01-01", None, []),
        ("probe=none", None, []),
        ("", "name=Other", []),
        ("", "probe=ping", []),
        ("", "commissioned_on=2025-01-01", [(date(2025, 1, 1), date(2026, 3, 9))]),
        (
            "commissioned_on=2025-01-01",
            "commissioned_on=2025-03-01",
            [(date(2025, 1, 1), date(2025, 2, 28))],
        ),
        ("commissioned_on=2025-01-01", "commissioned_on=2025-01-01", []),
        ("", "decommissioned_on=2026-04-01", [(date(2026, 4, 1), None)]),
        ("decommissioned_on=2026-04-01", "decommissioned_on=", [(date(2026, 4, 1), None)]),
        (
            "decommissioned_on=2026-04-01",
            "decommissioned_on=2026-03-20",
            [(date(2026, 3, 20), date(2026, 3, 31))],
        ),
        ("commissioned_on=2025-01-01", "kind=storage", [(date(2025, 1, 1), None)]),
        ("commissioned_on=2025-01-01", "probe=none", [(date(2025, 1, 1), None)]),
        ("probe=none", "probe=ping", [(date(2026, 3, 10), None)]),
        ("probe=none", "commissioned_on=2025-01-01", []),
        ("", "station=S2", [(TOMORROW, None)]),
        (
            "",
            "station=S2 commissioned_on=2026-03-01",
            [(date(2026, 3, 1), date(2026, 3, 9)), (TOMORROW, None)],
        ),
    ],
)
def test_tells_which_device_days_it_touched(
    register: Register, first: str, then: str | None, expected: list[Any]
) -> None:
    for changes in [first] if then is None else [first, then]:
        extra = dict(change.split("=") for change in changes.split())
        cells = {"code": "C1", "name": "Gate", "address": "10.0.0.1", **extra}
        register.load(f"{','.join(cells)}\n{','.join(cells.values())}\n")
    assert spans(register) == expected


def test_the_number_of_queries_does_not_grow_with_the_rows(register: Register) -> None:
    def content(size: int, contractor: str) -> str:
        rows = (f"{size}-{n},x,10.0.0.1,{contractor}\n" for n in range(size))
        return "code,name,address,contractor\n" + "".join(rows)

    needed = []
    for size in (10, 900):
        with statements(register.database) as seen:
            register.load(content(size, f"A{size}"))
            register.load(content(size, f"B{size}"))
        needed.append(len(seen))
    assert needed[1] <= needed[0] + 2


def test_more_devices_than_one_statement_names(register: Register) -> None:
    rows = "".join(f"C{n},x,10.0.0.1,A\n" for n in range(2_500))
    content = "code,name,address,contractor\n" + rows
    assert register.load(content) == ImportResult(2_500, 0, 0)
    assert register.load(content) == ImportResult(0, 0, 2_500)
    assert register.load(content.replace(",A\n", ",B\n")) == ImportResult(0, 2_500, 0)
    assert counts(register.database)[:2] == [2_500, 5_000]
