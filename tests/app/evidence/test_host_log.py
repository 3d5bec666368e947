"""What is kept of the host and of the cameras' clocks, and how it is read."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import select

from app.config import Settings
from app.database import Database
from app.evidence.heartbeat import begin_run, end_run
from app.evidence.host_log import note_host
from app.evidence.judging import HostFact, HostReport
from app.evidence.recording import FinishedSweep, Recorder
from app.evidence.tables import ClockOffset, HostEvent, HostEventKind
from app.fleet.tables import Device, DeviceKind, ProbeChoice
from collectors.probe import Observation
from collectors.sweep import SweepResult
from kpi.status import Status
from tests.app.asking import Asker

NOON = 1_800_000_000
CUT_OFF, PAUSED, SUSPECTED = (
    HostEventKind.CUT_OFF,
    HostEventKind.PAUSED,
    HostEventKind.CLOCK_SUSPECTED,
)


def fact(kind: HostEventKind, at: int, until: int | None) -> HostFact:
    return HostFact(kind, NOON + at, None if until is None else NOON + until, 5.0, "so it was")


@pytest.mark.parametrize(
    ("reports", "kept"),
    [
        ([], []),
        ([(60, [fact(PAUSED, 10, 15)], [])], [(PAUSED, 10, 15)]),
        (
            [(60, [fact(PAUSED, 10, 15)], []), (120, [fact(PAUSED, 70, 75)], [])],
            [(PAUSED, 10, 15), (PAUSED, 70, 75)],
        ),
        (
            [(60 * n, [fact(SUSPECTED, 60 * n, None)], []) for n in range(1, 4)],
            [(SUSPECTED, 60, None)],  # once, not once a minute
        ),
        (
            [(60, [fact(SUSPECTED, 60, None)], []), (120, [], []), (180, [], [SUSPECTED])],
            [(SUSPECTED, 60, 180)],
        ),
        (
            [(60, [fact(CUT_OFF, 30, None)], []), (120, [fact(CUT_OFF, 60, 70)], [CUT_OFF])],
            [(CUT_OFF, 30, 70)],  # the end is the canary's, not the sweep's
        ),
        (
            [
                (60, [fact(CUT_OFF, 30, None)], []),
                (120, [fact(CUT_OFF, 60, 70), fact(CUT_OFF, 90, None)], []),
                (180, [], [CUT_OFF]),
            ],
            [(CUT_OFF, 30, 70), (CUT_OFF, 90, 180)],
        ),
        ([(60, [fact(CUT_OFF, 10, 12)], [CUT_OFF])], [(CUT_OFF, 10, 12)]),
        ([(60, [], [CUT_OFF, SUSPECTED])], []),
    ],
)
def test_each_thing_once_with_its_end(
    database: Database,
    reports: list[tuple[int, list[HostFact], list[HostEventKind]]],
    kept: list[tuple[HostEventKind, int, int | None]],
) -> None:
    for now, facts, over in reports:
        with database.write() as session:
            note_host(session, HostReport(tuple(facts), frozenset(over)), NOON + now)
    with database.read() as session:
        events = session.scalars(select(HostEvent).order_by(HostEvent.id)).all()
    assert [
        (event.kind, event.at - NOON, event.until and event.until - NOON) for event in events
    ] == kept


@pytest.fixture
def camera(database: Database) -> int:
    with database.write() as session:
        device = Device(
            code="A/1",
            name="A",
            kind=DeviceKind.CAMERA,
            probe=ProbeChoice.ONVIF,
            registered_on=date(2026, 1, 1),
        )
        session.add(device)
        session.flush()
        return device.id


@pytest.fixture
def record(database: Database, settings: Settings, camera: int) -> Callable[..., None]:
    """Records a sweep a minute from NOON on, in each of which the camera told this offset."""

    def _record(offsets: list[float | None], restarts: bool = False) -> None:
        recorder = Recorder(database, settings)
        for number, offset in enumerate(offsets):
            if restarts:
                recorder = Recorder(database, settings)
            seen = {camera: Observation(Status.INTACT, 1.0, offset)}
            tick = NOON + 60 * number
            recorder.record(FinishedSweep(tick, 60, tick + 5, SweepResult(seen, 1, 0), {}))

    return _record


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize(
    ("offsets", "kept"),
    [
        ([None, None], []),
        ([0.4], [(0, 0)]),
        ([0.0, -1.0, 0.4, 1.0] * 8, [(0, 0)]),  # a steady clock has one row
        ([0.0, None, 1.0, None, 0.0], [(0, 0)]),
        ([0.0, 3600.0, 3600.0, 0.0], [(0, 0), (1, 3600), (3, 0)]),
        ([0.5 * n for n in range(13)], [(0, 0), (7, 4)]),  # a drift, read in steps
        ([None, 100.0], [(1, 100)]),
    ],
)
def test_a_clock_leaves_a_row_where_it_moved(
    database: Database, record: Any, offsets: Any, kept: list[tuple[int, int]], restarts: bool
) -> None:
    record(offsets, restarts)
    with database.read() as session:
        rows = session.scalars(select(ClockOffset).order_by(ClockOffset.at)).all()
    assert [((row.at - NOON) // 60, row.offset_s) for row in rows] == kept


@pytest.mark.parametrize("step_s", [0.03, -0.09, 1.2])
def test_a_drift_is_followed_to_a_few_seconds(
    database: Database, record: Any, step_s: float
) -> None:
    drift = [step_s * number for number in range(100)]
    record(drift)
    with database.read() as session:
        rows = session.scalars(select(ClockOffset).order_by(ClockOffset.at)).all()
    for number, offset in enumerate(drift):
        in_force = [row.offset_s for row in rows if row.at <= NOON + 60 * number][-1]
        assert abs(in_force - offset) < 4.5
    assert len(rows) <= 1 + abs(drift[-1]) / 2


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        (0, 10, [(0, 0), (2, 3600), (4, 7200)]),
        (2, 4, [(2, 3600)]),
        (3, 4, [(2, 3600)]),  # what was in force at its start
        (5, 10, [(4, 7200)]),
        (-10, -5, []),
        (-10, 1, [(0, 0)]),
    ],
)
def test_the_clock_by_rest(
    client: Asker, record: Any, settings: Settings, start: int, end: int, told: list[Any]
) -> None:
    record([0.0, 0.0, 3600.0, 3600.0, 7200.0])
    query = f"from={_iso(start)}&to={_iso(end)}"
    document = client.get(f"/api/v1/devices/A/1/clock?{query}").json()
    assert set(document) == {"device", "from", "to", "timezone", "tolerance_s", "offsets"}
    assert [(_minutes(row["at"]), row["offset_s"]) for row in document["offsets"]] == told


def _iso(minutes: int) -> str:
    return datetime.fromtimestamp(NOON + 60 * minutes, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _minutes(at: str) -> int:
    return int(datetime.fromisoformat(at).timestamp() - NOON) // 60


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("A/1/clock?from=2026-01-01T00:00&to=2027-01-01T00:00", 200),
        ("A/1/clock?from=2026-01-01T00:00&to=2027-01-03T00:00", 422),
        ("A/1/clock?from=2026-01-02T00:00&to=2026-01-01T00:00", 422),
        ("A/1/clock?from=2026-01-02T00:00", 422),
        ("B/clock?from=2026-01-01T00:00&to=2026-01-02T00:00", 404),
    ],
)
@pytest.mark.usefixtures("camera")
def test_periods_of_a_clock(client: Asker, query: str, code: int) -> None:
    assert client.get(f"/api/v1/devices/{query}").status_code == code


def test_host_and_collectors_by_rest(client: Asker, database: Database) -> None:
    first = begin_run(database, NOON)
    end_run(database, first, NOON + 100)
    begin_run(database, NOON + 200)
    with database.write() as session:
        note_host(session, HostReport((fact(PAUSED, 1, 6), fact(CUT_OFF, 50, None))), NOON + 60)
    runs = client.get("/api/v1/collectors").json()["collectors"]
    assert [run["stopped_at"] for run in runs] == [None, "2027-01-15T16:01:40+08:00"]
    assert set(runs[0]) == {"started_at", "heartbeat_at", "stopped_at", "host", "pid", "version"}
    events = client.get("/api/v1/host-events").json()["events"]
    assert events == [
        {
            "kind": "cut_off",
            "at": "2027-01-15T16:00:50+08:00",
            "until": None,
            "seconds": 5.0,
            "detail": "so it was",
        },
        {
            "kind": "paused",
            "at": "2027-01-15T16:00:01+08:00",
            "until": "2027-01-15T16:00:06+08:00",
            "seconds": 5.0,
            "detail": "so it was",
        },
    ]
    assert len(client.get("/api/v1/host-events?limit=1").json()["events"]) == 1
