from datetime import date
from typing import Any

import pytest
from sqlalchemy import String

from app.errors import ImportRefused, RowProblem
from app.fleet.record import COLUMNS, RECORD_FIELDS, REGISTER_FILE, Record, merged, parse_row
from app.fleet.tables import Assignment, Device, DeviceKind, ProbeChoice, Station
from app.tabular import Problems

NEW = {"code": "C1", "name": "Gate", "address": "10.0.0.1"}


def record_of(cells: dict[str, str], present: Record | None = None) -> Record:
    problems = Problems("f.csv")
    row = parse_row(7, cells, problems)
    record = merged(row, present, problems) if row else None
    problems.refuse()
    assert record
    return record


def problem_of(cells: dict[str, str], present: Record | None = None) -> RowProblem:
    with pytest.raises(ImportRefused) as caught:
        record_of(cells, present)
    (problem,) = caught.value.problems
    return problem


def test_a_new_device_takes_the_defaults() -> None:
    record = record_of(NEW)
    assert (record.kind, record.probe, record.port) == ("camera", "onvif", 80)
    assert (record.tls, record.critical, record.station) == (False, False, None)


@pytest.mark.parametrize(
    ("kind", "probe", "port"),
    [
        ("camera", ProbeChoice.ONVIF, 80),
        ("room_equipment", ProbeChoice.PING, None),
        ("storage", ProbeChoice.PING, None),
        ("vehicle", ProbeChoice.NONE, None),
    ],
)
def test_probe_and_port_follow_the_kind(kind: str, probe: ProbeChoice, port: int | None) -> None:
    record = record_of({**NEW, "kind": kind, "probe": "", "port": ""})
    assert (record.probe, record.port) == (probe, port)


def test_onvif_over_tls_has_its_own_port() -> None:
    assert record_of({**NEW, "tls": "yes"}).port == 443


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        ("kind", "摄像机", DeviceKind.CAMERA),
        ("kind", "机房设备", DeviceKind.ROOM_EQUIPMENT),
        ("kind", "存储", DeviceKind.STORAGE),
        ("kind", "车载", DeviceKind.VEHICLE),
        ("kind", "Camera", DeviceKind.CAMERA),
        ("probe", "不探测", ProbeChoice.NONE),
        ("probe", "ONVIF", ProbeChoice.ONVIF),
        ("critical", "是", True),
        ("critical", "1", True),
        ("critical", "No", False),
        ("tls", "否", False),
        ("address", "2001:DB8:0::1", "2001:db8::1"),
        ("address", "[2001:db8::1]", "2001:db8::1"),
        ("address", "cam-1.video.lan", "cam-1.video.lan"),
        ("mac", "00-1a-2B-3c-4d-5e", "00:1A:2B:3C:4D:5E"),
        ("mac", "001a.2b3c.4d5e", "00:1A:2B:3C:4D:5E"),
        ("longitude", "-180", -180.0),
        ("latitude", "39.90", 39.9),
        ("position_class", "一类", 1),
        ("commissioned_on", "2023/5/1", date(2023, 5, 1)),
        ("install_address", "Renmin Road\n12", "Renmin Road\n12"),
        ("vendor", "", None),
    ],
)
def test_reads_cells(column: str, cell: str, value: Any) -> None:
    assert getattr(record_of({**NEW, column: cell}), column) == value


@pytest.mark.parametrize(
    ("column", "cell", "remedy"),
    [
        ("code", "", "must not be empty"),
        ("code", "9" * 65, "at most 64"),
        ("code", "a\nb", "one line"),
        ("code", "a\x00b", "control character"),
        ("name", "", "must not be empty"),
        ("name", "名" * 129, "at most 128"),
        ("name", "a\x00b", "control character"),
        ("kind", "lamp", "use one of camera, room_equipment, storage, vehicle, 摄像机"),
        ("project", "p" * 65, "at most 64"),
        ("power_district", "p" * 65, "at most 64"),
        ("address", "", "fill it in, or use probe none"),
        ("address", "10.0.0.256", "write the address alone"),
        ("address", "10.0.0.01", "write the address alone"),
        ("address", "http://10.0.0.1/", "write the address alone"),
        ("address", "10.0.0.1:80", "write the address alone"),
        ("address", "-cam", "write the address alone"),
        ("address", "a" * 65, "write the address alone"),
        ("address", "１０.0.0.1", "write the address alone"),
        ("address", "0.0.0.0", "the device's own address"),
        ("address", "224.0.0.1", "the device's own address"),
        ("port", "0", "1 to 65535"),
        ("port", "65536", "1 to 65535"),
        ("port", "80.0", "1 to 65535"),
        ("port", "８０", "1 to 65535"),
        ("probe", "http", "use one of onvif, ping, tcp, none"),
        ("tls", "maybe", "write true or false"),
        ("critical", "2", "write true or false"),
        ("mac", "00:1a:2b", "write it as 00:1A:2B:3C:4D:5E"),
        ("longitude", "180.1", "within -180 and 180"),
        ("longitude", "nan", "within -180 and 180"),
        ("longitude", "E116", "within -180 and 180"),
        ("latitude", "-90.1", "within -90 and 90"),
        ("latitude", "inf", "within -90 and 90"),
        ("position_class", "4", "write 1, 2 or 3"),
        ("resolution", "x" * 33, "at most 32"),
        ("commissioned_on", "2023-13-01", "no day of the calendar"),
        ("decommissioned_on", "soon", "write it as YYYY-MM-DD"),
        ("lease_ends_on", "0001-01-01", "year from 1970"),
        ("username", "u" * 129, "at most 128"),
    ],
)
def test_refuses_cells_with_row_column_value_and_remedy(
    column: str, cell: str, remedy: str
) -> None:
    problem = problem_of({**NEW, column: cell})
    assert (problem.row, problem.column) == (7, column)
    assert problem.value.removesuffix("…") in cell
    assert bool(problem.value) == bool(cell)
    assert remedy in problem.remedy


def test_a_bad_password_is_not_repeated() -> None:
    problem = problem_of({**NEW, "password": "hunter2" * 30})
    assert problem.column == "password"
    assert "hunter2" not in str(problem)


def test_a_password_is_not_shown_by_repr() -> None:
    row = parse_row(2, {**NEW, "password": "hunter2"}, Problems("f.csv"))
    assert row
    assert row.password == "hunter2"
    assert "hunter2" not in repr(row)


@pytest.mark.parametrize(
    ("cells", "column", "remedy"),
    [
        ({"code": "C1", "address": "10.0.0.1"}, "name", "C1 is a new device; give it a name"),
        ({"code": "C1", "name": "Gate"}, "address", "probe onvif needs an address"),
        ({**NEW, "probe": "tcp"}, "port", "probe tcp needs a port"),
        (
            {**NEW, "commissioned_on": "2024-01-02", "decommissioned_on": "2024-01-01"},
            "decommissioned_on",
            "must not be before commissioned_on (2024-01-02)",
        ),
    ],
)
def test_refuses_what_does_not_fit_together(
    cells: dict[str, str], column: str, remedy: str
) -> None:
    problem = problem_of(cells)
    assert (problem.row, problem.column) == (7, column)
    assert remedy in problem.remedy


def test_a_row_is_checked_together_with_what_the_register_says() -> None:
    present = record_of({**NEW, "commissioned_on": "2024-01-02"})
    problem = problem_of({"code": "C1", "decommissioned_on": "2023-12-31"}, present)
    assert problem.column == "decommissioned_on"
    assert record_of({"code": "C1", "decommissioned_on": "2024-01-02"}, present).decommissioned_on


def test_probe_none_needs_no_address() -> None:
    record = record_of({"code": "V1", "name": "Van", "kind": "vehicle"})
    assert (record.address, record.probe) == (None, "none")


def test_absent_columns_leave_and_empty_cells_clear() -> None:
    present = record_of({**NEW, "kind": "storage", "vendor": "V", "model": "M", "critical": "1"})
    record = record_of({"code": "C1", "vendor": "", "critical": ""}, present)
    assert (record.vendor, record.model, record.critical) == (None, "M", False)
    assert (record.name, record.kind, record.probe) == ("Gate", "storage", "ping")


def test_limits_are_those_of_the_tables() -> None:
    for name in RECORD_FIELDS:
        table = Assignment if name == "power_district" else Device
        column_type = getattr(getattr(table, name, Station.code), "type", None)
        if type(column_type) is not String or name in ("mac", "address"):
            continue
        assert column_type.length
        COLUMNS[name].rule("x" * column_type.length)
        with pytest.raises(ValueError, match=f"at most {column_type.length}"):
            COLUMNS[name].rule("x" * (column_type.length + 1))


def test_every_field_has_a_column_and_no_header_means_two() -> None:
    assert set(COLUMNS) == {*RECORD_FIELDS, "password"}
    headers = [header for column in COLUMNS.values() for header in column.chinese]
    assert len(REGISTER_FILE.names) == len(headers) + len(COLUMNS)
