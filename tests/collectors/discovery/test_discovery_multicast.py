"""WS-Discovery over real multicast on loopback: cameras, and what else may answer."""

from collections.abc import Callable, Sequence
from ipaddress import ip_network
from typing import Any

import pytest

from collectors.discovery import multicast
from collectors.discovery.found import Found
from collectors.simulator.announcing import Announcer, Stray, matches
from collectors.simulator.fleet import build_fleet
from collectors.simulator.running import free_port

Run = Callable[[Any], Any]
WAIT_S = 1.0
SCOPE = "onvif://www.onvif.org/name/stray"
NETWORKS = (ip_network("127.0.0.0/28"), ip_network("127.16.0.0/24"), ip_network("127.30.0.0/24"))
CAMERAS = build_fleet(3, 1, port=8081).cameras


def good(message: str) -> bytes:
    return matches(message, "http://127.30.0.9/onvif/device_service", SCOPE)


STRAYS = {
    "malformed": Stray("127.30.0.1", lambda _: b"<s:Envelope"),
    "empty": Stray("127.30.0.2", lambda _: b""),
    "oversized": Stray("127.30.0.3", lambda message: good(message) + b" " * 40_000),
    "DTD": Stray("127.30.0.4", lambda message: b"<!DOCTYPE x []>" + good(message)[38:]),
    "to another's probe": Stray("127.30.0.5", lambda _: good("urn:uuid:another")),
    "printer": Stray("127.30.0.6", lambda message: matches(message, "", "", "p:Printer")),
    "from outside": Stray("127.31.0.1", good),
}


def found(run: Run, strays: Sequence[Stray] = (), networks: Any = NETWORKS) -> list[Found]:
    port = free_port()

    async def searching() -> list[Found]:
        async with Announcer(CAMERAS, port, strays) as announcer:
            answers = await multicast.search(networks, WAIT_S, port=port)
            assert len(announcer.probes) == (4 if networks else 0)  # two questions, each twice
        return answers

    answers: list[Found] = run(searching())
    return answers


def test_cameras_answer_and_strays_are_ignored(run: Run) -> None:
    assert found(run, list(STRAYS.values())) == [
        Found(
            camera.address,
            8081,
            name=camera.name,
            model=camera.model,
            location=camera.install_address,
        )
        for camera in CAMERAS
    ]


def test_the_first_answer_of_an_address_counts(run: Run) -> None:
    twice = [
        Stray("127.30.0.7", lambda message: matches(message, "http://x:81/", SCOPE)),
        Stray("127.30.0.7", lambda message: matches(message, "http://x:82/", SCOPE)),
    ]
    assert Found("127.30.0.7", 81, name="stray") in found(run, twice)


def test_answers_are_bounded_in_number(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multicast, "MAX_DEVICES", 2)
    assert len(found(run)) == 2
    monkeypatch.setattr(multicast, "MAX_ANSWERS", 1)
    assert len(found(run)) == 1


def test_nobody_is_asked_outside_the_networks(run: Run) -> None:
    assert multicast.own_addresses(NETWORKS) == ["127.0.0.1"]
    assert multicast.own_addresses([ip_network("127.16.0.0/24"), ip_network("fd00::/8")]) == []
    assert found(run, networks=()) == []
