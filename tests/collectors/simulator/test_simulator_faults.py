"""Faults on real sockets, and the timeline that brings and takes them."""

import asyncio
import socket
import time

import pytest

from collectors.simulator.errors import AddressError
from collectors.simulator.fleet import Device, build_fleet
from collectors.simulator.running import RunningFleet, free_port, running_fleet
from collectors.simulator.scenario import parse_scenario
from collectors.simulator.server import SimulatorServer

GUARD_S = 30.0
SILENCE_S = 0.3


def _meet(device: Device) -> str:
    """What a client sees at a device: open, closed (by it), refused, reset, silent, no answer."""
    assert device.port is not None
    try:
        connection = socket.create_connection((device.address, device.port), SILENCE_S)
    except ConnectionRefusedError:
        return "refused"
    except TimeoutError:
        return "no answer"
    except ConnectionResetError:
        return "reset"
    with connection:
        try:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return "open" if connection.recv(100) else "closed"
        except TimeoutError:
            return "silent"
        except (ConnectionResetError, BrokenPipeError):
            return "reset"


def _wait_for(device: Device, wanted: str) -> None:
    until = time.monotonic() + GUARD_S
    while (seen := _meet(device)) != wanted:
        assert time.monotonic() < until, f"{device.code} stays {seen}, not {wanted}"
        time.sleep(0.02)


def _equipment(running: RunningFleet) -> Device:
    return running.fleet.by_code["R01-SW1"]


@pytest.mark.parametrize(
    ("kind", "at_camera", "at_equipment"),
    [
        ("refused", "refused", "refused"),
        ("outage\nlength=3600", "refused", "refused"),
        ("hang", "silent", "silent"),
        ("reset", "reset", "reset"),
        ("room_uplink", "no answer", "no answer"),
    ],
)
def test_links(running: RunningFleet, kind: str, at_camera: str, at_equipment: str) -> None:
    first, last = running.cameras[0], running.cameras[-1]
    assert first.room != last.room
    name, _, rest = kind.partition("\n")
    running.use(
        parse_scenario(f"[[fault]]\nkind='{name}'\n{rest}\nrooms=['{first.room}']\nstart=0\n")
    )
    assert _meet(first) == at_camera
    assert _meet(_equipment(running)) == at_equipment
    assert _meet(last) == "open"
    running.use(parse_scenario(""))
    assert _meet(first) == "open"
    # a healthy piece of equipment accepts and closes; with our bytes unread that may be a reset
    assert _meet(_equipment(running)) in ("closed", "reset")


def test_codes_hit_one_device(running: RunningFleet) -> None:
    running.use(parse_scenario("[[fault]]\nkind='refused'\ncodes=['R01-SW1']\n"))
    assert _meet(_equipment(running)) == "refused"
    assert _meet(running.fleet.by_code["R01-DEC1"]) != "refused"


def test_an_outage_begins_ends_and_comes_again() -> None:
    scenario = parse_scenario(
        "[[fault]]\nkind='outage'\ncameras=1\nstart=0.4\nlength=0.6\nevery=1.2\n"
    )
    with running_fleet(cameras=1, rooms=1, scenario=scenario) as running:
        camera = running.cameras[0]
        for seen in ("refused", "open", "refused", "open"):
            _wait_for(camera, seen)


def test_open_connections_end_with_the_outage(running: RunningFleet) -> None:
    camera = running.cameras[0]
    with socket.create_connection((camera.address, running.port), GUARD_S) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 404")
        running.use(parse_scenario("[[fault]]\nkind='refused'\nshare=1\n"))
        with pytest.raises(ConnectionResetError):
            connection.recv(1000)


def test_open_connections_outlive_a_dead_uplink_in_silence(running: RunningFleet) -> None:
    camera = running.cameras[0]
    request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection((camera.address, running.port), GUARD_S) as connection:
        connection.sendall(request)
        assert connection.recv(1000).startswith(b"HTTP/1.1 404")
        running.use(parse_scenario(f"[[fault]]\nkind='room_uplink'\nrooms=['{camera.room}']\n"))
        connection.settimeout(SILENCE_S)
        connection.sendall(request)
        with pytest.raises(TimeoutError):
            connection.recv(1000)
        running.use(parse_scenario(""))
        connection.settimeout(GUARD_S)
        connection.sendall(request)
        assert connection.recv(1000).startswith(b"HTTP/1.1 404")


def test_a_slice_listens_for_its_part_only() -> None:
    port = free_port()
    with running_fleet(cameras=8, rooms=2, port=port, slice_index=1, slices=3) as running:
        mine = {device.code for device in running.fleet.listening}
        for device in running.fleet.devices:
            if device.address:
                assert (_meet(device) != "refused") is (device.code in mine)
        assert 0 < len(mine) < 16


def test_an_address_lost_during_an_outage_is_reported() -> None:
    """Another program takes the address while its listener is closed: `serve` says so."""
    fleet = build_fleet(1, 1, free_port())
    camera = fleet.cameras[0]

    async def scene() -> None:
        scenario = parse_scenario("[[fault]]\nkind='outage'\ncameras=1\nlength=0.5\n")
        async with SimulatorServer(fleet, scenario) as server:
            with socket.create_server((camera.address, fleet.port)):
                async with asyncio.timeout(GUARD_S):
                    await server.serve(asyncio.Event())

    with pytest.raises(AddressError, match=f"{camera.address} port {fleet.port}: another program"):
        asyncio.run(scene())
