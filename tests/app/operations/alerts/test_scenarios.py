"""Rules of every kind over a fleet on paper: what is opened, told, held back, told again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select, update

from app.config import Settings
from app.database import Database
from app.evidence.tables import DeviceState, LedgerCohort, LedgerDay, Sweep
from app.fleet.tables import (
    BEGINNING,
    Assignment,
    Cohort,
    Device,
    DeviceKind,
    ProbeChoice,
    Room,
)
from app.operations.alerts import looking
from app.operations.alerts.looking import Disk
from app.operations.alerts.rule_queries import add_silence, rule_of_key, set_recipients
from app.operations.alerts.tables import Alert, AlertRule
from app.operations.alerts.watching import Watcher
from app.operations.delivery.tables import Notification, Recipient
from app.operations.faults.tables import Incident
from kpi.calendar import day_start
from kpi.rates import Amounts

NOON = 12 * 3600
Failing = Mapping[str, Amounts]
"""Station → its cameras that are not intact."""


@dataclass
class Office:
    """A watcher over a fleet of 3,300 cameras at 28 stations, a sweep each minute from noon on."""

    database: Database
    settings: Settings
    fleet: Any
    noon: int
    slot: int = 0
    watcher: Watcher = field(init=False)

    def __post_init__(self) -> None:
        self.fleet.register({f"S{number:02d}": 118 for number in range(28)})
        self.watcher = Watcher(self.database, self.settings, self.noon - 3600)

    @property
    def now(self) -> int:
        return self.noon + 60 * self.slot + 8

    def sweep(
        self, count: int = 1, failing: Failing | None = None, *, clocks_wrong: int = 0
    ) -> None:
        """So many slots with this failing; the watcher looks after each."""
        for _ in range(count):
            self.slot += 1
            tick = self.noon + 60 * self.slot
            self.fleet.sweep(tick, **(failing or {}))
            if clocks_wrong:
                with self.database.write() as session:
                    told = {"CLOCK_WRONG": clocks_wrong}
                    session.execute(update(Sweep).where(Sweep.tick == tick).values(by_status=told))
            self.watcher.look(self.now)

    def silent(self, count: int) -> None:
        """So many slots without a sweep."""
        for _ in range(count):
            self.slot += 1
            self.watcher.look(self.now)

    def rule(self, key: str, **changes: object) -> None:
        with self.database.write() as session:
            rule = rule_of_key(session, key)
            assert rule is not None
            for name, value in changes.items():
                setattr(rule, name, value)
            rule.version += 1

    def add_rule(self, **columns: object) -> None:
        usual = {
            "period": "now",
            "scope": "fleet",
            "for_slots": 1,
            "severity": "warning",
            "enabled": True,
            "shipped": False,
        }
        with self.database.write() as session:
            session.add(AlertRule(**(usual | columns)))

    def alerts(self, kind: str | None = None) -> list[Alert]:
        with self.database.read() as session:
            found = session.scalars(select(Alert).order_by(Alert.id)).all()
        return [each for each in found if kind in (None, each.kind)]

    def open(self) -> list[tuple[str, str]]:
        return [(each.kind, each.scope_code) for each in self.alerts() if each.resolved_at is None]

    def told(self) -> list[tuple[str, str]]:
        """(rule, event) of each message, in their order."""
        with self.database.read() as session:
            rows = session.scalars(select(Notification).order_by(Notification.id)).all()
        return [(row.body["kind"], row.event) for row in rows]

    def texts(self, language: str = "en") -> list[str]:
        with self.database.read() as session:
            rows = session.scalars(select(Notification).order_by(Notification.id)).all()
        return [row.body["summary"][language] for row in rows]


@pytest.fixture
def office(
    database: Database, webhook_settings: Settings, fleet: Any, monkeypatch: pytest.MonkeyPatch
) -> Office:
    noon = day_start(fleet.since, webhook_settings.zone) + NOON
    monkeypatch.setattr(looking, "_free", lambda folder: Disk(str(folder), 50, 100))
    return Office(database, webhook_settings, fleet, noon)


SCATTERED = {f"S{number:02d}": Amounts(offline=3) for number in range(28)}


def test_seventy_scattered_cameras(office: Office) -> None:
    """84 of 3,304: an alert at the fifth slot, with figures; over when 98.2 % are reached."""
    office.sweep(3)
    office.sweep(4, SCATTERED)
    assert office.open() == []
    office.sweep(1, SCATTERED)
    assert office.open() == [("fleet_intact_rate", "")]
    (alert,) = office.alerts()
    assert (alert.figures["assessed"], alert.figures["intact"]) == (3304, 3304 - 84)
    assert alert.figures["cause"] == []
    assert alert.since == office.noon + 60 * 4
    edge = {f"S{number:02d}": Amounts(offline=2) for number in range(28)}  # 98.3 %
    below = edge | {f"S{number:02d}": Amounts(offline=3) for number in range(5)}  # 98.15 %
    office.sweep(3, below)
    assert office.open() == [("fleet_intact_rate", "")]
    office.sweep(1, edge)
    assert office.open() == []
    assert office.told() == [("fleet_intact_rate", "opened"), ("fleet_intact_rate", "resolved")]
    assert "97.46%" in office.texts()[0].replace(" ", "")


def test_a_silent_collector_is_one_alert_and_no_outage(office: Office) -> None:
    office.sweep(3)
    office.sweep(4, SCATTERED)
    office.silent(2)
    assert office.open() == []
    office.silent(1)
    assert office.open() == [("evidence_missing", "")]
    office.silent(20)
    assert office.open() == [("evidence_missing", "")]
    office.sweep(1)
    assert office.open() == []
    assert [kind for kind, _ in office.told()] == ["evidence_missing"] * 2


def test_low_coverage_is_an_alert_of_its_own_and_rests_the_others(office: Office) -> None:
    office.sweep(1)
    blind = {f"S{number:02d}": Amounts(unknown=20, offline=20) for number in range(28)}
    office.sweep(8, blind)
    assert office.open() == [("coverage_low", "")]
    office.sweep(1)
    assert office.open() == []


def test_three_hundred_wrong_clocks_are_one_alert(office: Office) -> None:
    office.sweep(2)
    office.sweep(7, clocks_wrong=300)
    assert office.open() == [("clock_wrong", "")]
    (alert,) = office.alerts()
    assert (alert.figures["part"], alert.figures["whole"]) == (300, 3304)
    assert "300 of 3304" in office.texts()[0]
    office.sweep(1, clocks_wrong=100)
    assert office.open() == []
    assert office.alerts("fleet_intact_rate") == []


def test_each_station_has_its_own_alert(office: Office) -> None:
    office.add_rule(
        key="station_intact",
        metric="intact_rate",
        scope="station",
        threshold="0.9",
        recovery="0.95",
        for_slots=2,
    )
    office.sweep(2, {"S03": Amounts(offline=20), "S07": Amounts(offline=20)})
    assert office.open() == [("station_intact", "S03"), ("station_intact", "S07")]
    office.sweep(1, {"S03": Amounts(offline=8), "S07": Amounts(offline=5)})
    assert office.open() == [("station_intact", "S03")]
    assert "S07" in office.texts()[-1]
    assert {each.scope_name for each in office.alerts("station_intact")} == {
        "S03 派出所",
        "S07 派出所",
    }


def test_an_incident_is_one_alert_and_the_cause_of_the_fleets(office: Office) -> None:
    office.sweep(1)
    with office.database.write() as session:
        begun = office.noon + 120
        session.add(
            Incident(
                scope="room", code="R1", name="一号机房", onset=begun, opened_at=begun + 120,
                devices=118, failed=118,
            )
        )  # fmt: skip
    office.sweep(5, {"S00": Amounts(offline=118)})
    assert office.open() == [("incident", "R1"), ("fleet_intact_rate", "")]
    (fleet,) = office.alerts("fleet_intact_rate")
    assert [(each["scope"], each["code"]) for each in fleet.figures["cause"]] == [("room", "R1")]
    assert "原因：机房 一号机房" in office.texts("zh")[1]
    with office.database.write() as session:
        session.execute(update(Incident).values(closed_at=office.now, ended_at=office.now))
    office.sweep(1)
    assert office.open() == []
    assert sorted(office.told()) == sorted(
        (kind, event)
        for kind in ("incident", "fleet_intact_rate")
        for event in ("opened", "resolved")
    )


@pytest.mark.parametrize(
    ("lost", "is_open"), [(0.0199, False), (0.0201, True)], ids=["met", "missed"]
)
def test_the_month_to_date(office: Office, lost: float, *, is_open: bool) -> None:
    day = office.fleet.since
    with office.database.write() as session:
        session.add(LedgerDay(day=day, interval_s=60, through=office.noon))
        seconds = 1_000_000
        for cohort_id in office.fleet.cohorts.values():
            gone = round(seconds * lost)
            amounts = {"intact": seconds - gone, "impaired": 0, "offline": gone, "unknown": 0}
            amounts |= {"suspended": 0, "exempted": 0, "intact_by_video": 0}
            session.add(LedgerCohort(day=day, cohort_id=cohort_id, devices=118, **amounts))
    office.sweep(1)
    assert (office.open() == [("fleet_intact_month", "")]) == is_open
    if is_open:
        assert "month so far" in office.texts()[0]


def test_a_room_whose_equipment_is_silent(office: Office) -> None:
    """Five slots make it an alert, unless an incident of the room tells of it; one device that
    answers makes it a room that is up."""
    with office.database.write() as session:
        room = Room(code="R1", name="一号机房")
        session.add(room)
        session.flush()
        cohort = Cohort(kind=DeviceKind.ROOM_EQUIPMENT, room_id=room.id)
        devices = [
            Device(
                code=f"E{number}", name="switch", kind=DeviceKind.ROOM_EQUIPMENT, critical=True,
                probe=ProbeChoice.PING, registered_on=office.fleet.since,
            )
            for number in range(2)
        ]  # fmt: skip
        session.add_all([cohort, *devices])
        session.flush()
        for device in devices:
            belongs = Assignment(device_id=device.id, from_day=BEGINNING, cohort_id=cohort.id)
            seen = DeviceState(device_id=device.id, status=20, since=office.noon, detail="")
            session.add_all([belongs, seen])
        cohort_id = cohort.id
    office.fleet.cohorts["equipment"], office.fleet.cameras["equipment"] = cohort_id, 2
    down = {"equipment": Amounts(offline=2)}

    def is_up() -> None:
        """One of the two answers for a slot."""
        first = update(DeviceState).where(DeviceState.device_id == devices[0].id)
        with office.database.write() as session:
            session.execute(first.values(status=0))
        office.sweep(1, {"equipment": Amounts(offline=1)})
        with office.database.write() as session:
            session.execute(first.values(status=20))

    with office.database.write() as session:
        begun = office.noon + 60
        incident = Incident(
            scope="room", code="R1", name="一号机房", onset=begun, opened_at=begun + 120,
            devices=118, failed=118,
        )  # fmt: skip
        session.add(incident)
    office.sweep(6, down)
    assert office.open() == [("incident", "R1")]
    with office.database.write() as session:
        session.execute(update(Incident).values(closed_at=office.now, ended_at=office.now))
    is_up()
    office.sweep(4, down)
    assert office.open() == []
    office.sweep(1, down)
    assert office.open() == [("room_down", "R1")]
    assert "机房 一号机房" in office.texts("zh")[-1]
    is_up()
    assert office.open() == []
    rules = ("incident", "room_down")
    assert office.told() == [(rule, event) for rule in rules for event in ("opened", "resolved")]


def test_a_disk_that_is_nearly_full(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    for free, expected in ((11, []), (9, [("disk_low", "")]), (11, [("disk_low", "")]), (12, [])):
        monkeypatch.setattr(looking, "_free", lambda _, free=free: Disk("/data", free, 100))
        office.sweep(1)
        assert office.open() == expected


def test_quiet_hours_hold_back_what_is_not_critical(office: Office) -> None:
    office.rule("clock_wrong", quiet_from=12 * 60, quiet_to=12 * 60 + 20)
    office.sweep(6, clocks_wrong=300)
    assert office.open() == [("clock_wrong", "")]
    assert office.told() == []
    office.sweep(13, clocks_wrong=300)
    assert office.told() == []
    office.sweep(2, clocks_wrong=300)
    assert office.told() == [("clock_wrong", "opened")]
    office.sweep(1)
    assert office.told()[1:] == [("clock_wrong", "resolved")]


def test_what_was_never_told_is_not_told_to_be_over(office: Office) -> None:
    office.rule("clock_wrong", quiet_from=12 * 60, quiet_to=13 * 60)
    office.sweep(6, clocks_wrong=300)
    office.sweep(60)
    assert (office.open(), office.told()) == ([], [])


def test_a_silence_holds_back_even_what_is_critical(office: Office) -> None:
    with office.database.write() as session:
        row = {"kind": "fleet_intact_rate", "reason": "works", "created_by": "office"}
        until = office.noon + 60 * 10
        silence = add_silence(session, {**row, "created_at": office.noon, "until": until})
    office.sweep(8, SCATTERED)
    assert office.open() == [("fleet_intact_rate", "")]
    assert office.told() == []
    office.sweep(3, SCATTERED)
    assert office.told() == [("fleet_intact_rate", "opened")]
    assert silence.until == until


def test_told_again_until_somebody_acknowledges(office: Office) -> None:
    office.rule("fleet_intact_rate", repeat_s=180)
    office.sweep(5 + 7, SCATTERED)
    events = [event for _, event in office.told()]
    assert events == ["opened", "repeated", "repeated"]
    with office.database.write() as session:
        session.execute(update(Alert).values(acknowledged_at=office.now, acknowledged_by="office"))
    office.sweep(7, SCATTERED)
    assert [event for _, event in office.told()] == events
    office.sweep(1)
    assert [event for _, event in office.told()][-1] == "resolved"


def _recipient(office: Office, name: str, least: str) -> int:
    with office.database.write() as session:
        recipient = Recipient(
            name=name, channel="webhook", address_encrypted=b"-", language="zh",
            min_severity=least, enabled=True, changed_at=0,
        )  # fmt: skip
        session.add(recipient)
        session.flush()
        return recipient.id


def test_nobody_acknowledges_so_others_are_told(office: Office) -> None:
    boss, clerk = _recipient(office, "boss", "critical"), _recipient(office, "clerk", "critical")
    office.rule("fleet_intact_rate", escalate_after_s=300)
    with office.database.write() as session:
        rule = rule_of_key(session, "fleet_intact_rate")
        assert rule is not None
        set_recipients(session, rule.id, [clerk], [boss])
        rule.version += 1
    office.sweep(5 + 4, SCATTERED)
    office.sweep(4, SCATTERED)
    with office.database.read() as session:
        rows = session.scalars(select(Notification).order_by(Notification.id)).all()
    assert [(row.event, row.recipient_id) for row in rows] == [
        ("opened", clerk),
        ("escalated", boss),
    ]


def test_a_disabled_rule_opens_nothing(office: Office) -> None:
    office.rule("fleet_intact_rate", enabled=False)
    office.sweep(8, SCATTERED)
    assert office.open() == []


def test_a_watcher_that_begins_anew_decides_alike(office: Office) -> None:
    office.sweep(4, SCATTERED)
    office.watcher = Watcher(office.database, office.settings, office.now)
    office.sweep(1, SCATTERED)
    assert office.open() == [("fleet_intact_rate", "")]
    office.watcher = Watcher(office.database, office.settings, office.now)
    office.watcher.look(office.now)
    assert len(office.told()) == 1


@pytest.mark.parametrize("looks", [1, 2])
def test_looking_again_changes_nothing(office: Office, looks: int) -> None:
    office.sweep(5, SCATTERED)
    for _ in range(looks):
        office.watcher.look(office.now)
    assert len(office.alerts()) == 1
