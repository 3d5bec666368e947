"""Video checks: whom a round asks, what is kept, and what sweeps and ledger make of it."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app.availability.instant import present
from app.availability.periods import monthly
from app.availability.selection import Filters
from app.config import Settings
from app.database import Database
from app.evidence.ledger import bring_up_to_date, mark_touched
from app.evidence.queries import mark_dirty
from app.evidence.recording import FinishedSweep, Recorder
from app.evidence.tables import (
    DeviceState,
    Ledger,
    LedgerCohort,
    Sample,
    SweepCount,
    VideoSpan,
    VideoState,
)
from app.evidence.video_checking import Round, VideoChecking
from app.fleet.importing import import_devices
from app.fleet.roster import Grouping, device_ids_by_code, roster
from app.fleet.tables import Observed
from collectors.onvif.credentials import CredentialMemory
from collectors.probe import Observation
from collectors.simulator.picture import HEIGHT, WIDTH
from collectors.simulator.running import RunningFleet, running_fleet
from collectors.simulator.scenario import parse_scenario
from collectors.snapshot import Snapshot
from collectors.sweep import SweepResult
from collectors.video import VideoCheck
from kpi.calendar import Month, local_day
from kpi.status import Status

INTACT, NO_VIDEO, UNKNOWN = Status.INTACT, Status.NO_VIDEO, Status.UNKNOWN
NO_STREAM = "[[fault]]\nkind = 'no_stream'\nshare = 1.0\n"
NOON = 1_772_337_600  # 1 March 2026 in Shanghai
GOOD, BAD = Observation(INTACT, 5.0), Observation(NO_VIDEO, detail="has no such stream")


@pytest.fixture(scope="module")
def fleet() -> Iterator[RunningFleet]:
    with running_fleet(cameras=3, rooms=1) as running:
        yield running


def observed(device_id: int, stream: str | None, snapshot: str | None) -> Observed:
    return Observed(
        device_id=device_id,
        asked_at=0,
        outcome=0,
        detail="",
        stream_uri=stream,
        snapshot_uri=snapshot,
        profiles=[],
        services=[],
        capabilities={},
    )


def state(device_id: int, status: Status) -> DeviceState:
    return DeviceState(device_id=device_id, status=int(status), since=0, detail="")


@pytest.fixture
def cameras(
    database: Database, settings: Settings, fleet: RunningFleet, tmp_path: Path
) -> list[int]:
    """Three simulated cameras: the first two known with their streams, the third without."""
    lines = ["code,name,kind,address,port,probe,username,password,commissioned_on"]
    lines += [
        f"C{n},C{n},camera,{c.address},{c.port},onvif,{c.username},{c.password},2026-01-01"
        for n, c in enumerate(fleet.cameras)
    ]
    path = tmp_path / "register.csv"
    path.write_text("\n".join(lines))
    today = local_day(int(time.time()), settings.zone)
    import_devices(database, settings, path, today=today, on_touched=mark_touched)
    with database.write() as session:
        ids = [device_ids_by_code(session)[f"C{n}"] for n in range(3)]
        for device_id, camera in zip(ids[:2], fleet.cameras[:2], strict=True):
            host = f"{camera.address}:{fleet.port}"
            session.add(
                observed(device_id, f"rtsp://{host}/Streaming/101", f"http://{host}/snapshot.jpg")
            )
        session.add(observed(ids[2], None, None))
        session.add_all(state(device_id, INTACT) for device_id in ids)
    return ids


def checking(database: Database, settings: Settings) -> VideoChecking:
    return VideoChecking(database, settings, CredentialMemory())


def states(database: Database) -> dict[int, VideoState]:
    with database.read() as session:
        return {row.device_id: row for row in session.scalars(select(VideoState))}


def make_due(database: Database) -> None:
    with database.write() as session:
        session.execute(update(VideoState).values(next_at=0))


def test_a_round_checks_the_cameras_that_are_due(
    database: Database, settings: Settings, fleet: RunningFleet, cameras: list[int]
) -> None:
    fleet.use(parse_scenario(""))
    rounds = checking(database, settings)
    assert asyncio.run(rounds.round()) == Round(checked=2)
    found = states(database)
    assert set(found) == set(cameras[:2])
    for row in found.values():
        assert (row.status, row.outcome, row.detail) == (0, 0, "offers video (H264)")
        assert (row.picture_width, row.picture_height) == (WIDTH, HEIGHT)
        assert row.end == row.start + 7_200
        assert row.checked_at < row.next_at <= row.checked_at + 3_600
    assert asyncio.run(rounds.round()) == Round()  # nobody is due again


def test_a_failure_is_confirmed_and_a_repair_is_seen(
    database: Database, settings: Settings, fleet: RunningFleet, cameras: list[int]
) -> None:
    fleet.use(parse_scenario(NO_STREAM))
    rounds = checking(database, settings)
    seen = []
    for scenario in (NO_STREAM, NO_STREAM, ""):
        fleet.use(parse_scenario(scenario))
        asyncio.run(rounds.round())
        row = states(database)[cameras[0]]
        seen.append((row.status, row.doubted, row.outcome))
        make_due(database)
    assert seen == [(255, True, 12), (12, False, 12), (0, False, 0)]


@pytest.mark.parametrize(
    ("status", "checked"),
    [
        (Status.TIMEOUT, 1),
        (UNKNOWN, 1),
        (Status.SERVICE_FAULT, 2),
        (NO_VIDEO, 2),
    ],
)
def test_a_camera_that_does_not_answer_is_not_checked(
    database: Database,
    settings: Settings,
    fleet: RunningFleet,
    cameras: list[int],
    status: Status,
    checked: int,
) -> None:
    fleet.use(parse_scenario(""))
    with database.write() as session:
        session.execute(
            update(DeviceState)
            .where(DeviceState.device_id == cameras[0])
            .values(status=int(status))
        )
    assert asyncio.run(checking(database, settings).round()).checked == checked


def test_a_password_refused_by_onvif_is_not_shown(
    database: Database, settings: Settings, fleet: RunningFleet, cameras: list[int]
) -> None:
    fleet.use(parse_scenario("[[fault]]\nkind = 'stream_auth'\nscheme = 'digest'\nshare = 1.0\n"))
    memory, first = CredentialMemory(), fleet.cameras[0]
    memory.remember_refusal(first.address, first.username, first.password)
    rounds = VideoChecking(database, settings, memory)
    assert asyncio.run(rounds.round()) == Round(checked=2, failed=1)
    assert fleet.attempts(first).shown == 0
    assert states(database)[cameras[0]].outcome == Status.AUTH_FAILED


def spans(database: Database) -> list[tuple[int, int, int, int]]:
    with database.read() as session:
        rows = session.scalars(select(VideoSpan).order_by(VideoSpan.device_id, VideoSpan.start))
        return [(row.device_id, row.start, row.end, row.status) for row in rows]


def test_history_is_kept_as_spans(
    database: Database, settings: Settings, cameras: list[int]
) -> None:
    rounds, device = checking(database, settings), cameras[0]
    for at, stream in ((0, GOOD), (3_600, GOOD), (7_200, BAD), (7_260, BAD), (7_440, GOOD)):
        rounds.store({device: VideoCheck(stream)}, NOON + at)
    assert spans(database) == [
        (device, NOON, NOON + 7_260, INTACT),
        (device, NOON + 7_260, NOON + 7_440, NO_VIDEO),
        (device, NOON + 7_440, NOON + 14_640, INTACT),
    ]


def test_a_missing_snapshot_is_noted_and_no_more(
    database: Database, settings: Settings, cameras: list[int]
) -> None:
    none = Snapshot(detail="its snapshot answers HTTP 404")
    checking(database, settings).store({cameras[0]: VideoCheck(GOOD, none)}, NOON)
    row = states(database)[cameras[0]]
    assert (row.status, row.picture_bytes, row.picture_detail) == (0, None, none.detail)


class Sweeps:
    """Records sweeps of the three cameras, a minute apart."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.recorder = Recorder(database, settings)
        with database.read() as session:
            self.members = roster(session, local_day(NOON, settings.zone))

    def record(self, tick: int, *statuses: Status) -> None:
        seen = {
            device_id: Observation(status, 3.0, 0.0)
            for device_id, status in zip(self.members, statuses, strict=True)
        }
        result = SweepResult(seen, wall_s=1.0, cpu_s=0.1)
        self.recorder.record(FinishedSweep(tick, 60, tick + 40, result, self.members))


def test_a_sweep_is_combined_with_what_holds(
    database: Database, settings: Settings, cameras: list[int]
) -> None:
    first, second, third = cameras
    rounds, sweeps = checking(database, settings), Sweeps(database, settings)
    sweeps.record(NOON, INTACT, INTACT, INTACT)
    rounds.store(dict.fromkeys((first, second), VideoCheck(BAD)), NOON + 60)
    rounds.store(dict.fromkeys((first, second), VideoCheck(BAD)), NOON + 120)
    rounds.store({third: VideoCheck(GOOD)}, NOON + 120)
    sweeps.record(NOON + 60, INTACT, INTACT, INTACT)  # none held at its tick
    sweeps.record(NOON + 120, INTACT, Status.TIMEOUT, INTACT)
    sweeps.record(NOON + 180, UNKNOWN, Status.SERVICE_FAULT, INTACT)
    sweeps.record(NOON + 7_320, INTACT, INTACT, INTACT)  # all have lapsed
    with database.read() as session:
        samples = session.execute(
            select(Sample.tick, Sample.device_id, Sample.status).order_by(
                Sample.tick, Sample.device_id
            )
        ).all()
        counts = session.execute(
            select(SweepCount.intact, SweepCount.impaired, SweepCount.intact_by_video).order_by(
                SweepCount.tick
            )
        ).all()
        detail = session.scalar(select(DeviceState.detail).where(DeviceState.device_id == first))
    by_tick = {tick: [row[2] for row in samples if row[0] == tick] for tick, *_ in samples}
    assert by_tick == {
        NOON: [0, 0, 0],
        NOON + 60: [0, 0, 0],
        NOON + 120: [12, 20, 0],
        NOON + 180: [11, 0],
        NOON + 7_320: [0, 0, 0],
    }
    assert [tuple(row) for row in counts] == [(3, 0, 0), (3, 0, 0), (1, 1, 1), (1, 1, 1), (3, 0, 0)]
    assert detail == ""


def test_a_new_recorder_knows_what_holds(
    database: Database, settings: Settings, cameras: list[int]
) -> None:
    rounds = checking(database, settings)
    for at in (0, 60):
        rounds.store({cameras[0]: VideoCheck(BAD)}, NOON + at)
    Sweeps(database, settings).record(NOON + 60, INTACT, INTACT, INTACT)
    with database.read() as session:
        shown = session.get_one(DeviceState, cameras[0])
    assert (shown.status, shown.detail) == (NO_VIDEO, BAD.detail)


def test_ledger_and_rates_say_what_stands_behind_them(
    database: Database, settings: Settings, cameras: list[int]
) -> None:
    rounds, sweeps = checking(database, settings), Sweeps(database, settings)
    rounds.store(dict.fromkeys(cameras, VideoCheck(GOOD)), NOON)
    for minute in range(10):
        sweeps.record(NOON + 60 * minute, INTACT, INTACT, INTACT)
    now, day = NOON + 660, local_day(NOON, settings.zone)

    def by_video() -> list[int]:
        bring_up_to_date(database, settings, day, day, now)
        with database.read() as session:
            cohort = session.scalars(select(LedgerCohort.intact_by_video)).one()
            devices = list(
                session.scalars(select(Ledger.intact_by_video).order_by(Ledger.device_id))
            )
        assert cohort == sum(devices)
        return devices

    def month() -> str:
        march = Month.parse("2026-03")
        return monthly(database, settings, march, Grouping.FLEET, Filters(), now).total.basis

    assert by_video() == [600, 600, 600]
    assert month() == "video"
    now_figures = present(database, settings, Grouping.FLEET, Filters(), NOON + 600).total
    assert (now_figures.basis, now_figures.intact_by_video) == ("video", 3)
    single = present(database, settings, Grouping.DEVICE, Filters(), NOON + 600).rows[0]
    assert (single.basis, single.intact_by_video) == ("video", 1)

    with database.write() as session:  # one check is found to have ended early: the day is redone
        session.execute(
            update(VideoSpan).where(VideoSpan.device_id == cameras[1]).values(end=NOON + 60)
        )
        mark_dirty(session, day, [cameras[1]])
    assert by_video() == [600, 60, 600]
    assert month() == "reachability"
