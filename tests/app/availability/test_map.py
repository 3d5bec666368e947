"""The map: what a window shows, by whom, and that it stays small."""

from collections.abc import Mapping
from datetime import date

import numpy as np
import pytest

from app.accounts.reach import Reach
from app.availability.map_page import FEW, MOST_CELLS, Map, bounds_of, map_now, step_of
from app.availability.map_queries import Bounds, Question, cells
from app.availability.selection import Filters
from app.errors import BadParameter
from app.evidence.recording import FinishedSweep, Recorder
from app.fleet.roster import cohorts, device_ids_by_code, roster
from collectors.probe import Observation
from collectors.sweep import SweepResult
from kpi.calendar import local_day
from kpi.status import SlotClass, Status
from tests.app.asking import Asker
from tests.app.availability.district import SLOT_S, District

SECOND = date(2026, 3, 2)
HEAD = (
    "code,name,kind,project,station,contractor,address,port,probe,commissioned_on,"
    "longitude,latitude"
)
PLACED = """\
code,longitude,latitude
C1,113.1,23.1
C2,113.1,23.1
C3,113.3,23.2
"""


@pytest.fixture
def placed(district: District) -> District:
    """C1 and C2 (North, Alpha) on one spot, C3 (South, Beta) elsewhere, C4 nowhere."""
    district.register(PLACED)
    return district


def sweep(district: District, statuses: Mapping[str, Status]) -> int:
    """Record a sweep of the second day's last slot; returns when it ended."""
    tick = district.end_of(SECOND) - 2 * SLOT_S
    with district.database.read() as session:
        codes = device_ids_by_code(session)
        members = roster(session, local_day(tick, district.settings.zone))
    seen = {codes[code]: Observation(status) for code, status in statuses.items()}
    result = SweepResult(seen, wall_s=1.0, cpu_s=0.1)
    Recorder(district.database, district.settings).record(
        FinishedSweep(tick, SLOT_S, tick + 30, result, members)
    )
    return tick + 60


def seen(
    district: District,
    now: int,
    filters: Filters | None = None,
    window: Bounds | None = None,
    state: SlotClass | None = None,
    across: int = MOST_CELLS,
) -> Map:
    chosen = filters or Filters()
    return map_now(district.database, district.settings, chosen, state, window, across, now)


STATUSES = {"C1": Status.INTACT, "C2": Status.TIMEOUT, "C3": Status.AUTH_FAILED}


def test_few_are_shown_one_by_one_in_their_state(placed: District) -> None:
    placed.suspend("C1,2026-03-02T00:00:00+08:00,,works,office")
    found = seen(placed, sweep(placed, STATUSES)).document
    assert [(each.code, each.state, each.longitude, each.latitude) for each in found.devices] == [
        ("C1", "suspended", 113.1, 23.1),
        ("C2", "offline", 113.1, 23.1),
        ("C3", "impaired", 113.3, 23.2),
    ]
    counted = (found.total, found.in_window, found.without_coordinates, found.clusters)
    assert counted == (4, 3, 1, [])
    assert not found.stale


def test_an_old_sweep_says_nothing_of_now(placed: District) -> None:
    found = seen(placed, sweep(placed, STATUSES) + 10 * SLOT_S).document
    assert found.stale
    assert {each.state for each in found.devices} == {"unknown"}


@pytest.mark.parametrize(
    ("filters", "state", "codes", "unplaced"),
    [
        (Filters(station="South"), None, ["C3"], 0),
        (Filters(contractor="Beta"), None, ["C3"], 1),
        (Filters(project="HD"), SlotClass.OFFLINE, ["C2"], 0),
        (Filters(), SlotClass.IMPAIRED, ["C3"], 0),
        (Filters(reach=Reach(station="North")), None, ["C1", "C2"], 0),
        (Filters(reach=Reach(contractor="Beta")), None, ["C3"], 1),
        (Filters(reach=Reach(station="Nowhere")), None, [], 0),
    ],
)
def test_filters_and_reach_hold_for_all_of_it(
    placed: District,
    filters: Filters,
    state: SlotClass | None,
    codes: list[str],
    unplaced: int,
) -> None:
    found = seen(placed, sweep(placed, STATUSES), filters, state=state)
    assert [each.code for each in found.document.devices] == codes
    assert found.document.without_coordinates == unplaced
    assert found.document.total == len(codes) + unplaced
    assert sum(line.devices for line in found.stations) == len(codes)


def test_stations_of_the_window_only(placed: District) -> None:
    now = sweep(placed, STATUSES)
    found = seen(placed, now, window=bounds_of("113.2,23,113.4,23.4"))
    names = [(line.name and line.name.code, line.counts) for line in found.stations]
    assert names == [("South", {"impaired": 1})]
    assert found.document.in_window == 1
    assert found.extent == seen(placed, now).window


def test_nobody_has_coordinates(district: District) -> None:
    found = seen(district, district.end_of(SECOND))
    document = found.document
    assert (found.extent, document.bbox, document.without_coordinates) == (None, None, 4)


def spread(district: District, cameras: int) -> list[tuple[float, float]]:
    """Register so many more cameras in two heaps."""
    dice = np.random.default_rng(3)
    heaps = np.array([(113.2, 23.2), (113.4, 23.3)])
    spots = heaps[np.arange(cameras) % 2] + dice.uniform(-0.02, 0.02, (cameras, 2))
    places = [(round(x, 6), round(y, 6)) for x, y in spots.tolist()]
    lines = [
        f"X{number},X{number},camera,HD,North,Alpha,127.8.0.{number % 250 + 1},{1000 + number},"
        f"onvif,2026-03-01,{x},{y}"
        for number, (x, y) in enumerate(places)
    ]
    district.register("\n".join([HEAD, *lines]) + "\n")
    return places


@pytest.mark.parametrize("across", [2, 7, MOST_CELLS])
def test_cells_hold_what_a_loop_counts(district: District, across: int) -> None:
    places = spread(district, 3 * FEW)
    now = district.end_of(SECOND)
    window = bounds_of("113.1,23.1,113.5,23.4")
    step = step_of(0.4, across)
    naive: dict[tuple[int, int], int] = {}
    for x, y in places:
        cell = round((x + 180) * 1e6) // step, round((y + 90) * 1e6) // step
        naive[cell] = naive.get(cell, 0) + 1
    with district.database.read() as session:
        cohort_ids = [cohort.id for cohort in cohorts(session)]
        question = Question(cohort_ids, SECOND, now, stale=True)
        found = cells(session, question, window, step)
    assert {(row.column, row.row): row.devices for row in found} == naive


@pytest.mark.parametrize("across", [2, 7, MOST_CELLS])
def test_clusters_hold_all_and_stay_apart(district: District, across: int) -> None:
    spread(district, 3 * FEW)
    found = seen(district, district.end_of(SECOND), across=across).document
    assert len(found.clusters) + len(found.devices) <= (across + 1) ** 2
    assert sum(each.devices for each in found.clusters) + len(found.devices) == 3 * FEW
    assert found.clusters
    for each in found.clusters:
        west, south, east, north = each.bounds
        assert west <= each.longitude <= east
        assert south <= each.latitude <= north
        assert sum(each.counts.values()) == each.devices


def test_no_edge_of_a_cell_parts_what_stands_together(district: District) -> None:
    step = step_of(1.0, MOST_CELLS) / 1e6
    edge = round((180 + 113) / step) * step - 180
    spot = [
        f"X{n},X{n},camera,HD,North,Alpha,127.8.1.{n},80,onvif,2026-03-01,"
        f"{edge + (0.001 if n % 2 else -0.001):.6f},23.501"
        for n in range(1, 2 * FEW + 1)
    ]
    district.register("\n".join([HEAD, *spot]) + "\n")
    found = seen(district, district.end_of(SECOND), window=bounds_of("112.6,23,113.6,24"))
    assert [each.devices for each in found.document.clusters] == [2 * FEW]


def test_a_heap_on_one_spot_is_parted_in_the_smallest_window(district: District) -> None:
    spot = [
        f"X{n},X{n},camera,HD,North,Alpha,127.8.1.{n},80,onvif,2026-03-01,113.2,23.2"
        for n in range(1, 2 * FEW + 1)
    ]
    district.register("\n".join([HEAD, *spot]) + "\n")
    now = district.end_of(SECOND)
    wide = seen(district, now, window=bounds_of("113,23,114,24")).document
    assert [each.devices for each in wide.clusters] == [2 * FEW]
    close = seen(district, now, window=bounds_of("113.1995,23.1995,113.2005,23.2005")).document
    assert len(close.devices) == 2 * FEW


@pytest.mark.parametrize(
    "text", ["", "1,2,3", "a,b,c,d", "3,1,2,4", "1,4,2,3", "nan,1,2,3", "-181,0,0,1"]
)
def test_a_window_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadParameter, match="bbox"):
        bounds_of(text)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 200),
        ("bbox=113,23,114,24&across=5&state=offline&kind=camera", 200),
        ("bbox=&state=&station=", 200),
        ("bbox=1", 422),
        ("state=broken", 422),
        ("across=99", 422),
        ("station=Elsewhere", 404),
    ],
)
@pytest.mark.parametrize("path", ["/map", "/map/live", "/api/v1/map"])
def test_what_may_be_asked(
    client: Asker, placed: District, path: str, query: str, status: int
) -> None:
    assert client.get(f"{path}?{query}").status_code == status


def test_the_page_leads_to_those_without_coordinates(client: Asker, placed: District) -> None:
    assert 'href="/devices?kind=camera&amp;unplaced=true"' in client.get("/map?kind=camera").text
    page = client.get("/devices?kind=camera&unplaced=true").text
    assert "Roof" in page
    assert "Gate" not in page
    rows = client.get("/devices.csv?unplaced=true").text.splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == ["C4"]


def test_the_page_says_what_to_do_without_coordinates(client: Asker, district: District) -> None:
    page = client.get("/map?lang=en").text
    assert "None of these has coordinates" in page
    assert "data-map" not in page
