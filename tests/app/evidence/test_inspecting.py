"""Whose turn an inspection is, what is kept of it, and the commands."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from app.cli import cli
from app.config import Settings
from app.database import Database, open_database
from app.evidence.collecting import Collecting
from app.evidence.inspecting import DAY_S, due, inspect_devices, last_turn
from app.evidence.inspection_queries import Candidate, candidates
from app.evidence.ledger import mark_touched
from app.fleet.importing import import_devices
from app.fleet.password_memory import shared_memory
from app.fleet.tables import Device, Observed
from collectors.onvif.credentials import CredentialMemory
from collectors.registry import open_probers
from collectors.simulator.register import write_register
from collectors.simulator.running import RunningFleet, running_fleet
from collectors.simulator.scenario import parse_scenario
from kpi.calendar import local_day
from kpi.status import Status

NOW = 1_790_000_000
WRONG = '[[fault]]\nkind = "wrong_password"\nshare = 1.0\nscheme = "ws_token"\nclock_open = true\n'
CLOSED = WRONG.replace("clock_open = true\n", "")
"""So that the sweeps, too, are asked for the password."""

BEFORE = Candidate(7, "C", b"new", last_turn(7, NOW) - 1, Status.INTACT, None, Status.INTACT)


@pytest.mark.parametrize(
    ("changes", "is_due"),
    [
        ({}, True),
        ({"asked_at": None}, True),
        ({"asked_at": last_turn(7, NOW)}, False),
        ({"asked_at": NOW}, False),
        ({"asked_at": NOW, "outcome": Status.SERVICE_FAULT}, False),
        ({"asked_at": NOW, "outcome": Status.AUTH_FAILED, "refused": b"new"}, False),
        ({"asked_at": NOW, "outcome": Status.AUTH_FAILED, "refused": b"old"}, True),
        ({"asked_at": None, "state": None}, False),
        ({"state": Status.TIMEOUT}, False),
        ({"state": Status.AUTH_FAILED}, False),
        ({"state": Status.UNKNOWN}, False),
        ({"state": Status.NO_VIDEO}, True),
        ({"state": Status.CLOCK_WRONG}, True),
    ],
)
def test_whose_turn_it_is(changes: dict[str, object], is_due: bool) -> None:
    candidate = replace(BEFORE, **changes)  # type: ignore[arg-type]  # each value fits its field
    assert due([candidate], NOW) == ([candidate] if is_due else [])


def test_the_longest_waiting_first_and_no_more_than_may_be() -> None:
    many = [
        replace(BEFORE, id=1, asked_at=20),
        replace(BEFORE, id=2, asked_at=10),
        replace(BEFORE, id=3, asked_at=None),
    ]
    assert [each.id for each in due(many, NOW, most=2)] == [3, 2]


def test_each_device_has_its_turn_once_a_day_and_the_day_is_filled() -> None:
    for device_id in range(200):
        turn = last_turn(device_id, NOW)
        assert NOW - DAY_S < turn <= NOW
        assert last_turn(device_id, turn) == turn
        assert last_turn(device_id, turn - 1) == turn - DAY_S
    hours = {(NOW - last_turn(device_id, NOW)) // 3600 for device_id in range(500)}
    assert len(hours) == 24


@pytest.fixture(scope="module")
def fleet() -> Iterator[RunningFleet]:
    with running_fleet(cameras=3, rooms=1) as running:
        yield running


def take_over(database: Database, settings: Settings, path: Path) -> None:
    today = local_day(int(time.time()), settings.zone)
    import_devices(database, settings, path, today=today, on_touched=mark_touched)


@pytest.fixture
def registered(
    database: Database, settings: Settings, fleet: RunningFleet, tmp_path: Path
) -> Database:
    fleet.use(parse_scenario(""))
    path = tmp_path / "register.csv"
    write_register(path, fleet.cameras, local_day(int(time.time()), settings.zone))
    take_over(database, settings, path)
    return database


def everyone(database: Database, settings: Settings) -> list[Candidate]:
    with database.read() as session:
        return candidates(session, local_day(int(time.time()), settings.zone))


def kept(database: Database) -> dict[str, Observed]:
    with database.read() as session:
        rows = session.execute(select(Device.code, Observed).join(Observed)).all()
        return dict(rows)


def test_what_is_observed_is_kept(
    registered: Database, settings: Settings, fleet: RunningFleet
) -> None:
    done = inspect_devices(registered, settings, everyone(registered, settings))
    assert [each.inspection.status for each in done] == [Status.INTACT] * 3
    observed = kept(registered)
    for camera in fleet.cameras:
        row = observed[camera.code]
        assert (row.vendor, row.serial) == (camera.vendor, camera.serial)
        assert row.stream_uri is not None
        assert row.stream_uri.startswith(f"rtsp://{camera.address}:")
        assert row.profiles[0]["encoding"] == "H264"
        assert row.inspected_at == row.asked_at


def test_what_was_observed_outlives_a_failure(
    registered: Database, settings: Settings, fleet: RunningFleet
) -> None:
    inspect_devices(registered, settings, everyone(registered, settings))
    before = kept(registered)
    fleet.use(parse_scenario('[[fault]]\nkind = "fault_500"\nshare = 1.0\n'))
    inspect_devices(registered, settings, everyone(registered, settings))
    for code, row in kept(registered).items():
        assert row.outcome == Status.SERVICE_FAULT
        assert row.serial == before[code].serial is not None
        assert row.inspected_at == before[code].inspected_at


def test_a_wrong_password_is_shown_once_until_it_changes(
    registered: Database, settings: Settings, fleet: RunningFleet, tmp_path: Path
) -> None:
    fleet.use(parse_scenario(WRONG))
    for _ in range(3):
        inspect_devices(registered, settings, everyone(registered, settings))
    camera = fleet.cameras[0]
    assert (fleet.attempts(camera).shown, fleet.attempts(camera).bad) == (1, 1)
    path = tmp_path / "new.csv"
    path.write_text(f"code,password\n{camera.code},{camera.password}-changed\n")
    take_over(registered, settings, path)
    inspect_devices(registered, settings, everyone(registered, settings))
    assert kept(registered)[camera.code].outcome == Status.INTACT


def sweep(database: Database, settings: Settings) -> set[Status]:
    """What a collector sees that has just begun."""

    async def once(memory: CredentialMemory) -> set[Status]:
        with open_probers(memory=memory) as probers:
            collecting = Collecting(database, settings, probers)
            result, _ = await collecting.sweep_once(None, keep=False)
        return set(result.by_status)

    with shared_memory(database, settings) as passwords:
        return asyncio.run(once(passwords.memory))


def test_what_the_sweeps_were_refused_is_not_shown_again(
    registered: Database, settings: Settings, fleet: RunningFleet
) -> None:
    fleet.use(parse_scenario(CLOSED))
    assert sweep(registered, settings) == {Status.AUTH_FAILED}
    inspect_devices(registered, settings, everyone(registered, settings))
    assert kept(registered)[fleet.cameras[0].code].outcome == Status.AUTH_FAILED
    assert fleet.attempts(fleet.cameras[0]).shown == 1


def test_what_an_inspection_was_refused_the_sweeps_do_not_show(
    registered: Database, settings: Settings, fleet: RunningFleet
) -> None:
    fleet.use(parse_scenario(CLOSED))
    inspect_devices(registered, settings, everyone(registered, settings))
    assert sweep(registered, settings) == {Status.AUTH_FAILED}
    assert fleet.attempts(fleet.cameras[0]).shown == 1


@pytest.fixture
def installed(tmp_path: Path, fleet: RunningFleet, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation of its own, for commands."""
    fleet.use(parse_scenario(""))
    monkeypatch.setenv("INTACT_DATA_DIR", str(tmp_path))
    settings = Settings(data_dir=tmp_path)
    database = open_database(settings)
    path = tmp_path / "register.csv"
    write_register(path, fleet.cameras, local_day(int(time.time()), settings.zone))
    take_over(database, settings, path)
    database.close()
    return settings


def test_the_command(installed: Settings, fleet: RunningFleet) -> None:
    camera = fleet.cameras[1]
    done = CliRunner().invoke(cli, ["inspect", "--device", camera.code, "--format", "json"])
    assert done.exit_code == 0, done.output
    (document,) = json.loads(done.stdout)
    assert (document["code"], document["outcome"]) == (camera.code, "INTACT")
    assert document["stream_uri"].startswith(f"rtsp://{camera.address}:")
    assert document["profiles"][0]["resolution"] == camera.resolution
    every = CliRunner().invoke(cli, ["inspect", "--all"])
    assert every.exit_code == 0
    assert camera.serial not in every.stdout
    assert camera.model in every.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "say which"),
        (["--all", "--room", "R"], "say which"),
        (["--room", "nowhere"], "no room"),
        (["--device", "nobody"], "no device"),
    ],
)
def test_what_the_command_refuses(installed: Settings, arguments: list[str], words: str) -> None:
    done = CliRunner().invoke(cli, ["inspect", *arguments])
    assert done.exit_code == 1
    assert words in done.stderr


def test_differences_are_accepted_by_command(installed: Settings, fleet: RunningFleet) -> None:
    camera = fleet.cameras[0]
    path = installed.data_dir / "drift.csv"
    path.write_text(f"code,firmware,serial\n{camera.code},V0,S0\n")
    database = open_database(installed)
    take_over(database, installed, path)
    assert CliRunner().invoke(cli, ["inspect", "--all"]).exit_code == 0
    accept = ["accept-drift", "--device", camera.code, "--field", "firmware"]
    assert "1 updated" in CliRunner().invoke(cli, accept).stdout

    def register() -> tuple[str | None, str | None]:
        with database.read() as session:
            found = session.scalars(select(Device).where(Device.code == camera.code)).one()
            return found.firmware, found.serial

    assert register() == (camera.firmware, "S0")
    assert "1 updated" in CliRunner().invoke(cli, ["accept-drift", "--all"]).stdout
    assert register() == (camera.firmware, camera.serial)
    assert "0 updated" in CliRunner().invoke(cli, ["accept-drift", "--all"]).stdout
    assert CliRunner().invoke(cli, ["accept-drift"]).exit_code == 1
    database.close()
