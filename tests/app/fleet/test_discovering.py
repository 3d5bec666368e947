"""Proposed devices: which networks are searched, what is left out; the file is imported."""

import asyncio
import csv
from io import StringIO
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from app.config import Settings
from app.errors import BadParameter, ConfigurationError
from app.fleet.discovering import (
    Discovery,
    proposals,
    search_by_announcement,
    search_subnet,
)
from app.fleet.record import REGISTER_FILE
from app.tabular import ImportResult
from app.tabular.writing import write_rows
from collectors.discovery.found import Found
from collectors.simulator.announcing import Announcer
from collectors.simulator.running import RunningFleet, free_port, running_fleet
from tests.app.fleet.imported import Register
from tests.app.shell import Run, shell


@pytest.fixture(scope="module")
def fleet() -> Any:
    with running_fleet(3, 1) as fleet:
        yield fleet


def searching(register: Register, *networks: str) -> Settings:
    return Settings(data_dir=register.folder, discovery_networks=networks, discovery_rate=1_000)


def discover(
    register: Register, fleet: RunningFleet, settings: Settings, subnet: str | None = None
) -> Discovery:
    search = search_subnet(register.database, settings, subnet, ports=[fleet.port])
    return asyncio.run(search)


def load_proposals(register: Register, found: list[Found], name: str) -> ImportResult:
    path = register.folder / name
    with path.open("wb") as target:
        write_rows(target, proposals(found), as_workbook=name.endswith(".xlsx"))
    return register.load_file(path)


@pytest.mark.parametrize("name", ["new.csv", "new.xlsx"])
def test_proposals_are_imported_and_then_known(
    register: Register, fleet: RunningFleet, name: str
) -> None:
    settings = searching(register, "127.16.0.0/29")
    first = fleet.cameras[0]
    register.load(f"code,name,address\nC1,gate,{first.address}\n")
    found = discover(register, fleet, settings)
    assert [each.address for each in found.new] == [each.address for each in fleet.cameras[1:]]
    assert found.known == 1
    assert load_proposals(register, list(found.new), name) == ImportResult(2, 0, 0)
    camera = fleet.cameras[1]
    record = register.devices()[f"NEW-{camera.address}"].record
    assert record.name == f"{camera.vendor} {camera.model} {camera.address}"
    assert (record.kind, record.probe, record.port) == ("camera", "onvif", fleet.port)
    assert (record.serial, record.firmware) == (camera.serial, camera.firmware)
    assert discover(register, fleet, settings) == Discovery([], 3, [])


@pytest.mark.parametrize("name", ["new.csv", "new.xlsx"])
def test_what_a_device_tells_is_no_formula(register: Register, name: str) -> None:
    hostile = Found("10.0.0.1", None, name="=1+1", vendor="@x", model="-", location="'=y")
    bare = Found("fd00::1", 443, tls=True, refuses=True)
    assert load_proposals(register, [hostile, bare], name) == ImportResult(2, 0, 0)
    record = register.devices()["NEW-10.0.0.1"].record
    assert (record.name, record.vendor, record.model) == ("=1+1", "@x", "-")
    assert (record.install_address, record.port) == ("'=y", 80)
    second = register.devices()["NEW-fd00::1"].record
    assert (second.name, second.tls) == ("未命名设备 fd00::1", True)


def test_only_the_importers_own_columns() -> None:
    (header,) = proposals([])
    assert all(REGISTER_FILE.field(str(name)) == name for name in header)


@pytest.mark.parametrize(
    ("networks", "subnet", "said"),
    [
        (["10.1.0.0/16"], "10.2.0.0/24", "10.2.0.0/24 is not inside discovery_networks"),
        (["10.1.0.0/16"], "10.0.0.0/8", "not inside"),
        (["10.1.0.0/16"], "fd00::/120", "not inside"),
        (["10.1.0.0/16"], "10.1.2.3/24", "has host bits set; write a network such as"),
        (["10.1.0.0/16"], "here", "write a network such as"),
        (["10.0.0.0/8"], "10.0.0.0/15", "has 131,072 addresses; search 65,536 at most"),
        (["10.1.0.0/16", "10.2.0.0/16"], None, "has 131,072 addresses"),
    ],
)
def test_what_is_not_searched(
    register: Register, networks: list[str], subnet: str | None, said: str
) -> None:
    with pytest.raises(BadParameter, match=said):
        asyncio.run(search_subnet(register.database, searching(register, *networks), subnet))


def test_without_a_network_nothing_is_searched(register: Register) -> None:
    settings = searching(register)
    for search in (
        search_subnet(register.database, settings, "127.16.0.0/30"),
        search_by_announcement(register.database, settings),
    ):
        with pytest.raises(ConfigurationError, match="discovery_networks: names no network"):
            asyncio.run(search)


def test_by_announcement(register: Register, fleet: RunningFleet) -> None:
    settings = searching(register, "127.0.0.0/28", "127.16.0.0/24")
    first, *others = fleet.cameras
    register.load(f"code,name,address\nC1,gate,{first.address}\n")
    port = free_port()

    async def search() -> Discovery:
        async with Announcer(fleet.cameras, port):
            return await search_by_announcement(register.database, settings, wait_s=0.5, port=port)

    found = asyncio.run(search())
    assert found.known == 1
    assert [(each.address, each.name, each.serial, each.location) for each in found.new] == [
        (camera.address, camera.name, camera.serial, camera.install_address) for camera in others
    ]
    assert load_proposals(register, list(found.new), "new.csv") == ImportResult(2, 0, 0)


def test_by_announcement_from_inside_the_networks_only(register: Register) -> None:
    settings = searching(register, "127.16.0.0/24", "fd00::/64")
    assert ip_network("127.16.0.0/24") in settings.discovery_networks
    with pytest.raises(BadParameter, match=r"no IPv4 address in 127\.16\.0\.0/24, fd00::/64"):
        asyncio.run(search_by_announcement(register.database, settings))


def test_as_a_command(tmp_path: Path, fleet: RunningFleet) -> None:
    intact: Run = shell(tmp_path, DISCOVERY_NETWORKS="127.16.0.0/29", DISCOVERY_RATE="1000")
    port = str(fleet.port)
    done = intact("discover", "--subnet", "127.16.0.0/29", "--port", port)
    assert done.returncode == 0
    header, *rows = csv.reader(StringIO(done.stdout.removeprefix("\ufeff")))
    assert header[0] == "code"
    assert [row[0] for row in rows] == [f"NEW-{camera.address}" for camera in fleet.cameras]
    assert "3 devices proposed (0 tell nothing without a password)" in done.stderr
    out = tmp_path / "new.xlsx"
    assert intact("discover", "--port", port, "--out", str(out)).returncode == 0
    assert len(list(load_workbook(out).worksheets[0].values)) == 4
    assert intact("import", "devices", str(out)).returncode == 0
    assert "3 addresses are in the register already" in intact("discover", "--port", port).stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--subnet", "10.0.0.0/30"], "discovery_networks: names no network"),
        (["--ws-discovery", "--subnet", "10.0.0.0/30"], "takes no --subnet and no --port"),
        (["--out", "/nowhere/new.csv"], "cannot be written"),
    ],
)
def test_a_command_that_is_refused(intact: Run, arguments: list[str], said: str) -> None:
    refused = intact("discover", *arguments)
    assert refused.returncode == 1
    assert said in refused.stderr
    assert refused.stdout == ""
