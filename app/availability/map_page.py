"""The map: cameras where they stand, in clusters where they stand close, as they are now.

A window shows single devices when they are few, else the cells of a grid, each with its devices by
class. The answer has at most some hundred of them, whatever the fleet's size.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil, dist, log2

from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from app.availability import map_queries
from app.availability.instant import is_stale
from app.availability.map_queries import Bounds, CellRow, DeviceSpot, Question
from app.availability.selection import Filters, Selection, select_devices
from app.config import Settings
from app.database import Database
from app.errors import BadParameter
from app.evidence.queries import last_sweep
from app.fleet.roster import Grouping, GroupName
from app.web.words import class_name
from kpi.calendar import local_day
from kpi.status import SlotClass

FEW = 40
"""So many devices are shown one by one."""
MOST = 400
"""So many are shown one by one in the smallest windows, which need not be parted any more."""
SMALLEST = 0.002
"""Degrees, some 200 m."""
MOST_CELLS = 20
USUAL_CELLS = 12
"""In a row of the window."""
APART = 0.6
"""Clusters nearer than this part of a cell are one."""
MARGIN = 0.04
"""Around all devices, of their extent."""
STATES = (
    SlotClass.OFFLINE,
    SlotClass.IMPAIRED,
    SlotClass.UNKNOWN,
    SlotClass.SUSPENDED,
    SlotClass.INTACT,
)
"""Classes that a device may be in now, worst first."""

Counts = dict[str, int]
"""State → devices; states without any are left out."""


class MapCluster(BaseModel):
    """Devices that stand close: their middle, their extent, how many are in which state."""

    longitude: float
    latitude: float
    bounds: tuple[float, float, float, float] = Field(description="West, south, east, north")
    devices: int
    counts: Counts


class MapDevice(BaseModel):
    """One device."""

    code: str
    name: str
    longitude: float
    latitude: float
    state: str


class MapDocument(BaseModel):
    """What a window shows; without a window asked for, that of all devices."""

    tick: str | None = Field(description="The last finished sweep")
    stale: bool = Field(description="It is too old to say anything of now")
    bbox: tuple[float, float, float, float] | None = Field(
        description="West, south, east, north; null where no device has coordinates"
    )
    total: int = Field(description="Devices that are asked for, in the window or not")
    in_window: int
    without_coordinates: int
    clusters: list[MapCluster]
    devices: list[MapDevice]


@dataclass(frozen=True, slots=True)
class StationLine:
    """A station's devices in the window; no name: those that belong to none."""

    name: GroupName | None
    devices: int
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Map:
    """What the page shows: the answer of the interface, and the stations in the window."""

    document: MapDocument
    window: Bounds | None
    extent: Bounds | None
    stations: Sequence[StationLine]


def bounds_of(text: str) -> Bounds:
    """A window as an address says it. Raises `BadParameter`."""
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise BadParameter(
            "bbox", "must be west,south,east,north in degrees, such as 113.1,23.0,113.4,23.3"
        ) from None
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise BadParameter(
            "bbox", "west must be less than east, south than north, within ±180 and ±90 degrees"
        )
    return Bounds(west, south, east, north)


def zoomed(cluster: MapCluster) -> Bounds:
    """The window that a cluster fills."""
    return _with_margin(Bounds(*cluster.bounds))


def map_now(
    database: Database,
    settings: Settings,
    filters: Filters,
    state: SlotClass | None,
    wanted: Bounds | None,
    across: int,
    now: int,
) -> Map:
    """The devices of a window, `across` cells in its longer side.

    `wanted` None: all that have coordinates. Raises `NotFound` for an unknown code.
    """
    with database.read() as session:
        selection = select_devices(session, Grouping.STATION, filters)
        sweep = last_sweep(session)
        stale = sweep is None or is_stale(sweep, now)
        at = now if sweep is None or stale else sweep.tick
        day = local_day(at, settings.zone)
        question = Question(selection.cohorts.keys(), day, at, stale, state)
        whole = map_queries.extent(session, question)
        extent = None if whole is None else _with_margin(whole)
        window = wanted or extent
        placed = map_queries.counts_of_places(session, question, window)
        unplaced = map_queries.count_unplaced(session, question)
        inside = sum(count for (_cohort, _class, is_in), count in placed.items() if is_in)
        clusters, devices = _shown(session, question, window, inside, across)
    told = None if sweep is None else datetime.fromtimestamp(sweep.tick, settings.zone).isoformat()
    document = MapDocument(
        tick=told,
        stale=stale,
        bbox=window and (window.west, window.south, window.east, window.north),
        total=sum(placed.values()) + unplaced,
        in_window=inside,
        without_coordinates=unplaced,
        clusters=clusters,
        devices=devices,
    )
    return Map(document, window, extent, _stations(selection, placed))


def _with_margin(whole: Bounds) -> Bounds:
    """A little more on each side, and never less than the smallest window."""
    x, y = (
        max(MARGIN * (high - low), (SMALLEST - (high - low)) / 2, 0.0001)
        for low, high in ((whole.west, whole.east), (whole.south, whole.north))
    )
    return Bounds(
        max(-180.0, whole.west - x),
        max(-90.0, whole.south - y),
        min(180.0, whole.east + x),
        min(90.0, whole.north + y),
    )


def _shown(
    session: Session, question: Question, window: Bounds | None, inside: int, across: int
) -> tuple[list[MapCluster], list[MapDevice]]:
    if window is None or not inside:
        return [], []
    span = max(window.east - window.west, window.north - window.south)
    if inside <= FEW or (inside <= MOST and span <= SMALLEST):
        return [], _devices(map_queries.devices_in(session, question, window, MOST))
    step = step_of(span, across)
    return _clusters(map_queries.cells(session, question, window, step), step)


def step_of(span: float, across: int) -> int:
    """Millionths of a degree of a cell: a power of two, so that a small zoom moves no edge."""
    least = span * map_queries.MICRODEGREES / across
    return 1 << max(0, ceil(log2(max(least, 1.0))))


def _clusters(rows: Iterable[CellRow], step: int) -> tuple[list[MapCluster], list[MapDevice]]:
    """The heaps; one of a single device is that device."""
    clusters, single = [], []
    for parts in _heaps(rows, step):
        devices = sum(part.devices for part in parts)
        x, y = _middle(parts)
        if devices == 1:
            only = parts[0]
            single.append(DeviceSpot(only.code, only.name, x, y, only.slot_class))
            continue
        bounds = (
            min(part.west for part in parts),
            min(part.south for part in parts),
            max(part.east for part in parts),
            max(part.north for part in parts),
        )
        counts: Counts = defaultdict(int)
        for part in parts:
            counts[class_name(SlotClass(part.slot_class))] += part.devices
        clusters.append(
            MapCluster(
                longitude=round(x, 6),
                latitude=round(y, 6),
                bounds=bounds,
                devices=devices,
                counts=dict(counts),
            )
        )
    return clusters, _devices(single)


def _heaps(rows: Iterable[CellRow], step: int) -> list[list[CellRow]]:
    """The cells, each joined to a larger neighbour where an edge parts what stands together."""
    by_cell: dict[tuple[int, int], list[CellRow]] = defaultdict(list)
    for row in rows:
        by_cell[row.column, row.row].append(row)
    heaps: dict[tuple[int, int], list[CellRow]] = {}
    near = APART * step / map_queries.MICRODEGREES
    for cell in sorted(
        by_cell, key=lambda cell: (-sum(row.devices for row in by_cell[cell]), cell)
    ):
        x, y = _middle(by_cell[cell])
        around = ((cell[0] + i, cell[1] + j) for i in (-1, 0, 1) for j in (-1, 0, 1))
        larger = (heaps[each] for each in around if each in heaps)
        joined = next((heap for heap in larger if dist(_middle(heap), (x, y)) < near), None)
        if joined is None:
            heaps[cell] = by_cell[cell]
        else:
            joined.extend(by_cell[cell])
    return list(heaps.values())


def _middle(parts: Sequence[CellRow]) -> tuple[float, float]:
    devices = sum(part.devices for part in parts)
    longitude = sum(part.longitudes for part in parts) / devices
    return longitude, sum(part.latitudes for part in parts) / devices


def _devices(spots: Iterable[DeviceSpot]) -> list[MapDevice]:
    return [
        MapDevice(
            code=spot.code,
            name=spot.name,
            longitude=spot.longitude,
            latitude=spot.latitude,
            state=class_name(SlotClass(spot.slot_class)),
        )
        for spot in spots
    ]


def _stations(
    selection: Selection, placed: Mapping[tuple[int, SlotClass, bool], int]
) -> list[StationLine]:
    """The stations that have devices in the window, the most failing first."""
    counts: dict[int | None, Counts] = defaultdict(lambda: defaultdict(int))
    for (cohort_id, slot_class, is_in), count in placed.items():
        if is_in:
            counts[selection.group_of(cohort_id)][class_name(slot_class)] += count
    lines = [
        StationLine(selection.name_of(group), sum(each.values()), dict(each))
        for group, each in counts.items()
    ]

    def order(line: StationLine) -> tuple[int, int, str]:
        failing = line.counts.get("offline", 0) + line.counts.get("impaired", 0)
        return -failing, -line.devices, line.name.name if line.name else "\U0010ffff"

    return sorted(lines, key=order)
