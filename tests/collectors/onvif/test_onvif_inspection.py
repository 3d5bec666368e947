"""Every habit of DESIGN §5 on a simulated camera, and what a deep inspection learns of it."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from collectors.onvif.credentials import CredentialMemory
from collectors.onvif.inspection import NOTHING, Facts, Inspection, Profile, Service
from collectors.onvif.inspector import Inspector
from collectors.probe import Target
from collectors.simulator.deliveries import DELIVERIES
from collectors.simulator.fleet import Device
from collectors.simulator.habits import HABITS
from collectors.simulator.running import RunningFleet, running_fleet
from collectors.simulator.scenario import parse_scenario
from kpi.status import Status
from tests.collectors.onvif.scenarios import (
    CLEAR_REFUSALS,
    VAGUE_REFUSALS,
    digest,
    fault,
    skew,
    target,
    token,
)

Run = Callable[[Any], Any]

GUARD_S = 30.0
INTACT, AUTH_FAILED, SERVICE_FAULT = Status.INTACT, Status.AUTH_FAILED, Status.SERVICE_FAULT
INFORMATION: dict[str, Any] = dict.fromkeys(
    ("vendor", "model", "serial", "firmware", "hardware_id")
)
"""What is not told where GetDeviceInformation is not answered."""
MEDIA: dict[str, Any] = {
    "resolution": None,
    "stream_uri": None,
    "snapshot_uri": None,
    "profiles": (),
}
"""What is not told where the media service is not answered."""


@dataclass(frozen=True, slots=True)
class Row:
    """Faults of one camera, and what comes of it with the register's password.

    `told` replaces what a healthy camera tells; None: it tells nothing. `open_`: it tells the same
    to whoever has no password.
    """

    faults: str
    status: Status = INTACT
    told: dict[str, Any] | None = field(default_factory=dict)
    open_: bool = True
    question_s: float = GUARD_S
    tls: bool = False


def odd(*kinds: str, **told: Any) -> Row:
    """All is told, in spite of these; `told` besides."""
    return Row("".join(map(fault, kinds)), told=told)


def faulty(*kinds: str, question_s: float = GUARD_S) -> Row:
    """Alive, and tells nothing."""
    faults = "".join(map(fault, kinds))
    return Row(faults, SERVICE_FAULT, told=None, question_s=question_s)


def guarded(*faults: str, **changes: Any) -> Row:
    """Behind a password."""
    return Row("".join(faults), open_=False, **changes)


def shut(*faults: str) -> Row:
    """Behind a password that the register does not know, or does not get through."""
    return guarded(*faults, status=AUTH_FAILED, told=None)


CREDENTIALS = {
    "open": Row(""),
    "token only": guarded(token()),
    "token, the clock is open": guarded(token(clock_open=True)),
    "digest only: MD5": guarded(digest(algorithms=["MD5"])),
    "digest only: SHA-256": guarded(digest(algorithms=["SHA-256"])),
    "digest only: two headers": guarded(digest()),
    "digest, the clock is open": guarded(digest(clock_open=True)),
    **{
        f"refusal: {status}, {body}": guarded(token(refusal_status=status, refusal_body=body))
        for status, body in (*CLEAR_REFUSALS, *VAGUE_REFUSALS)
    },
    "refusal: digest with 403": guarded(digest(refusal_status=403, refusal_body="html")),
    "another password: token": shut(fault("wrong_password", scheme="ws_token")),
    "another password: digest": shut(fault("wrong_password", scheme="http_digest")),
    "another password: the clock is open": shut(
        fault("wrong_password", scheme="ws_token", clock_open=True)
    ),
    "unsupported, refused": odd("snapshot_unsupported", "misleading_refusal", snapshot_uri=None),
    "unsupported, refused, token": guarded(
        token(),
        fault("snapshot_unsupported"),
        fault("misleading_refusal"),
        told={"snapshot_uri": None},
    ),
    "information refused": Row(fault("information_refused"), AUTH_FAILED, told=INFORMATION),
    "information refused, digest": guarded(
        digest(), fault("information_refused"), status=SERVICE_FAULT, told=INFORMATION
    ),
    "echoes our header": guarded(token(), fault("echoes_security")),
    "silent once it is shown a password": guarded(
        token(), fault("silent_at_password"), status=SERVICE_FAULT, told=None, question_s=0.5
    ),
    "drops the token after reading it": guarded(token(), fault("closes_at_password")),
    "drops the digest after reading it": guarded(digest(), fault("closes_at_password")),
}

CLOCK = {
    "hours behind, token": guarded(token(), skew(-8), fault("date_header")),
    "hours ahead, token, the clock is open": guarded(token(clock_open=True), skew(5)),
    "hours ahead, token, no Date to tell": shut(token(), skew(5)),
    "hours ahead, digest": guarded(digest(), skew(5)),
    **{
        kind: odd(kind)
        for kind in (
            "local_time_only",
            "no_time",
            "impossible_date",
            "zone_with_rules",
            "zone_unfinished",
        )
    },
}

TRANSPORT = {
    "closes silently once": odd("closes_silently"),
    "closes silently once, digest": guarded(digest(), fault("closes_silently")),
    "closes always": faulty("closes_always"),
    "announces the close, leaves it open": odd("close_left_open"),
    "chunked": odd("chunked"),
    "HTTP/1.0": odd("http_1_0"),
    "HTTP/1.0, digest": guarded(digest(), fault("http_1_0")),
    "one connection at a time": odd("one_at_a_time"),
    "one connection at a time, left open, token": guarded(
        token(), fault("one_at_a_time"), fault("close_left_open")
    ),
    "needs Content-Type": odd("needs_content_type"),
    "needs action=": odd("needs_action"),
    "needs action=, token": guarded(token(), fault("needs_action")),
    "bad gzip": faulty("bad_gzip"),
    "gzip unasked": odd("gzip_unasked"),
    "truncated body": faulty("truncated_body"),
    "truncated body without a length": faulty("truncated_to_the_close"),
    "slow drip": faulty("slow_drip", question_s=0.4),
    "oversized body": faulty("oversized_body"),
    "endless headers": faulty("endless_headers"),
    "redirect": faulty("redirect"),
    "bad certificate": Row(fault("bad_certificate"), tls=True),
    "bad certificate, digest": guarded(digest(), fault("bad_certificate"), tls=True),
    "TLS where the register says none": faulty("bad_certificate"),
}

BARE_PROFILES = (Profile("Profile_1", "mainStream"), Profile("Profile_2", "subStream"))
ANOTHER_PORT = "http://127.16.0.1:8081/snapshot.jpg"
CONTENT = {
    **{
        kind: faulty(kind)
        for kind in (
            "empty_body",
            "stack_trace",
            "html_page",
            "invalid_xml",
            "wrong_answer",
            "fault_200",
            "fault_400",
            "fault_500",
            "dtd",
            "entity_bomb",
        )
    },
    "500 with a misspelt fault": faulty("fault_500", "misspelt_fault_codes"),
    "misspelt refusal": guarded(token(), fault("misspelt_fault_codes")),
    **{
        kind: odd(kind)
        for kind in (
            "default_namespace",
            "wrong_namespace",
            "other_order",
            "undeclared_prefixes",
            "invalid_utf8",
            "xaddr_elsewhere",
        )
    },
    "undeclared prefixes, refusal": guarded(token(), fault("undeclared_prefixes")),
    "no encoder": odd("profile_without_encoder", resolution=None, profiles=BARE_PROFILES),
    "manufacturer empty": odd("manufacturer_empty", vendor=None),
    "manufacturer NONE": odd("manufacturer_none", vendor=None),
    "snapshot on another port": odd("snapshot_on_another_port", snapshot_uri=ANOTHER_PORT),
    "credentials in a URI": odd("credentials_in_uri"),
    "password inside a URI": odd(
        "password_in_uri",
        stream_uri="rtsp://127.16.0.1:PORT/user=admin_password=_channel=1_stream=0.sdp",
    ),
    "blank after a URI": odd("blank_after_uri"),
    "no snapshot": odd("snapshot_unsupported", snapshot_uri=None),
    "no media service": Row(fault("no_media_service"), SERVICE_FAULT, told=MEDIA),
    "no profile": Row(fault("no_profiles"), Status.NO_VIDEO, told=MEDIA),
}

TABLE = {**CREDENTIALS, **CLOCK, **TRANSPORT, **CONTENT}


@pytest.fixture(scope="module")
def fleet() -> Iterator[RunningFleet]:
    with running_fleet(cameras=2, rooms=1) as running:
        yield running


def facts_of(camera: Device) -> Facts:
    """What the healthy simulated camera tells."""
    return Facts(
        vendor=camera.vendor,
        model=camera.model,
        serial=camera.serial,
        firmware=camera.firmware,
        hardware_id=camera.mac,
        mac=camera.mac.upper(),
        resolution=camera.resolution,
        stream_uri=f"rtsp://{camera.address}:{camera.port}/Streaming/Channels/101",
        snapshot_uri=f"http://{camera.address}:{camera.port}/snapshot.jpg",
        profiles=(
            Profile("Profile_1", "mainStream", "H264", camera.resolution, 25, 4096),
            Profile("Profile_2", "subStream", "H264", "640x360", 25, 4096),
        ),
    )


def told_by(row: Row, camera: Device) -> dict[str, Any]:
    """What differs from a healthy camera's facts, with its port."""
    told = dict(row.told or {})
    if told.get("stream_uri"):
        told["stream_uri"] = told["stream_uri"].replace("PORT", str(camera.port))
    return told


def main_facts(facts: Facts) -> Facts:
    """Without what the XAddr habits rightly change."""
    return replace(facts, services=(), capabilities={})


async def inspect(
    device: Target, question_s: float = GUARD_S, memory: CredentialMemory | None = None
) -> Inspection:
    deadline = asyncio.get_running_loop().time() + 2 * GUARD_S
    with Inspector(memory, question_s=question_s, workers=1) as inspector:
        return await inspector(device, deadline)


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE.keys())
def test_what_each_habit_lets_us_learn(run: Run, fleet: RunningFleet, row: Row) -> None:
    fleet.use(parse_scenario(row.faults))
    camera = fleet.cameras[0]
    seen = run(inspect(target(camera, tls=row.tls), row.question_s))
    assert seen.status is row.status, seen
    expected = NOTHING if row.told is None else replace(facts_of(camera), **told_by(row, camera))
    assert main_facts(seen.facts) == expected, seen
    assert seen.learnt is (row.told is not None)
    assert "Password" not in seen.detail  # of an echoed header
    attempts = fleet.attempts(camera)
    assert (attempts.plain, attempts.replayed) == (0, 0)


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE.keys())
def test_without_a_password_a_guarded_camera_tells_nothing(
    run: Run, fleet: RunningFleet, row: Row
) -> None:
    fleet.use(parse_scenario(row.faults))
    camera = fleet.cameras[0]
    seen = run(inspect(target(camera, known=False, tls=row.tls), row.question_s))
    if row.open_:
        assert seen.status is row.status
        assert seen.learnt is (row.told is not None)
    else:
        assert seen.status in (AUTH_FAILED, SERVICE_FAULT)
        assert not seen.learnt
    assert fleet.attempts(camera).shown == 0


def test_every_habit_has_a_row() -> None:
    named = "".join(row.faults for row in TABLE.values())
    for kind in (*HABITS, *DELIVERIES, "one_at_a_time", "bad_certificate"):
        assert f'kind = "{kind}"\n' in named


def test_services_and_capabilities(run: Run, fleet: RunningFleet) -> None:
    fleet.use(parse_scenario(""))
    facts = run(inspect(target(fleet.cameras[0]))).facts
    assert facts.services == (
        Service("http://www.onvif.org/ver10/device/wsdl", "/onvif/device_service", "2.60"),
        Service("http://www.onvif.org/ver10/media/wsdl", "/onvif/media_service", "2.60"),
    )
    streaming = {"RTPMulticast": False, "RTP_TCP": True, "RTP_RTSP_TCP": True}
    assert facts.capabilities == {
        "Device": {"XAddr": "/onvif/device_service"},
        "Media": {"XAddr": "/onvif/media_service", "StreamingCapabilities": streaming},
    }


@pytest.mark.parametrize("scheme", ["ws_token", "http_digest"])
@pytest.mark.parametrize("clock_open", [True, False])
def test_a_wrong_password_is_shown_once(
    run: Run, fleet: RunningFleet, scheme: str, clock_open: bool
) -> None:
    fleet.use(
        parse_scenario(fault("wrong_password", scheme=scheme, clock_open=clock_open, lockout=2))
    )
    camera, memory = fleet.cameras[0], CredentialMemory()
    for _ in range(3):
        seen = run(inspect(target(camera), memory=memory))
        assert (seen.status, seen.password_refused) == (AUTH_FAILED, True)
    assert (fleet.attempts(camera).shown, fleet.attempts(camera).bad) == (1, 1)
    changed = replace(target(camera), password=f"{camera.password}-changed")
    assert run(inspect(changed, memory=memory)).status is INTACT


@pytest.mark.parametrize("guard", ["", token(), token(clock_open=True), digest()])
def test_what_is_refused_though_unsupported_proves_nothing(
    run: Run, fleet: RunningFleet, guard: str
) -> None:
    """It is no reason to show an open camera the password, nor to call a right one wrong."""
    fleet.use(parse_scenario(guard + fault("snapshot_unsupported") + fault("misleading_refusal")))
    camera, memory = fleet.cameras[0], CredentialMemory()
    for _ in range(2):
        seen = run(inspect(target(camera), memory=memory))
        assert (seen.status, seen.password_refused) == (INTACT, False)
        assert seen.detail == "does not tell GetSnapshotUri"
    assert bool(fleet.attempts(camera).shown) is bool(guard)


_asked: set[object] | None = None


def _note_connections(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.connect" and _asked is not None:
        _asked.add(arguments[1])


sys.addaudithook(_note_connections)


@pytest.mark.parametrize(
    "kind",
    [
        "xaddr_elsewhere",
        "redirect",
        "dtd",
        "entity_bomb",
        "snapshot_on_another_port",
        "credentials_in_uri",
    ],
)
def test_no_other_address_is_ever_asked(fleet: RunningFleet, kind: str) -> None:
    """Python's own loop tells each connection to the audit hook."""
    global _asked
    fleet.use(parse_scenario(fault(kind)))
    camera, _asked = fleet.cameras[0], set()
    try:
        asyncio.run(inspect(target(camera)))
        assert _asked == {(camera.address, camera.port)}
    finally:
        _asked = None


@pytest.mark.parametrize(
    ("faults", "status"),
    [
        (fault("hang"), Status.TIMEOUT),
        (fault("reset"), SERVICE_FAULT),
        (fault("refused"), Status.REFUSED),
        (fault("slow_drip"), SERVICE_FAULT),
        (fault("oversized_body"), SERVICE_FAULT),
        (fault("endless_headers"), SERVICE_FAULT),
        (token() + fault("silent_at_password"), SERVICE_FAULT),
        (token(clock_open=True) + fault("silent_at_password"), SERVICE_FAULT),
    ],
)
def test_the_deadline_ends_it(run: Run, fleet: RunningFleet, faults: str, status: Status) -> None:
    """However long a question might take by itself."""
    fleet.use(parse_scenario(faults))

    async def within() -> Inspection:
        with Inspector(question_s=600, workers=1) as inspector:
            deadline = asyncio.get_running_loop().time() + 1
            return await inspector(target(fleet.cameras[0]), deadline)

    assert run(within()).status is status
