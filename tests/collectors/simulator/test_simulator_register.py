"""The register file: columns, encoding, mode, all or nothing."""

import csv
import stat
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from collectors.simulator.fleet import Device, build_fleet
from collectors.simulator.register import COLUMNS, write_register

FLEET = build_fleet(40, 3, 8181)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_file_is_private_utf8_with_bom_and_the_importers_columns(tmp_path: Path) -> None:
    path = tmp_path / "register.csv"
    write_register(path, FLEET.part, date(2026, 1, 1))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbfcode,name,kind,project,station,room,")
    assert tuple(_rows(path)[0]) == COLUMNS


def test_rows_say_what_the_fleet_is(tmp_path: Path) -> None:
    path = tmp_path / "register.csv"
    write_register(path, FLEET.part, date(2026, 1, 1))
    rows = {row["code"]: row for row in _rows(path)}
    assert list(rows) == [device.code for device in FLEET.part]
    camera = FLEET.cameras[0]
    row = rows[camera.code]
    assert (row["address"], row["port"], row["probe"]) == (camera.address, "8181", "onvif")
    assert (row["username"], row["password"]) == (camera.username, camera.password)
    assert (row["tls"], row["critical"]) == ("false", "false")
    assert rows["R01-SW1"]["critical"] == "true"
    vehicle = rows["V001"]
    assert (vehicle["address"], vehicle["port"], vehicle["probe"]) == ("", "", "none")


@pytest.mark.parametrize(
    ("begin", "end"),
    [(date(2026, 1, 1), "2029-01-01"), (date(2024, 2, 29), "2027-02-28")],
)
def test_leases_end_after_three_years(tmp_path: Path, begin: date, end: str) -> None:
    path = tmp_path / "register.csv"
    write_register(path, FLEET.part, begin)
    rows = _rows(path)
    assert {row["commissioned_on"] for row in rows} == {begin.isoformat()}
    leases = {(row["project"] == "智能识别摄像枪", row["lease_ends_on"]) for row in rows}
    assert leases == {(True, end), (False, "")}


def test_a_failure_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "register.csv"
    path.write_text("old")

    def devices() -> Iterator[Device]:
        yield FLEET.devices[0]
        raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError, match="the disk is full"):
        write_register(path, devices(), date(2026, 1, 1))
    assert [file.name for file in tmp_path.iterdir()] == ["register.csv"]
    assert path.read_text() == "old"
