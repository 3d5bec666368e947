"""What the ONVIF prober says of each way in which a camera may answer, over real sockets."""

import asyncio
import gzip
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from collectors.onvif.prober import OnvifProber
from collectors.probe import Observation, ProbeMethod, Target
from kpi.status import Status

Run = Callable[[Any], Any]

_NAMESPACES = (
    'xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:d="http://www.onvif.org/ver10/device/wsdl" xmlns:t="http://www.onvif.org/ver10/schema"'
)


def utc(offset_s: float = 0.0) -> str:
    now = datetime.now(UTC) + timedelta(seconds=offset_s)
    return (
        f"<t:UTCDateTime><t:Time><t:Hour>{now.hour}</t:Hour><t:Minute>{now.minute}</t:Minute>"
        f"<t:Second>{now.second}</t:Second></t:Time><t:Date><t:Year>{now.year}</t:Year>"
        f"<t:Month>{now.month}</t:Month><t:Day>{now.day}</t:Day></t:Date></t:UTCDateTime>"
    )


def envelope(inside: str) -> str:
    return f"<s:Envelope {_NAMESPACES}><s:Body>{inside}</s:Body></s:Envelope>"


def dated(inside: str) -> str:
    return envelope(
        f"<d:GetSystemDateAndTimeResponse><d:SystemDateAndTime>{inside}</d:SystemDateAndTime>"
        "</d:GetSystemDateAndTimeResponse>"
    )


def fault(subcode: str = "ter:ActionNotSupported") -> str:
    return envelope(
        '<s:Fault xmlns:ter="http://www.onvif.org/ver10/error"><s:Code><s:Value>s:Sender</s:Value>'
        f"<s:Subcode><s:Value>{subcode}</s:Value></s:Subcode></s:Code>"
        '<s:Reason><s:Text xml:lang="en">secret reason</s:Text></s:Reason></s:Fault>'
    )


def http(body: str | bytes, code: str = "200 OK", *headers: str, version: str = "1.1") -> bytes:
    payload = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/{version} {code}", *headers, f"Content-Length: {len(payload)}", "", ""]
    return "\r\n".join(lines).encode() + payload


def chunked(body: str) -> bytes:
    pieces = [body[start : start + 50].encode() for start in range(0, len(body), 50)]
    stream = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*pieces, b""])
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + stream


def to_close(body: str, version: str = "1.0") -> bytes:
    return f"HTTP/{version} 200 OK\r\nConnection: close\r\n\r\n{body}".encode()


def good() -> bytes:
    return http(dated(utc()))


async def observe(
    listening: Any,
    *scripts: Any,
    timeout_s: float = 5.0,
    prober: OnvifProber | None = None,
    **target: Any,
) -> Observation:
    async with listening(*scripts) as camera:
        deadline = asyncio.get_running_loop().time() + timeout_s
        observation = await (prober or OnvifProber())(camera.target(**target), deadline)
        assert isinstance(observation, Observation)
        return observation


def date_first(body: str) -> str:
    time, date = body.index("<t:Time>"), body.index("<t:Date>")
    end = body.index("</t:UTCDateTime>")
    return body[:time] + body[date:end] + body[time:date] + body[end:]


# Made when the test runs: they hold the present time.
INTACT_WITH_OFFSET: dict[str, Callable[[], Any]] = {
    "healthy": good,
    "chunked": lambda: chunked(dated(utc())),
    "HTTP/1.0, body to the close": lambda: to_close(dated(utc())),
    "announces the close, leaves the socket open": lambda: [
        http(dated(utc()), "200 OK", "Connection: close"),
        "open",
    ],
    "neither length nor close": lambda: [to_close(dated(utc())), "open"],
    "continue first": lambda: b"HTTP/1.1 100 Continue\r\n\r\n" + good(),
    "in two pieces": lambda: [good()[:200], good()[200:]],
    "default namespace, no prefixes": lambda: http(
        dated(utc()).replace("t:", "").replace("xmlns:t=", "xmlns=")
    ),
    "children in the wrong namespace": lambda: http(
        dated(utc()).replace("<t:", "<d:").replace("</t:", "</d:")
    ),
    "elements in another order": lambda: http(date_first(dated(utc()))),
    "undeclared prefixes": lambda: http(
        dated(utc()).replace(' xmlns:t="http://www.onvif.org/ver10/schema"', "")
    ),
    "invalid UTF-8": lambda: http(
        dated(utc()).encode().replace(b"</s:Body>", b"<d:Name>\xff\xfe</d:Name></s:Body>")
    ),
    "a declaration that lies": lambda: http(
        '<?xml version="1.0" encoding="utf-16"?>' + dated(utc())
    ),
    "gzip that nobody asked for": lambda: http(
        gzip.compress(dated(utc()).encode()), "200 OK", "Content-Encoding: gzip"
    ),
    "gzip that nobody declared": lambda: http(gzip.compress(dated(utc()).encode())),
    "deflate": lambda: http(
        zlib.compress(dated(utc()).encode()), "200 OK", "Content-Encoding: deflate"
    ),
    "numbers with blanks": lambda: http(dated(utc()).replace("<t:Hour>", "<t:Hour> ")),
    "garbage after the answer": lambda: good() + b"trailing",
}


@pytest.mark.parametrize("script", INTACT_WITH_OFFSET.values(), ids=INTACT_WITH_OFFSET.keys())
def test_a_living_camera_is_intact_and_tells_its_clock(
    run: Run, listening: Any, script: Callable[[], Any]
) -> None:
    for _ in range(2):  # the second is read by its skeleton
        observation = run(observe(listening, script()))
        assert observation.status is Status.INTACT, observation
        assert observation.latency_ms > 0
        assert observation.clock_offset_s == pytest.approx(0, abs=5)


INTACT_WITHOUT_OFFSET = {
    "local time only": dated(utc().replace("UTCDateTime", "LocalDateTime")),
    "local time and an odd zone": dated(
        "<t:TimeZone><t:TZ>CST+7:00:00DST01:00:00,M3.2.0/02:00:00</t:TZ></t:TimeZone>"
        + utc().replace("UTCDateTime", "LocalDateTime")
    ),
    "impossible date": dated(utc().replace("<t:Month>", "<t:Month>9")),
    "day nought": dated(utc().replace("<t:Day>", "<t:Day>-")),
    "no numbers": dated("<t:UTCDateTime><t:Time/><t:Date/></t:UTCDateTime>"),
    "no time at all": dated(""),
}


@pytest.mark.parametrize("body", INTACT_WITHOUT_OFFSET.values(), ids=INTACT_WITHOUT_OFFSET.keys())
def test_a_clock_that_cannot_be_read_is_no_fault(run: Run, listening: Any, body: str) -> None:
    observation = run(observe(listening, http(body)))
    assert observation.status is Status.INTACT
    assert observation.clock_offset_s is None


@pytest.mark.parametrize(
    ("offset", "tolerance", "status"),
    [
        (3600, 10, Status.CLOCK_WRONG),
        (-3600, 10, Status.CLOCK_WRONG),
        (60, 10, Status.CLOCK_WRONG),
        (60, 120, Status.INTACT),
        (-60, 120, Status.INTACT),
    ],
)
def test_a_clock_beyond_the_tolerance_is_flagged(
    run: Run,
    listening: Any,
    offset: float,
    tolerance: float,
    status: Status,
) -> None:
    script = http(dated(utc(offset)))
    observation = run(observe(listening, script, prober=OnvifProber(tolerance)))
    assert observation.status is status
    assert observation.clock_offset_s == pytest.approx(offset, abs=5)


SERVICE_FAULTS: dict[str, Any] = {
    "empty body": http(""),
    "blank body": http(" \r\n"),
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "a stack trace": http("Traceback (most recent call last):\n  <module>\nValueError"),
    "an HTML page": http("<html><body>Welcome</body></html>"),
    "another operation's answer": http(envelope("<d:GetServicesResponse/>")),
    "fault in 200": http(fault()),
    "fault in 400": http(fault(), "400 Bad Request"),
    "fault in 500, code misspelt": http(fault("env:Reveiver"), "500 Internal Server Error"),
    "404": http("<html>not here</html>", "404 Not Found"),
    "400, empty": http("", "400 Bad Request"),
    "403 with a fault of another kind": http(fault(), "403 Forbidden"),
    "a good answer under 500": http(dated(utc()), "500 Internal Server Error"),
    "redirect": http("", "302 Found", "Location: http://127.0.0.2/onvif/device_service"),
    "a DOCTYPE": http(f'<!DOCTYPE x [<!ENTITY e "v">]>{dated(utc())}'),
    "a DOCTYPE in UTF-16": http(f"<!DOCTYPE x>{dated(utc())}".encode("utf-16")),
    "not HTTP": b"SSH-2.0-dropbear\r\n",
    "an upgrade": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "truncated body": good()[:-40],
    "truncated body without length": to_close(dated(utc()))[:-40],
    "truncated header": b"HTTP/1.1 200 OK\r\nContent-",
    "bad gzip": http(b"\x1f\x8bnonsense", "200 OK", "Content-Encoding: gzip"),
    "truncated gzip": http(gzip.compress(dated(utc()).encode())[:-9]),
    "a gzip bomb": http(gzip.compress(b" " * 10_000_000)),
    "unknown encoding": http(dated(utc()), "200 OK", "Content-Encoding: br"),
    "endless header": [b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000, "open"],
    "many headers": http(dated(utc()), "200 OK", *[f"X-{n}: {'y' * 1000}" for n in range(40)]),
    "body too long": http(dated(utc()) + " " * 300_000),
    "endless body": [b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 400_000, "open"],
    "closes at once": "close",
    "resets at once": "reset",
    "reads and closes": [lambda request: b""],
}


@pytest.mark.parametrize("script", SERVICE_FAULTS.values(), ids=SERVICE_FAULTS.keys())
def test_nonsense_is_a_service_fault_told_in_our_own_words(
    run: Run,
    listening: Any,
    script: Any,
) -> None:
    observation = run(observe(listening, script))
    assert observation.status is Status.SERVICE_FAULT, observation
    assert observation.detail
    assert "secret" not in observation.detail


@pytest.mark.parametrize(
    "name", ["endless header", "many headers", "body too long", "endless body"]
)
def test_what_is_too_long_is_ended_at_once(run: Run, listening: Any, name: str) -> None:
    observation = run(observe(listening, SERVICE_FAULTS[name], timeout_s=30))
    assert "too long" in observation.detail


@pytest.mark.parametrize("first", ["close", "reset", [lambda request: b""]])
def test_one_silent_close_is_no_outage(run: Run, listening: Any, first: Any) -> None:
    assert run(observe(listening, first, good())).status is Status.INTACT


def test_a_service_that_goes_away_between_the_tries_is_refused(run: Run) -> None:
    async def scenario() -> Observation:
        async def close_all(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            server.close()
            writer.close()

        server = await asyncio.start_server(close_all, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        deadline = asyncio.get_running_loop().time() + 5
        return await OnvifProber()(Target(1, "127.0.0.1", port, ProbeMethod.ONVIF), deadline)

    assert run(scenario()).status is Status.REFUSED


def test_a_redirect_is_not_followed(run: Run, listening: Any) -> None:
    async def scenario() -> int:
        async with listening(good()) as elsewhere:
            url = f"http://127.0.0.1:{elsewhere.port}/onvif/device_service"
            await observe(listening, http("", "307 Temporary Redirect", f"Location: {url}"))
            return int(elsewhere.connections)

    assert run(scenario()) == 0


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ("hang", Status.TIMEOUT),
        ([b"HTTP/1.1 200 OK\r\n", "hang"], Status.SERVICE_FAULT),
        ([good()[:-10], "hang"], Status.SERVICE_FAULT),
    ],
    ids=["silence", "half a header", "half a body"],
)
def test_the_deadline_ends_the_exchange(
    run: Run,
    listening: Any,
    script: Any,
    status: Status,
) -> None:
    assert run(observe(listening, script, timeout_s=0.2)).status is status


def test_nobody_listens(run: Run, closed_port: int) -> None:
    async def scenario() -> Observation:
        target = Target(1, "127.0.0.1", closed_port, ProbeMethod.ONVIF)
        return await OnvifProber()(target, asyncio.get_running_loop().time() + 5)

    assert run(scenario()).status is Status.REFUSED


def test_the_request_is_what_cameras_need(run: Run, listening: Any) -> None:
    async def scenario() -> tuple[bytes, int]:
        async with listening(good()) as camera:
            await OnvifProber()(camera.target(), asyncio.get_running_loop().time() + 5)
            return camera.requests[0], camera.port

    request, port = run(scenario())
    head, body = request.split(b"\r\n\r\n")
    assert head.splitlines() == [
        b"POST /onvif/device_service HTTP/1.1",
        f"Host: 127.0.0.1:{port}".encode(),
        b"Content-Type: application/soap+xml; charset=utf-8; "
        b'action="http://www.onvif.org/ver10/device/wsdl/GetSystemDateAndTime"',
        f"Content-Length: {len(body)}".encode(),
        b"Connection: close",
    ]
    assert b"<GetSystemDateAndTime xmlns=" in body
