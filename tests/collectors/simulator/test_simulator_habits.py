"""What the odd cameras do on the wire, where the ONVIF prober cannot tell it from its answer."""

import re
import socket
import time

import pytest

from collectors.onvif import envelope
from collectors.onvif.username_token import username_token
from collectors.simulator.fleet import Device
from collectors.simulator.running import RunningFleet
from collectors.simulator.scenario import parse_scenario

GUARD_S = 20.0
SILENCE_S = 0.3
ENOUGH = 300_000
"""More bytes than any honest answer has."""


def _fault(kind: str, keys: str = "") -> str:
    return f"[[fault]]\nkind = '{kind}'\nshare = 1.0\n{keys}\n"


def _connect(camera: Device) -> socket.socket:
    assert camera.port is not None
    return socket.create_connection((camera.address, camera.port), GUARD_S)


def _request(operation: str, security: str = "") -> bytes:
    return envelope.request(envelope.Operation(operation), "camera", security=security)


def _ask(camera: Device, request: bytes) -> bytes:
    """All that comes until the camera closes, at most a little more than `ENOUGH` bytes."""
    answer = b""
    with _connect(camera) as connection:
        connection.sendall(request)
        while len(answer) < ENOUGH and (part := connection.recv(65_536)):
            answer += part
    return answer


@pytest.mark.parametrize("kind", ["oversized_body", "endless_headers"])
def test_without_end(running: RunningFleet, kind: str) -> None:
    running.use(parse_scenario(_fault(kind)))
    answer = _ask(running.cameras[0], _request("GetSystemDateAndTime"))
    assert len(answer) >= ENOUGH
    assert (b"\r\n\r\n" in answer) is (kind == "oversized_body")
    running.use(parse_scenario(""))
    assert b"</s:Envelope>" in _ask(running.cameras[0], _request("GetSystemDateAndTime"))


def test_a_reader_that_stops_does_not_fill_the_memory(running: RunningFleet) -> None:
    """What the kernel takes and 64 KiB; another reader is served meanwhile."""
    running.use(parse_scenario(_fault("oversized_body")))
    camera = running.cameras[0]
    with _connect(camera) as stopped:
        stopped.sendall(_request("GetSystemDateAndTime"))
        assert len(_ask(camera, _request("GetSystemDateAndTime"))) >= ENOUGH
        assert stopped.recv(1) == b"H"


def test_a_slow_drip_comes_in_drops_and_whole(running: RunningFleet) -> None:
    running.use(parse_scenario(_fault("empty_body") + _fault("slow_drip")))
    drops = []
    with _connect(running.cameras[0]) as connection:
        connection.sendall(_request("GetSystemDateAndTime"))
        while drop := connection.recv(65_536):
            drops.append(drop)
    assert len(drops) > 10  # nearly always one for each byte
    assert b"".join(drops).endswith(b"Content-Length: 0\r\nConnection: close\r\n\r\n")


def test_one_connection_at_a_time(running: RunningFleet) -> None:
    running.use(parse_scenario(_fault("one_at_a_time")))
    camera, request = running.cameras[0], _request("GetSystemDateAndTime")
    with _connect(camera) as first, _connect(camera) as second, _connect(camera) as third:
        for waiting in (second, third):
            waiting.sendall(request)
            waiting.settimeout(SILENCE_S)
            with pytest.raises(TimeoutError):
                waiting.recv(1)
            waiting.settimeout(GUARD_S)
        second.close()  # has gone when its turn comes
        first.sendall(request)
        assert first.recv(100).startswith(b"HTTP/1.1 200")
        assert third.recv(100).startswith(b"HTTP/1.1 200")


def test_attempts_are_counted(running: RunningFleet) -> None:
    running.use(parse_scenario(_fault("auth", "scheme = 'ws_token'")))
    camera = running.cameras[0]
    good = username_token(camera.username, camera.password, time.time())
    plain = good.replace("#PasswordDigest", "#PasswordText")
    wrong = username_token(camera.username, "guess", time.time())
    for security in ("", good, good, plain, wrong):
        _ask(camera, _request("GetSystemDateAndTime", security))
    seen = running.attempts(camera)
    assert (seen.requests, seen.shown, seen.bad, seen.plain, seen.replayed) == (5, 4, 3, 1, 1)
    running.use(parse_scenario(""))
    assert running.attempts(camera).requests == 0


def test_an_account_is_locked_after_a_few_bad_passwords(running: RunningFleet) -> None:
    running.use(parse_scenario(_fault("auth", "scheme = 'ws_token'\nlockout = 2")))
    camera = running.cameras[0]

    def show(password: str) -> bool:
        security = username_token(camera.username, password, time.time())
        return b" 200 " in _ask(camera, _request("GetSystemDateAndTime", security))[:20]

    shown = [camera.password, "guess", camera.password, "guess", camera.password]
    assert [show(password) for password in shown] == [True, False, True, False, False]


DEEP: list[tuple[str, str, str]] = [
    ("manufacturer_empty", "GetDeviceInformation", "<tds:Manufacturer></tds:Manufacturer>"),
    ("manufacturer_none", "GetDeviceInformation", "<tds:Manufacturer>NONE<"),
    ("snapshot_on_another_port", "GetSnapshotUri", r"//127[\d.]+:8081/snapshot"),
    ("credentials_in_uri", "GetStreamUri", "<tt:Uri>rtsp://admin:hunter2@127"),
    ("blank_after_uri", "GetStreamUri", " </tt:Uri>"),
    ("xaddr_elsewhere", "GetCapabilities", "<tt:XAddr>http://127.0.0.254:1/"),
    ("xaddr_elsewhere", "GetServices", "<tds:XAddr>http://127.0.0.254:1/"),
    ("misleading_refusal", "GetUsers", "ter:NotAuthorized"),
    ("profile_without_encoder", "GetProfiles", "</tt:VideoSourceConfiguration></trt:Profiles>"),
]


@pytest.mark.parametrize(("kind", "operation", "found"), DEEP)
def test_what_a_deep_inspection_will_meet(
    running: RunningFleet, kind: str, operation: str, found: str
) -> None:
    request = _request(operation)
    if operation.endswith("Uri"):
        token = b"<ProfileToken>Profile_1</ProfileToken></s:Body>"
        head, _, body = request.replace(b"</s:Body>", token).partition(b"\r\n\r\n")
        head = re.sub(rb"Content-Length: \d+", b"Content-Length: %d" % len(body), head)
        request = head + b"\r\n\r\n" + body
    camera = running.cameras[0]
    assert not re.search(found, _ask(camera, request).decode())
    running.use(parse_scenario(_fault(kind)))
    assert re.search(found, _ask(camera, request).decode())
