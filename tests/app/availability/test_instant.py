"""The figures of this minute: the last finished sweep, and what is said when there is none."""

from datetime import date

import pytest

from app.availability.documents import NowRow
from app.availability.instant import present
from app.availability.rooms import Condition, condition, rooms_now
from app.availability.selection import Filters
from app.evidence.recording import FinishedSweep, Recorder
from app.fleet.roster import Grouping, device_ids_by_code, roster
from collectors.probe import Observation
from collectors.sweep import SweepResult
from kpi.status import SlotClass, Status
from tests.app.availability.district import District

TICK_TIME = "2026-03-05 12:00:00"


def sweep(district: District, tick: int, **statuses: Status) -> None:
    """Record a sweep that saw these devices; the others were not asked."""
    with district.database.read() as session:
        ids = device_ids_by_code(session)
        members = roster(session, date(2026, 3, 5))
    seen = {ids[code]: Observation(status, 5.0) for code, status in statuses.items()}
    finished = FinishedSweep(tick, 900, tick + 40, SweepResult(seen, 40.0, 0.1), members)
    Recorder(district.database, district.settings).record(finished)


def counts(row: NowRow) -> tuple[int, ...]:
    return (row.intact, row.impaired, row.offline, row.unknown, row.suspended, row.exempted)


@pytest.fixture
def tick(district: District) -> int:
    return district.at(TICK_TIME)


@pytest.mark.parametrize("grouping", list(Grouping))
def test_counts_of_the_last_sweep(district: District, tick: int, grouping: Grouping) -> None:
    district.suspend("C4,2026-03-05,,works,office")
    sweep(
        district,
        tick,
        C1=Status.INTACT,
        C2=Status.TIMEOUT,
        C4=Status.TIMEOUT,
        E1=Status.INTACT,
    )
    document = present(district.database, district.settings, grouping, Filters(), tick + 60)
    assert counts(document.total) == (1, 0, 1, 1, 1, 0)
    assert document.total.devices == 4
    assert (document.tick, document.stale) == ("2026-03-05T12:00:00+08:00", False)
    added = [sum(column) for column in zip(*(counts(row) for row in document.rows), strict=True)]
    assert added == [1, 0, 1, 1, 1, 0]


def test_rates_of_a_station(district: District, tick: int) -> None:
    sweep(district, tick, C1=Status.INTACT, C2=Status.SERVICE_FAULT)
    document = present(district.database, district.settings, Grouping.STATION, Filters(), tick + 60)
    north = document.rows[0]
    assert (north.group, north.intact_rate, north.online_rate) == ("North", 0.5, 1.0)
    assert north.intact_target_met is False


def test_an_old_sweep_says_nothing_of_now(district: District, tick: int) -> None:
    district.suspend("C4,2026-03-05,,works,office")
    sweep(district, tick, C1=Status.INTACT, C2=Status.INTACT, C3=Status.INTACT)
    finished = tick + 40
    for passed, stale, expected in (
        (3 * 900, False, (3, 0, 0, 0, 1, 0)),
        (3 * 900 + 1, True, (0, 0, 0, 3, 1, 0)),
    ):
        document = present(
            district.database, district.settings, Grouping.FLEET, Filters(), finished + passed
        )
        assert (document.stale, counts(document.total)) == (stale, expected)
        assert document.total.intact_target_met is (None if stale else True)


def test_without_any_sweep_all_are_unknown(district: District, tick: int) -> None:
    document = present(district.database, district.settings, Grouping.FLEET, Filters(), tick)
    assert (document.tick, document.stale) == (None, True)
    assert counts(document.total) == (0, 0, 0, 4, 0, 0)
    assert document.total.intact_rate is None


def test_a_slot_keeps_its_first_sweep(district: District, tick: int) -> None:
    sweep(district, tick, C1=Status.INTACT)
    sweep(district, tick, C1=Status.TIMEOUT)
    document = present(district.database, district.settings, Grouping.FLEET, Filters(), tick + 60)
    assert document.total.intact == 1


@pytest.mark.parametrize(
    ("critical", "expected"),
    [
        ([], Condition.UNKNOWN),
        ([SlotClass.UNKNOWN], Condition.UNKNOWN),
        ([SlotClass.SUSPENDED], Condition.UNKNOWN),
        ([SlotClass.INTACT, SlotClass.IMPAIRED], Condition.UP),
        ([SlotClass.INTACT, SlotClass.OFFLINE], Condition.DEGRADED),
        ([SlotClass.OFFLINE, SlotClass.UNKNOWN], Condition.DOWN),
        ([SlotClass.OFFLINE, SlotClass.SUSPENDED], Condition.DOWN),
    ],
)
def test_condition_of_a_room(critical: list[SlotClass], expected: Condition) -> None:
    assert condition(critical) is expected


def test_rooms(district: District, tick: int) -> None:
    sweep(
        district,
        tick,
        C1=Status.INTACT,
        C2=Status.TIMEOUT,
        E1=Status.INTACT,
        E2=Status.REFUSED,
    )
    north, south = rooms_now(district.database, district.settings, tick + 60)
    assert (north.code, north.state, north.cameras, north.cameras_intact) == (
        "N-room",
        Condition.UP,
        2,
        1,
    )
    assert (south.state, south.equipment, south.equipment_answering) == (Condition.DOWN, 1, 0)
    late = rooms_now(district.database, district.settings, tick + 86_400)
    assert {room.state for room in late} == {Condition.UNKNOWN}
