"""The layout: how many of what, the same each time, and in slices."""

import ipaddress
from collections import Counter

import pytest

from collectors.simulator.errors import LayoutError
from collectors.simulator.fleet import build_fleet


def test_full_fleet_is_the_districts() -> None:
    fleet = build_fleet()
    assert Counter(camera.project for camera in fleet.cameras) == {
        "高清摄像枪续建": 2292,
        "智能识别摄像枪": 1000,
    }
    assert len(fleet.by_room) == 28
    assert len({device.station for device in fleet.devices if "派出所" in device.station}) == 27
    assert "分局8楼视频专网机房" in fleet.by_room
    per_room = Counter(camera.room for camera in fleet.cameras)
    assert per_room["青石派出所监控室"] == 118
    assert len(per_room) == 28


def test_codes_names_and_addresses_are_unique() -> None:
    fleet = build_fleet()
    for values in (
        [device.code for device in fleet.devices],
        [device.name for device in fleet.devices],
        [device.address for device in fleet.devices if device.address],
        [device.mac for device in fleet.devices if device.mac],
    ):
        assert len(set(values)) == len(values)


def test_cameras_look_like_the_register_of_an_office() -> None:
    for camera in build_fleet(300, 5).cameras:
        assert len(camera.code) == 20
        assert camera.code.startswith("440111")
        assert camera.code[10:13] == "132"
        assert abs((camera.longitude or 0) - 113.27) < 0.2
        assert abs((camera.latitude or 0) - 23.18) < 0.2
        assert camera.position_class in (1, 2, 3)
        assert camera.leased == (camera.project == "智能识别摄像枪")


def test_every_room_has_critical_equipment_and_one_storage() -> None:
    for devices in build_fleet(50, 7).by_room.values():
        kinds = Counter(device.kind for device in devices)
        assert kinds["room_equipment"] >= 3
        assert kinds["storage"] == 1
        assert any(device.critical for device in devices if device.kind == "room_equipment")


def test_vehicles_have_no_address_and_no_probe() -> None:
    vehicles = [device for device in build_fleet(50, 3).devices if device.kind == "vehicle"]
    assert vehicles
    assert {(vehicle.address, vehicle.port, vehicle.probe) for vehicle in vehicles} == {
        ("", None, "none")
    }


def test_addresses_are_loopback_but_never_the_hosts_own() -> None:
    for device in build_fleet(70_000, 3).devices:
        if device.address:
            address = ipaddress.IPv4Address(device.address)
            assert address.is_loopback
            assert address not in ipaddress.IPv4Network("127.0.0.0/16")
            assert address.packed[3] not in (0, 255)


@pytest.mark.parametrize(("cameras", "rooms"), [(1, 1), (1, 5), (7, 3), (330, 28), (5000, 40)])
def test_other_sizes_add_up(cameras: int, rooms: int) -> None:
    fleet = build_fleet(cameras, rooms)
    assert len(fleet.cameras) == cameras
    assert len(fleet.by_room) == rooms


def test_equipment_is_pinged_unless_asked_otherwise() -> None:
    probes = {
        wanted: {device.probe for device in fleet.devices if device.kind == "storage"}
        for wanted, fleet in (
            ("default", build_fleet(3, 2)),
            ("tcp", build_fleet(3, 2, equipment_probe="tcp")),
        )
    }
    assert probes == {"default": {"ping"}, "tcp": {"tcp"}}


def test_same_seed_same_fleet() -> None:
    assert build_fleet(200, 6, seed=7) == build_fleet(200, 6, seed=7)
    assert build_fleet(200, 6, seed=7) != build_fleet(200, 6, seed=8)


def test_slices_share_the_fleet_out() -> None:
    whole = build_fleet(200, 6, seed=7)
    parts = [build_fleet(200, 6, seed=7, slice_index=i, slices=3).part for i in range(3)]
    shared_out = sorted((device for part in parts for device in part), key=lambda d: d.code)
    assert shared_out == sorted(whole.devices, key=lambda d: d.code)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"cameras": 0}, "cameras = 0: must be 1 to 999999"),
        ({"cameras": 1_000_000}, "cameras = 1000000"),
        ({"rooms": 0}, "rooms = 0: must be 1"),
        ({"port": 65_536}, "port = 65536: must be 1 to 65535"),
        ({"slices": 2, "slice_index": 2}, "slice_index = 2: must be 0 to 1"),
    ],
)
def test_impossible_layouts_are_refused(wrong: dict[str, int], message: str) -> None:
    with pytest.raises(LayoutError, match=message):
        build_fleet(**wrong)  # type: ignore[arg-type]  # wrong on purpose


def test_passwords_stay_out_of_representations() -> None:
    camera = build_fleet(1, 1).cameras[0]
    assert camera.password
    assert camera.password not in repr(camera)
