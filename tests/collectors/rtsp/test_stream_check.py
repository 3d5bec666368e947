"""The check of a stream against simulated cameras: every habit and the status it gives."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from collectors.onvif.credentials import CredentialMemory
from collectors.onvif.prober import OnvifProber
from collectors.probe import Observation, ProbeMethod, Target
from collectors.rtsp.check import check_stream
from collectors.simulator.running import RunningFleet, running_fleet
from collectors.simulator.scenario import parse_scenario
from collectors.simulator.streams import STREAMS
from kpi.status import Status

Run = Callable[[Any], Any]
INTACT, NO_VIDEO = Status.INTACT, Status.NO_VIDEO
AUTH_FAILED, UNKNOWN = Status.AUTH_FAILED, Status.UNKNOWN
GUARD_S = 20.0
SHORT_S = 0.5


def fault(kind: str, settings: str = "") -> str:
    return f"[[fault]]\nkind = '{kind}'\nshare = 1.0\n{settings}\n"


def guarded(scheme: str, settings: str = "", kind: str = "stream_auth") -> str:
    return fault(kind, f"scheme = '{scheme}'\n{settings}")


@dataclass(frozen=True, slots=True)
class Row:
    """Faults, the status with the register's password, and (if not the same) without any."""

    faults: str
    status: Status
    detail: str
    bare: Status | None = None
    timeout_s: float = GUARD_S


def open_row(kind: str, detail: str, timeout_s: float = GUARD_S) -> Row:
    return Row(fault(kind), NO_VIDEO, detail, timeout_s=timeout_s)


TABLE = {
    "healthy": Row("", INTACT, "offers video (H264)"),
    "digest, both": Row(guarded("digest"), INTACT, "H264", UNKNOWN),
    "digest, MD5": Row(guarded("digest", "algorithms = ['MD5']"), INTACT, "H264", UNKNOWN),
    "digest, SHA-256": Row(guarded("digest", "algorithms = ['SHA-256']"), INTACT, "H264", UNKNOWN),
    "digest, closes at refusal": Row(guarded("digest", "closes = true"), INTACT, "H264", UNKNOWN),
    "basic": Row(guarded("basic"), INTACT, "H264", UNKNOWN),
    "basic, closes at refusal": Row(guarded("basic", "closes = true"), INTACT, "H264", UNKNOWN),
    "as ONVIF: digest": Row(fault("auth", "scheme = 'http_digest'"), INTACT, "H264", UNKNOWN),
    "as ONVIF: token": Row(fault("auth", "scheme = 'ws_token'"), INTACT, "H264", UNKNOWN),
    "another password: digest": Row(
        guarded("digest", kind="stream_wrong_password"), AUTH_FAILED, "refuse", UNKNOWN
    ),
    "another password: basic": Row(
        guarded("basic", kind="stream_wrong_password"), AUTH_FAILED, "refuse", UNKNOWN
    ),
    "no RTSP": open_row("no_rtsp", "not RTSP"),
    "404": open_row("no_stream", "404"),
    "no video": open_row("no_video", "a stream without video"),
    "no codec": open_row("video_without_codec", "without a codec"),
    "HTML": open_row("rtsp_page", "not SDP"),
    "redirect": open_row("rtsp_redirect", "not followed"),
    "hang": open_row("rtsp_hang", "then no answer", SHORT_S),
    "closes": open_row("rtsp_closes", "without an answer"),
    "cut off": open_row("rtsp_cut_off", "cut off"),
    "unfinished": open_row("rtsp_unfinished", "not finished in time", SHORT_S),
    "oversized": open_row("rtsp_oversized", "too long"),
    "endless header": open_row("rtsp_endless_header", "too long"),
    "refused": open_row("refused", "nothing listens"),
    "reset": open_row("reset", "without an answer"),
    "hang of the camera": open_row("hang", "then no answer", SHORT_S),
}


@pytest.fixture(scope="module")
def fleet() -> Iterator[RunningFleet]:
    with running_fleet(cameras=2, rooms=1) as running:
        yield running


def target_of(fleet: RunningFleet, *, known: bool = True) -> Target:
    camera = fleet.cameras[0]
    return Target(
        1,
        camera.address,
        fleet.port,
        ProbeMethod.ONVIF,
        username=camera.username if known else "",
        password=camera.password if known else "",
    )


def uri_of(fleet: RunningFleet, scheme: str = "rtsp") -> str:
    return f"{scheme}://{fleet.cameras[0].address}:{fleet.port}/Streaming/Channels/101"


async def check(
    target: Target, uri: str, memory: CredentialMemory | None = None, timeout_s: float = GUARD_S
) -> Observation:
    deadline = asyncio.get_running_loop().time() + timeout_s
    return await check_stream(target, uri, deadline, memory or CredentialMemory())


@pytest.mark.parametrize("known", [True, False], ids=["with password", "without"])
@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE.keys())
def test_the_status_of_each_stream(run: Run, fleet: RunningFleet, row: Row, known: bool) -> None:
    fleet.use(parse_scenario(row.faults))
    memory = CredentialMemory()
    expected = row.status if known or row.bare is None else row.bare
    for _ in range(2):  # the second time with what was learnt the first
        seen = run(check(target_of(fleet, known=known), uri_of(fleet), memory, row.timeout_s))
        assert seen.status is expected, seen
        assert expected is not row.status or row.detail in seen.detail
    attempts = fleet.attempts(fleet.cameras[0])
    assert attempts.replayed == 0
    assert attempts.bad == (1 if expected is AUTH_FAILED else 0)
    assert attempts.plain == 0 or "basic" in row.faults


def test_every_stream_has_a_row() -> None:
    named = "".join(row.faults for row in TABLE.values())
    assert all(f"kind = '{kind}'" in named for kind in STREAMS)


def test_a_password_that_onvif_refused_is_not_shown(run: Run, fleet: RunningFleet) -> None:
    wrong = fault("wrong_password", "scheme = 'http_digest'")
    fleet.use(parse_scenario(wrong))
    memory = CredentialMemory()

    async def both() -> Observation:
        deadline = asyncio.get_running_loop().time() + GUARD_S
        await OnvifProber(memory=memory)(target_of(fleet), deadline)
        return await check(target_of(fleet), uri_of(fleet), memory)

    assert run(both()).status is AUTH_FAILED
    assert fleet.attempts(fleet.cameras[0]).bad == 1


def test_what_the_stream_refuses_onvif_may_still_use(run: Run, fleet: RunningFleet) -> None:
    fleet.use(
        parse_scenario(
            guarded("digest", kind="stream_wrong_password")
            + fault("auth", "scheme = 'http_digest'")
        )
    )
    memory = CredentialMemory()

    async def both() -> Observation:
        assert (await check(target_of(fleet), uri_of(fleet), memory)).status is AUTH_FAILED
        deadline = asyncio.get_running_loop().time() + GUARD_S
        return await OnvifProber(memory=memory)(target_of(fleet), deadline)

    assert run(both()).status is INTACT


@pytest.mark.parametrize(
    ("scheme", "status"), [("rtsps", INTACT), ("rtsp", NO_VIDEO)], ids=["rtsps", "rtsp"]
)
def test_tls_where_the_address_says_so(
    run: Run, fleet: RunningFleet, scheme: str, status: Status
) -> None:
    """The certificate is out of date, self-signed and for another name."""
    fleet.use(parse_scenario(fault("bad_certificate")))
    assert run(check(target_of(fleet), uri_of(fleet, scheme))).status is status


@pytest.mark.parametrize(
    "named", ["rtsp://127.0.0.254:{port}/x", "rtsp://admin:hunter2@127.16.0.1:{port}/x "]
)
def test_another_host_is_asked_at_the_cameras_own_address(
    run: Run, fleet: RunningFleet, named: str
) -> None:
    fleet.use(parse_scenario(""))
    seen = run(check(target_of(fleet), named.format(port=fleet.port)))
    assert seen.status is INTACT
    assert fleet.attempts(fleet.cameras[0]).shown == 0


@pytest.mark.parametrize("uri", ["http://127.0.0.1/x", "", "rtsp://[/"])
def test_no_stream_address_is_no_result(run: Run, fleet: RunningFleet, uri: str) -> None:
    assert run(check(target_of(fleet), uri)).status is UNKNOWN


def test_a_silent_network_is_no_result(run: Run, fleet: RunningFleet) -> None:
    room = fleet.cameras[0].room
    fleet.use(parse_scenario(f"[[fault]]\nkind = 'room_uplink'\nrooms = ['{room}']\n"))
    seen = run(check(target_of(fleet), uri_of(fleet), timeout_s=SHORT_S))
    assert seen.status is UNKNOWN


SDP = b"v=0\r\nm=video 0 RTP/AVP 26\r\na=control:*\r\n"
GREETED = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"


def described(head: bytes) -> bytes:
    return head + b"Content-Length: %d\r\n\r\n" % len(SDP) + SDP


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ([GREETED, described(b"RTSP/1.0 200 OK\r\n")], INTACT),
        ([b"RTSP/1.0 501 Not Implemented\r\n\r\n", described(b"RTSP/1.0 200\r\n")], INTACT),
        ([GREETED, b"RTSP/1.0 200 OK\r\n\r\n"], NO_VIDEO),
        ([GREETED, b"RTSP/1.0 503 Busy\r\n\r\n"], NO_VIDEO),
        ([GREETED, b"RTSP/1.0 403 Forbidden\r\n\r\n"], NO_VIDEO),
        ([GREETED, b"RTSP/1.0 401 No\r\nWWW-Authenticate: NTLM x=y\r\n\r\n"], UNKNOWN),
        ([GREETED, b"RTSP/1.0 401 No\r\n\r\n"], UNKNOWN),
        ([b"SSH-2.0-x\r\n"], NO_VIDEO),
        ([b"RTSP/nonsense"], NO_VIDEO),
    ],
)
def test_odd_answers(run: Run, parts: list[bytes], status: Status) -> None:
    """One connection, a part for each request."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            for part in parts:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(part)
            await reader.read()
        writer.close()

    async def scene() -> Observation:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            target = Target(1, "127.0.0.1", port, ProbeMethod.ONVIF, username="u", password="p")
            return await check(target, f"rtsp://127.0.0.1:{port}/x", timeout_s=SHORT_S)

    assert run(scene()).status is status
