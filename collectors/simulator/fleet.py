"""The layout of the simulated fleet: which devices there are, and where each one listens.

The same (cameras, rooms, port, seed) give the same fleet on every machine, so that several
processes can each serve a slice of it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil
from random import Random
from typing import Literal

from collectors.simulator import names
from collectors.simulator.errors import LayoutError

Kind = Literal["camera", "room_equipment", "storage", "vehicle"]
Probe = Literal["onvif", "ping", "tcp", "none"]
EquipmentProbe = Literal["ping", "tcp"]

FULL_FLEET = 3292
FULL_FLEET_SMART = 1000
FIRST_ROOM_CAMERAS = 118
"""Of the full fleet the first room has exactly so many: 3.6 %, enough to break the 98 %."""

DEFAULT_ROOMS = 28
DEFAULT_PORT = 8080
USERNAME = "intact"

_MAX_CAMERAS = 999_999  # six digits of the national code number the cameras
_MAX_ROOMS = 9_999
_CENTRE = (113.27, 23.18)
_EQUIPMENT_NET, _CAMERA_NET = 8, 16  # second byte of 127.x.y.z; never 127.0, which is the host's


@dataclass(frozen=True, slots=True)
class Device:
    """One line of the register. `address` and `port` are empty where nothing listens (vehicles).

    `longitude` and `latitude` are degrees, `resolution` is "1920x1080". `leased` devices get a
    `lease_ends_on` in the register.
    """

    code: str
    name: str
    kind: Kind
    project: str
    station: str
    room: str
    contractor: str
    probe: Probe
    power_district: str = ""
    address: str = ""
    port: int | None = None
    critical: bool = False
    vendor: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""
    mac: str = ""
    longitude: float | None = None
    latitude: float | None = None
    install_address: str = ""
    position_class: int | None = None
    resolution: str = ""
    leased: bool = False
    username: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class SimulatedFleet:
    """All devices of the layout, and which slice of them this process serves.

    Device i belongs to slice i mod `slices`; a scenario is always bound to the whole fleet.
    """

    devices: tuple[Device, ...]
    port: int
    seed: int
    slice_index: int = 0
    slices: int = 1

    @cached_property
    def part(self) -> tuple[Device, ...]:
        """The devices of this slice, vehicles included."""
        return self.devices[self.slice_index :: self.slices]

    @cached_property
    def listening(self) -> tuple[Device, ...]:
        """The devices of this slice that have an address."""
        return tuple(device for device in self.part if device.address)

    @cached_property
    def cameras(self) -> tuple[Device, ...]:
        """The cameras of the whole fleet."""
        return tuple(device for device in self.devices if device.kind == "camera")

    @cached_property
    def by_code(self) -> dict[str, Device]:
        """Every device of the whole fleet."""
        return {device.code: device for device in self.devices}

    @cached_property
    def by_room(self) -> dict[str, tuple[Device, ...]]:
        """Every device of each room, vehicles (which have none) left out."""
        rooms: dict[str, list[Device]] = {}
        for device in self.devices:
            if device.room:
                rooms.setdefault(device.room, []).append(device)
        return {room: tuple(devices) for room, devices in rooms.items()}


def build_fleet(
    cameras: int = FULL_FLEET,
    rooms: int = DEFAULT_ROOMS,
    port: int = DEFAULT_PORT,
    seed: int = 1,
    *,
    equipment_probe: EquipmentProbe = "ping",
    slice_index: int = 0,
    slices: int = 1,
) -> SimulatedFleet:
    """Lay out a fleet.

    With 28 rooms these are 27 police stations and the branch's own room; with another number the
    branch's room stays the last one, and a single room is a station's.

    Raises `LayoutError` where a number is out of its range.
    """
    _check_layout(cameras, rooms, port, slice_index, slices)
    random = Random(seed)  # noqa: S311 - a reproducible layout, no secret
    places = _places(rooms, random)
    devices: list[Device] = []
    sizes = _room_sizes(cameras, rooms, random)
    smart = set(random.sample(range(cameras), round(cameras * FULL_FLEET_SMART / FULL_FLEET)))
    for place, size in zip(places, sizes, strict=True):
        first = len(devices)
        devices.extend(
            _camera(first + i, place, first + i in smart, port, seed, random) for i in range(size)
        )
    for place in places:
        devices.extend(_room_devices(place, port, equipment_probe, random))
    devices.extend(_vehicles(min(12, ceil(cameras / 250)), places))
    return SimulatedFleet(tuple(devices), port, seed, slice_index, slices)


def _check_layout(cameras: int, rooms: int, port: int, slice_index: int, slices: int) -> None:
    ranges = (
        ("cameras", cameras, 1, _MAX_CAMERAS),
        ("rooms", rooms, 1, _MAX_ROOMS),
        ("port", port, 1, 65_535),
        ("slices", slices, 1, 1_000),
        ("slice_index", slice_index, 0, max(slices, 1) - 1),
    )
    problems = [
        f"{name} = {value}: must be {low} to {high}"
        for name, value, low, high in ranges
        if not low <= value <= high
    ]
    if problems:
        raise LayoutError("\n".join(problems))


@dataclass(frozen=True, slots=True)
class _Place:
    """A room and what the devices around it have in common."""

    index: int
    station: str
    room: str
    contractor: str
    streets: tuple[str, ...]
    longitude: float
    latitude: float


def _places(rooms: int, random: Random) -> list[_Place]:
    return [_place(index, rooms > 1 and index == rooms - 1, random) for index in range(rooms)]


def _place(index: int, is_branch: bool, random: Random) -> _Place:
    station = names.BRANCH_STATION if is_branch else names.station_name(index)
    stem = "政务" if is_branch else names.STATION_STEMS[index % len(names.STATION_STEMS)]
    return _Place(
        index=index,
        station=station,
        room=names.BRANCH_ROOM if is_branch else names.room_name(station),
        contractor=names.CONTRACTORS_HD[index % len(names.CONTRACTORS_HD)],
        streets=tuple(stem + ending for ending in random.sample(names.STREET_ENDINGS, 4)),
        longitude=_CENTRE[0] + random.uniform(-0.08, 0.08),
        latitude=_CENTRE[1] + random.uniform(-0.1, 0.1),
    )


def _room_sizes(cameras: int, rooms: int, random: Random) -> list[int]:
    """Cameras of each room: the first has the average rounded up, the others differ."""
    if rooms == 1:
        return [cameras]
    first = FIRST_ROOM_CAMERAS if cameras == FULL_FLEET else ceil(cameras / rooms)
    weights = [random.uniform(0.6, 1.4) for _ in range(rooms - 1)]
    return [first, *_shared_out(cameras - first, weights)]


def _shared_out(total: int, weights: Sequence[float]) -> list[int]:
    """Whole numbers in proportion to the weights that add up to `total` (largest remainders)."""
    exact = [total * weight / sum(weights) for weight in weights]
    shares = [int(share) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: shares[i] - exact[i])
    for i in by_remainder[: total - sum(shares)]:
        shares[i] += 1
    return shares


def _address(net: int, index: int) -> str:
    """The index-th host address from 127.net.0.1 on; .0 and .255 are left out."""
    block, host = divmod(index, 254)
    return f"127.{net + block // 256}.{block % 256}.{host + 1}"


def _password(seed: int, code: str) -> str:
    return hashlib.blake2b(f"{seed}/{code}".encode(), digest_size=8).hexdigest()


def _mac(number: int) -> str:
    """A locally administered address, so that it can be no real device's."""
    return "02:" + ":".join(f"{byte:02x}" for byte in number.to_bytes(5, "big"))


def _camera(index: int, place: _Place, smart: bool, port: int, seed: int, random: Random) -> Device:
    # GB/T 28181: area code of eight digits, trade 00, type 132 (network camera), network 0, number
    code = f"{44011100 + (place.index + 1) % 100}00132{0}{index + 1:06d}"
    street, spot = random.randrange(len(place.streets)), random.choice(names.SPOTS)
    vendor, models = random.choice(names.VENDORS_SMART if smart else names.VENDORS_HD)
    install_address = f"{place.streets[street]}{random.randint(1, 300)}号{spot}"
    return Device(
        code=code,
        name=f"{install_address}{random.choice(names.DIRECTIONS)}向{index + 1:04d}",
        kind="camera",
        project=names.PROJECT_SMART if smart else names.PROJECT_HD,
        station=place.station,
        room=place.room,
        contractor=names.CONTRACTOR_SMART if smart else place.contractor,
        power_district=f"{place.station.removesuffix('派出所')}供电{street // 2 + 1}片",
        address=_address(_CAMERA_NET, index),
        port=port,
        probe="onvif",
        vendor=vendor,
        model=random.choice(models),
        serial=f"{'S' if smart else 'H'}{random.randrange(10**9):09d}",
        firmware=random.choice(("V5.5.82", "V5.6.11", "V5.7.3")),
        mac=_mac((_CAMERA_NET << 32) + index),
        longitude=round(place.longitude + random.uniform(-0.012, 0.012), 6),
        latitude=round(place.latitude + random.uniform(-0.012, 0.012), 6),
        install_address=install_address,
        position_class=random.choices((1, 2, 3), (3, 5, 2))[0],
        resolution="2560x1440" if smart else "1920x1080",
        leased=smart,
        username=USERNAME,
        password=_password(seed, code),
    )


_ROOM_DEVICES: tuple[tuple[str, str, Kind, bool, str], ...] = (
    ("SW1", "核心交换机", "room_equipment", True, "SW-5700"),
    ("DEC1", "解码器", "room_equipment", False, "DEC-16"),
    ("PC1", "监控电脑", "room_equipment", False, "PC-M9"),
    ("NVR1", "存储录像机", "storage", True, "NVR-96"),
)


def _room_devices(place: _Place, port: int, probe: EquipmentProbe, random: Random) -> list[Device]:
    first = place.index * len(_ROOM_DEVICES)
    return [
        Device(
            code=f"R{place.index + 1:02d}-{suffix}",
            name=f"{place.room}{title}",
            kind=kind,
            project=names.PROJECT_ROOMS,
            station=place.station,
            room=place.room,
            contractor=place.contractor,
            power_district=f"{place.station.removesuffix('派出所')}供电1片",
            address=_address(_EQUIPMENT_NET, first + offset),
            port=port,
            probe=probe,
            critical=critical,
            vendor="岭视",
            model=model,
            serial=f"E{random.randrange(10**9):09d}",
            mac=_mac((_EQUIPMENT_NET << 32) + first + offset),
            longitude=round(place.longitude, 6),
            latitude=round(place.latitude, 6),
            install_address=place.room,
        )
        for offset, (suffix, title, kind, critical, model) in enumerate(_ROOM_DEVICES)
    ]


def _vehicles(count: int, places: Sequence[_Place]) -> list[Device]:
    """Vehicle-mounted video: a line of the register without an address."""
    return [
        Device(
            code=f"V{number + 1:03d}",
            name=f"移动车载视频{number + 1:02d}号",
            kind="vehicle",
            project=names.PROJECT_VEHICLES,
            station=places[number % len(places)].station,
            room="",
            contractor=names.CONTRACTORS_HD[0],
            probe="none",
            vendor="海拓",
            model="HT-MV4",
        )
        for number in range(count)
    ]
