"""`intact probe`, step by step: which step fails, and that it says what to do."""

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from collectors.diagnosis import Step, diagnose
from collectors.icmp import can_ping
from collectors.probe import ProbeMethod, Target

Run = Callable[[Any], Any]


def http(code: int, body: str = "", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {code} Some", *headers, f"Content-Length: {len(body)}", "", body]
    return "\r\n".join(lines).encode()


def dated(offset_s: float = 0) -> bytes:
    now = datetime.now(UTC) + timedelta(seconds=offset_s)
    names = ("Year", "Month", "Day", "Hour", "Minute", "Second")
    fields = "".join(f"<{name}>{getattr(now, name.lower())}</{name}>" for name in names)
    return answer("GetSystemDateAndTime", f"<UTCDateTime><Date>{fields}</Date></UTCDateTime>")


def answer(operation: str, inside: str = "") -> bytes:
    body = f"<Envelope><Body><{operation}Response>{inside}</{operation}Response></Body></Envelope>"
    return http(200, body)


def camera(*, open_to_all: bool = False, password: str = "") -> Callable[[bytes], bytes]:
    """Tells its time to all, its description for `password` (HTTP digest, RFC 2069)."""

    def serve(request: bytes) -> bytes:
        if b"GetSystemDateAndTime" in request:
            return dated()
        if open_to_all or _knows(request, password):
            return answer("GetDeviceInformation")
        return http(401, "", 'WWW-Authenticate: Digest realm="r", nonce="n"')

    return serve


def _knows(request: bytes, password: str) -> bool:
    ha1 = hashlib.md5(f"admin:r:{password}".encode(), usedforsecurity=False).hexdigest()
    ha2 = hashlib.md5(b"POST:/onvif/device_service", usedforsecurity=False).hexdigest()
    expected = hashlib.md5(f"{ha1}:n:{ha2}".encode(), usedforsecurity=False).hexdigest()
    return bool(re.search(rf'response="{expected}"'.encode(), request))


def outcome(steps: list[Step]) -> list[tuple[str, bool]]:
    return [(step.name.split(" to ")[0], step.ok) for step in steps]


def diagnosed(run: Run, listening: Any, script: Any, **target: Any) -> list[Step]:
    async def scenario() -> list[Step]:
        async with listening(script) as device:
            return await diagnose(device.target(**target), timeout_s=0.5)

    steps = run(scenario())
    assert isinstance(steps, list)
    return steps


TCP, HTTP, ONVIF = ("TCP connection", True), ("HTTP answer", True), ("ONVIF answer", True)

CASES: dict[str, tuple[Callable[[], Any], list[tuple[str, bool]]]] = {
    "healthy": (lambda: dated(), [TCP, HTTP, ONVIF, ("Clock", True)]),
    "clock wrong": (lambda: dated(7200), [TCP, HTTP, ONVIF, ("Clock", False)]),
    "no UTC": (lambda: answer("GetSystemDateAndTime"), [TCP, HTTP, ONVIF, ("Clock", True)]),
    "hangs": (lambda: "hang", [TCP, ("HTTP answer", False)]),
    "closes": (lambda: "close", [TCP, ("HTTP answer", False)]),
    "no HTTP": (lambda: b"SSH-2.0\r\n", [TCP, ("HTTP answer", False)]),
    "404": (lambda: http(404), [TCP, HTTP, ("ONVIF answer", False)]),
    "wants a password": (lambda: http(401), [TCP, HTTP, ("ONVIF answer", False)]),
}


@pytest.mark.parametrize(("script", "expected"), CASES.values(), ids=CASES.keys())
def test_the_steps_of_an_onvif_camera(
    run: Run, listening: Any, script: Callable[[], Any], expected: list[tuple[str, bool]]
) -> None:
    made = script()
    steps = diagnosed(run, listening, [made] if isinstance(made, bytes) else made)
    assert outcome(steps) == expected
    assert all(step.detail for step in steps)
    assert all(step.remedy for step in steps if not step.ok)


@pytest.mark.parametrize(
    ("device", "password", "ok", "detail"),
    [
        (camera(password="secret"), "secret", True, "HTTP digest"),
        (camera(password="secret"), "wrong", False, "refuses"),
        (camera(open_to_all=True), "any", True, "proves nothing"),
    ],
)
def test_the_password_is_tried_where_a_name_is_given(
    run: Run, listening: Any, device: Any, password: str, ok: bool, detail: str
) -> None:
    steps = diagnosed(run, listening, [device], username="admin", password=password)
    assert outcome(steps) == [TCP, HTTP, ONVIF, ("Clock", True), ("Password", ok)]
    assert detail in steps[-1].detail
    assert ok or "locked" in steps[-1].remedy


@pytest.mark.parametrize("method", [ProbeMethod.TCP, ProbeMethod.ONVIF])
def test_nothing_listens(run: Run, closed_port: int, method: ProbeMethod) -> None:
    steps = run(diagnose(Target(1, "127.0.0.1", closed_port, method)))
    assert outcome(steps) == [("TCP connection", False)]
    assert "check the port" in steps[0].remedy


def test_tcp_ends_with_the_connection(run: Run, listening: Any) -> None:
    assert outcome(diagnosed(run, listening, "hang", method=ProbeMethod.TCP)) == [TCP]


def test_ping(run: Run) -> None:
    steps = run(diagnose(Target(1, "127.0.0.1", 0, ProbeMethod.PING)))
    assert outcome(steps) == [("Ping", can_ping())]
