"""Addresses of a simulated fleet searched without a password."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from collectors.discovery import looking
from collectors.discovery.found import Found, Unasked
from collectors.discovery.looking import describe, look, scan
from collectors.discovery.pace import Pace
from collectors.onvif.http import Failure
from collectors.probe import Observation
from collectors.simulator.fleet import Device
from collectors.simulator.running import RunningFleet, free_port, running_fleet
from collectors.simulator.scenario import parse_scenario
from kpi.status import Status
from tests.collectors.conftest import Listening
from tests.collectors.onvif.scenarios import digest, fault

Run = Callable[[Any], Any]
TIMEOUT_S = 5.0
NOTHING_THERE = "127.99.0.1"


@pytest.fixture
def fleet() -> Any:
    with running_fleet(3, 1) as fleet:
        yield fleet


def expected(camera: Device) -> Found:
    return Found(
        camera.address,
        camera.port,
        vendor=camera.vendor,
        model=camera.model,
        serial=camera.serial,
        firmware=camera.firmware,
    )


def search(run: Run, fleet: RunningFleet, *ports: int) -> list[Found | Unasked]:
    addresses = [each.address for each in fleet.fleet.listening]
    done: list[int] = []
    found = run(scan([*addresses, NOTHING_THERE], ports, Pace(1_000), TIMEOUT_S, done.append))
    assert done == list(range(1, len(addresses) + 2))
    return list(found)


def test_cameras_are_found_and_nothing_else(run: Run, fleet: RunningFleet) -> None:
    found = search(run, fleet, free_port(), fleet.port)  # on the first port nobody listens
    by_address = {each.address: each for each in found}
    assert by_address == {camera.address: expected(camera) for camera in fleet.cameras}


def test_no_password_is_shown_to_those_that_want_one(run: Run, fleet: RunningFleet) -> None:
    fleet.use(parse_scenario(digest()))
    first, *_ = fleet.cameras
    assert run(look(first.address, [fleet.port], TIMEOUT_S)) == Found(
        first.address, fleet.port, refuses=True
    )
    fleet.use(parse_scenario(digest(clock_open=True)))  # the clock is open, the rest is not
    assert run(look(first.address, [fleet.port], TIMEOUT_S)) == Found(first.address, fleet.port)
    assert fleet.attempts(first).requests == 2
    assert fleet.attempts(first).shown == 0


def test_by_tls_on_its_port_alone(
    run: Run, fleet: RunningFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.use(parse_scenario(fault("bad_certificate")))
    camera = fleet.cameras[0]
    assert run(look(camera.address, [fleet.port], TIMEOUT_S)) is None
    monkeypatch.setattr(looking, "TLS_PORT", fleet.port)
    by_tls = replace(expected(camera), tls=True)
    assert run(look(camera.address, [fleet.port], TIMEOUT_S)) == by_tls


def test_a_fault_comes_from_a_camera_too(run: Run, listening: Listening) -> None:
    body = b"<s:Envelope xmlns:s='s'><s:Body><s:Fault/></s:Body></s:Envelope>"
    answer = b"HTTP/1.1 500 No\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)

    async def looked() -> tuple[object, object]:
        async with listening(answer) as device:
            seen = await look("127.0.0.1", [device.port], TIMEOUT_S)
            return seen, Found("127.0.0.1", device.port)

    seen, wanted = run(looked())
    assert seen == wanted


@pytest.mark.parametrize(
    "script", [b"SSH-2.0-x\r\n", b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", "close", "reset"]
)
def test_what_is_no_camera(run: Run, listening: Listening, script: bytes | str) -> None:
    async def looked() -> object:
        async with listening(script) as device:
            return await look("127.0.0.1", [device.port], TIMEOUT_S)

    assert run(looked()) is None


def test_what_cannot_be_asked_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    own_lack = Observation(Status.UNKNOWN, detail="too many open files here")

    async def unable(*_: object) -> Failure:
        return Failure(own_lack)

    monkeypatch.setattr(looking, "_ask", unable)
    assert run(look(NOTHING_THERE, [80], TIMEOUT_S)) == Unasked(NOTHING_THERE, own_lack)


def test_what_announced_itself_is_described(run: Run, fleet: RunningFleet) -> None:
    camera = fleet.cameras[0]
    announced = Found(camera.address, camera.port, name="gate", model="as announced")
    assert run(describe(announced, TIMEOUT_S)) == replace(expected(camera), name="gate")
    silent = Found(NOTHING_THERE, fleet.port, name="gate")
    assert run(describe(silent, TIMEOUT_S)) == silent
    nowhere = Found(camera.address, None)
    assert run(describe(nowhere, TIMEOUT_S)) == nowhere
