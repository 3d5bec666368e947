"""A device asked by hand: what is shown, who may, how often, and that nothing of it is evidence."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import func, select

from app.accounts.audit import Actor, record
from app.accounts.audit_queries import newest_of
from app.accounts.permissions import Role
from app.accounts.reach import EVERYTHING, Reach
from app.config import Settings
from app.database import Base, Database
from app.errors import NotFound, Refused
from app.evidence.ledger import mark_touched
from app.evidence.probing import ACTION, PER_MINUTE, Probed, TooSoon, probe_device
from app.fleet.importing import import_devices
from app.main import create_app
from collectors.simulator.running import RunningFleet, free_port, running_fleet
from collectors.simulator.scenario import parse_scenario
from kpi.calendar import local_day
from kpi.status import Status
from tests.app.accounts.people import signed_in

FAULT = '[[fault]]\nkind = "{kind}"\nshare = 1.0\n'
WRONG = FAULT.format(kind="wrong_password") + 'scheme = "ws_token"\nlockout = 2\n'
FAULTS = {
    "none": "",
    "clock": FAULT.format(kind="clock_skew") + "seconds = 95\n",
    "hang": FAULT.format(kind="hang"),
}
NOW = int(time.time())
LI = Actor("li", "10.0.0.7")
REST = "/api/v1/devices/{code}/probe"


@pytest.fixture(scope="module")
def fleet() -> Iterator[RunningFleet]:
    with running_fleet(cameras=1, rooms=1) as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, secret_key=SecretStr(Fernet.generate_key().decode()))


@dataclass(frozen=True, slots=True)
class Office:
    """A register with the simulated camera A, and B (behind a closed port) and others."""

    database: Database
    settings: Settings
    fleet: RunningFleet

    def probe(
        self, code: str = "A", reach: Reach = EVERYTHING, actor: Actor = LI, now: int = NOW
    ) -> Probed:
        return probe_device(self.database, self.settings, code, reach, actor, now)

    def note(self, code: str, actor: Actor, at: int) -> None:
        """That somebody has asked."""
        with self.database.write() as session:
            record(session, actor, ACTION, code, at)

    def rows(self) -> dict[str, int]:
        """How many rows each table holds."""
        with self.database.read() as session:
            return {
                table.name: session.scalar(select(func.count()).select_from(table)) or 0
                for table in Base.metadata.sorted_tables
            }


@pytest.fixture
def office(database: Database, settings: Settings, fleet: RunningFleet, tmp_path: Path) -> Office:
    camera, path = fleet.cameras[0], tmp_path / "register.csv"
    path.write_text(
        "code,name,kind,station,address,port,probe,commissioned_on,decommissioned_on,"
        "username,password\n"
        f"A,A,camera,North,{camera.address},{camera.port},onvif,,,"
        f"{camera.username},{camera.password}\n"
        f"B,B,camera,South,127.0.0.1,{free_port()},tcp,,,,\n"
        f"OLD,Old,camera,North,127.0.0.1,80,tcp,2020-01-01,2021-01-01,,\n"
        f"V,Car,vehicle,North,,,none,,,,\n"
    )
    today = local_day(NOW, settings.zone)
    import_devices(database, settings, path, today=today, on_touched=mark_touched)
    return Office(database, settings, fleet)


@pytest.mark.parametrize(
    ("kind", "status"),
    [("none", Status.INTACT), ("clock", Status.CLOCK_WRONG), ("hang", Status.TIMEOUT)],
)
def test_it_tells_what_the_camera_answers(office: Office, kind: str, status: Status) -> None:
    office.fleet.use(parse_scenario(FAULTS[kind]))
    seen = office.probe().observation
    assert seen.status is status
    assert (seen.latency_ms is None) is (status is Status.TIMEOUT)
    assert (seen.clock_offset_s is None) is (status is Status.TIMEOUT)
    assert bool(seen.detail) is (status is not Status.INTACT)


def test_nothing_of_it_is_evidence(office: Office) -> None:
    office.fleet.use(parse_scenario(""))
    before = office.rows()
    assert office.probe().observation.status is Status.INTACT
    assert office.probe("B").observation.status is Status.REFUSED
    after = office.rows()
    grown = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    assert grown == {"audit_entry": 2}
    with office.database.read() as session:
        entries = newest_of(session, [ACTION], 5)
        told = [(each.actor, each.address, each.subject, each.at) for each in entries]
    assert told == [("li", "10.0.0.7", "B", NOW), ("li", "10.0.0.7", "A", NOW)]


def test_a_refused_password_is_shown_once(office: Office) -> None:
    office.fleet.use(parse_scenario(WRONG))
    for minute in range(3):
        seen = office.probe(now=NOW + 60 * minute).observation
        assert seen.status is Status.AUTH_FAILED
    assert office.fleet.attempts(office.fleet.cameras[0]).shown == 1


@pytest.mark.parametrize(
    ("code", "reach", "error", "words"),
    [
        ("OLD", EVERYTHING, Refused, "out of service since 2021-01-01"),
        ("V", EVERYTHING, Refused, "not polled"),
        ("X", EVERYTHING, NotFound, "no device"),
        ("B", Reach(station="North"), NotFound, "no device"),
    ],
)
def test_what_cannot_be_asked_is_refused_and_counts_as_nothing(
    office: Office, code: str, reach: Reach, error: type[Exception], words: str
) -> None:
    before = office.rows()
    with pytest.raises(error, match=words):
        office.probe(code, reach)
    assert office.rows() == before


def test_one_device_is_not_asked_by_two_at_once(office: Office) -> None:
    office.note("B", Actor("wang"), NOW - 4)
    with pytest.raises(TooSoon, match="wait 6 seconds") as refusal:
        office.probe("B")
    assert refusal.value.headers == {"Retry-After": "6"}
    assert office.probe("B", now=NOW + 6).observation.status is Status.REFUSED


def test_nobody_asks_without_end(office: Office) -> None:
    for number in range(PER_MINUTE):
        office.note(f"C{number}", LI, NOW - 50 + number)
    with pytest.raises(TooSoon, match="wait 10 seconds"):
        office.probe("B")
    assert office.probe("B", actor=Actor("wang")).observation.status is Status.REFUSED
    assert office.probe("B", now=NOW + 10).observation.status is Status.REFUSED


def test_over_rest(office: Office) -> None:
    office.fleet.use(parse_scenario(""))
    application = create_app(office.settings, office.database)
    person = signed_in(application, office.database, Role.STATION, Reach(station="North"))
    assert person.send("POST", REST.format(code="B")).status_code == 404, "not theirs"
    answer = person.send("POST", REST.format(code="A")).json()
    assert (answer["device"], answer["name"], answer["class"]) == ("A", "INTACT", "intact")
    assert answer["latency_ms"] > 0
    again = person.send("POST", REST.format(code="A"))
    assert again.status_code == 429
    assert 1 <= int(again.headers["retry-after"]) <= 10
    assert "has just been asked" in again.json()["detail"]
    refused = person.send("POST", REST.format(code="V"))
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        "The register says that it is not polled.",
    )


def test_on_the_page(office: Office) -> None:
    application = create_app(office.settings, office.database)
    person = signed_in(application, office.database, Role.SUPERVISOR)
    assert "Probe now" in person.get("/devices/B?lang=en").text
    forged = person.post("/devices/B/probe", form_token="guessed")
    assert forged.status_code == 403
    page = person.post("/devices/B/probe?lang=en")
    assert page.status_code == 200
    assert "connection refused" in page.text
    assert "never evidence" in page.text
    again = person.post("/devices/B/probe?lang=zh")
    assert (again.status_code, "retry-after" in again.headers) == (429, True)
    assert "刚刚探测过该设备" in again.text
    retired = person.post("/devices/OLD/probe?lang=en")
    assert (retired.status_code, "Not asked." in retired.text) == (409, True)
    assert (
        "Probe now" not in signed_in(application, office.database, Role.WALL).get("/devices/B").text
    )
