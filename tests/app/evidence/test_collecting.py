"""From the register to the record: what is asked, what is kept, and when nothing was measured."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from app.config import Settings
from app.database import Database
from app.evidence.collecting import Collecting
from app.evidence.host_clock import Clocks
from app.evidence.leadership import leadership
from app.evidence.ledger import mark_touched
from app.evidence.recording import FinishedSweep
from app.evidence.store import claim_day
from app.evidence.tables import DayOrigin, DeviceState, HostEvent, Sample, Sweep, SweepCount
from app.fleet.importing import import_devices
from collectors.probe import Observation, ProbeMethod, Probers, Target
from collectors.sweep import SweepResult
from kpi.calendar import local_day
from kpi.status import Status

REGISTER = """\
code,name,kind,room,address,port,probe,username,password
A,A,camera,R1,127.9.0.1,80,tcp,admin,hush
B,B,camera,R2,127.9.0.2,80,tcp,,
C,C,camera,R2,127.9.0.3,80,ping,,
V,V,vehicle,,,,none,,
"""
Answer = Callable[[Target], Observation]


def prober(answer: Answer) -> Callable[[Target, float], Awaitable[Observation]]:
    async def ask(target: Target, _deadline: float) -> Observation:
        return answer(target)

    return ask


def probers(answer: Answer) -> Probers:
    return {ProbeMethod.TCP: prober(answer)}  # ping is not there: those devices are unknown


def intact(_target: Target) -> Observation:
    return Observation(Status.INTACT, 1.0)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, poll_interval=900)


@pytest.fixture
def registered(database: Database, settings: Settings, tmp_path: Path) -> Database:
    path = tmp_path / "register.csv"
    path.write_text(REGISTER)
    today = local_day(int(time.time()), settings.zone)
    import_devices(database, settings, path, today=today, on_touched=mark_touched)
    return database


def statuses(database: Database) -> list[int]:
    with database.read() as session:
        return list(session.scalars(select(Sample.status).order_by(Sample.device_id)))


def test_a_sweep_leaves_samples_counts_and_states(registered: Database, settings: Settings) -> None:
    collecting = Collecting(registered, settings, probers(intact))
    result, stored = asyncio.run(collecting.sweep_once(None, keep=True))
    assert result.by_status == {Status.INTACT: 2, Status.UNKNOWN: 1}
    assert (stored, statuses(registered)) == (2, [0, 0])
    with registered.read() as session:
        sweep = session.scalars(select(Sweep)).one()
        assert sweep.by_status == {"INTACT": 2, "UNKNOWN": 1}
        counts = session.scalars(select(SweepCount).order_by(SweepCount.cohort_id)).all()
        assert [(count.intact, count.unknown) for count in counts] == [(1, 0), (1, 1)]
        states = session.scalars(select(DeviceState).order_by(DeviceState.device_id)).all()
        assert [state.status for state in states] == [0, 0, 255]


def test_states_keep_since_when(registered: Database, settings: Settings) -> None:
    collecting = Collecting(registered, settings, probers(intact))
    tick = 900 * (int(time.time()) // 900)
    for number, second in enumerate((Status.INTACT, Status.AUTH_FAILED, Status.AUTH_FAILED)):
        seen = {1: Observation(Status.INTACT), 2: Observation(second)}
        result = SweepResult(seen, wall_s=1, cpu_s=0)
        at = tick + 900 * number
        collecting.record(FinishedSweep(at, 900, at + 30, result, {}))
    with registered.read() as session:
        states = session.scalars(select(DeviceState).order_by(DeviceState.device_id)).all()
        assert [(state.status, state.since) for state in states] == [
            (Status.INTACT, tick),
            (Status.AUTH_FAILED, tick + 900),
        ]


@pytest.mark.parametrize(
    ("offsets", "kept"),
    [([0.0, -1.0, 0.4], [0, 0, 0]), ([0.0, 2.0], [0, 2]), ([3.0, None, 3.0], [3, None, 3])],
)
def test_an_offset_that_flickers_stays(
    registered: Database, settings: Settings, offsets: list[float | None], kept: list[int | None]
) -> None:
    collecting = Collecting(registered, settings, probers(intact))
    tick = 900 * (int(time.time()) // 900)
    for number, offset in enumerate(offsets):
        seen = {1: Observation(Status.INTACT, 1.0, offset)}
        at = tick + 900 * number
        collecting.record(FinishedSweep(at, 900, at + 30, SweepResult(seen, 1, 0), {}))
        with registered.read() as session:
            assert session.scalars(select(DeviceState.clock_offset_s)).one() == kept[number]


def test_the_sweep_of_a_room_is_no_sweep_of_the_fleet(
    registered: Database, settings: Settings
) -> None:
    collecting = Collecting(registered, settings, probers(intact))
    result, stored = asyncio.run(collecting.sweep_once("R1", keep=True))
    assert (len(result.observations), stored) == (1, 1)
    with registered.read() as session:
        assert session.scalars(select(Sweep)).all() == []


def test_what_is_not_kept_leaves_nothing(registered: Database, settings: Settings) -> None:
    collecting = Collecting(registered, settings, probers(intact))
    _result, stored = asyncio.run(collecting.sweep_once(None, keep=False))
    assert (stored, statuses(registered)) == (0, [])


def test_an_overrun_sweep_measured_nothing(registered: Database, tmp_path: Path) -> None:
    """As after a pause of the process: what was told at its end belongs to no slot."""

    def paused(_target: Target) -> Observation:
        time.sleep(1.1)
        return Observation(Status.INTACT)

    short = Settings(data_dir=tmp_path, poll_interval=1)
    collecting = Collecting(registered, short, probers(paused))
    result, stored = asyncio.run(collecting.sweep_once(None, keep=True))
    assert result.by_status == {Status.UNKNOWN: 3}
    assert (stored, statuses(registered)) == (0, [])
    with registered.read() as session:
        assert session.scalars(select(Sweep.by_status)).one() == {"UNKNOWN": 3}


@pytest.mark.parametrize(
    ("canary", "by_status"),
    [("alive", {"INTACT": 2, "UNKNOWN": 1}), ("dead", {"UNKNOWN": 3})],
)
def test_while_no_canary_answers_nothing_is_known(
    registered: Database, tmp_path: Path, canary: str, by_status: dict[str, int]
) -> None:
    """The probers answer for the cameras and for the canary alike."""
    alive, dead = "127.9.9.1:80", "127.9.9.2:80"

    def answer(target: Target) -> Observation:
        gone = target.address == "127.9.9.2"
        return Observation(Status.TIMEOUT if gone else Status.INTACT, 1.0)

    canaries = (dead, alive) if canary == "alive" else (dead,)
    settings = Settings(data_dir=tmp_path, poll_interval=900, canaries=canaries)
    collecting = Collecting(registered, settings, probers(answer))
    _result, stored = asyncio.run(collecting.sweep_once(None, keep=True))
    assert stored == by_status.get("INTACT", 0)
    with registered.read() as session:
        assert session.scalars(select(Sweep.by_status)).one() == by_status
        details = set(session.scalars(select(DeviceState.detail)))
    assert ("not measured: no canary address answered" in details) == (canary == "dead")


class SetClock:
    """A wall clock that the test sets; it stands still in between.

    It begins late in its slot, where the rooms are all asked at once.
    """

    def __init__(self) -> None:
        self.now = 900 * (int(time.time()) // 900) + 500.0

    def clocks(self) -> Clocks:
        return Clocks(lambda: self.now, lambda: 0.0)


@pytest.mark.parametrize("jump_s", [900, -900, 86_400])
def test_a_clock_that_is_set_in_the_middle_of_a_sweep(
    registered: Database, settings: Settings, jump_s: int
) -> None:
    clock = SetClock()

    def set_clock(target: Target) -> Observation:
        clock.now += jump_s if target.address == "127.9.0.1" else 0
        return Observation(Status.TIMEOUT)

    settings = settings.model_copy(update={"probe_timeout": 0.1})
    collecting = Collecting(registered, settings, probers(set_clock), clock.clocks())
    finished = asyncio.run(collecting.sweep_slot())
    assert finished is not None
    assert finished.result.by_status == {Status.UNKNOWN: 3}


def test_a_slot_that_comes_again_keeps_what_it_has(
    registered: Database, settings: Settings
) -> None:
    """The clock is set back by three slots: those that had their sweep are not swept again."""
    clock = SetClock()
    collecting = Collecting(registered, settings, probers(intact), clock.clocks())

    def sweep_slots(count: int) -> list[bool]:
        done = []
        for _ in range(count):
            finished = asyncio.run(collecting.sweep_slot())
            done.append(finished is not None)
            if finished is not None:
                collecting.record(finished)
            clock.now += 900
        return done

    clock.now -= 900
    assert sweep_slots(1) == [True]
    clock.now += 900  # a slot without sweep
    assert sweep_slots(1) == [True]
    clock.now -= 2700
    collecting.note_jump(-2700)
    assert sweep_slots(4) == [False, True, False, True]
    with registered.read() as session:
        (event,) = session.scalars(select(HostEvent)).all()
    assert (event.kind, event.seconds) == ("clock_jump", -2700)
    assert event.detail == "the host's clock was set 2700 s back"


def test_the_days_own_slots_hold_until_midnight(registered: Database, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, poll_interval=60)
    collecting = Collecting(registered, settings, probers(intact))
    now = int(time.time())
    with registered.write() as session:
        today = local_day(now, settings.zone)
        claim_day(session, today, settings.timezone, 300, DayOrigin.IMPORT)
    assert collecting.interval_at(now) == 300
    assert collecting.interval_at(now + 86_400) == 60


def test_passwords_reach_the_prober(registered: Database, settings: Settings) -> None:
    shown: dict[str, str] = {}

    def note(target: Target) -> Observation:
        shown[target.address] = target.password
        return Observation(Status.INTACT)

    asyncio.run(Collecting(registered, settings, probers(note)).sweep_once(None, keep=False))
    assert shown == {"127.9.0.1": "hush", "127.9.0.2": ""}


def test_a_device_is_asked_even_where_its_password_cannot_be_opened(
    registered: Database, tmp_path: Path
) -> None:
    other_key = SecretStr("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
    settings = Settings(data_dir=tmp_path, poll_interval=900, secret_key=other_key)
    collecting = Collecting(registered, settings, probers(intact))
    result, _stored = asyncio.run(collecting.sweep_once(None, keep=False))
    assert result.by_status[Status.INTACT] == 2


def test_one_collector_at_a_time(database: Database) -> None:
    with leadership(database) as first:
        assert (first.renew(), first.renew()) == (True, True)
        with leadership(database) as second, leadership(database) as third:
            assert (second.renew(), third.renew(), first.renew()) == (False, False, True)
    with leadership(database) as after:
        deadline = time.monotonic() + 10  # PostgreSQL lets go when the connection's backend ends
        while not after.renew():
            assert time.monotonic() < deadline
            time.sleep(0.05)
