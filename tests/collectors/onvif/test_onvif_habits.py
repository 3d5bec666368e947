"""Every habit of DESIGN §5 on a simulated camera, and what the ONVIF prober says of it."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from collectors.onvif.prober import OnvifProber
from collectors.probe import Observation, Target
from collectors.simulator.deliveries import DELIVERIES
from collectors.simulator.fleet import Device
from collectors.simulator.habits import HABITS
from collectors.simulator.running import RunningFleet, running_fleet
from collectors.simulator.scenario import parse_scenario
from kpi.status import Status
from tests.collectors.onvif.scenarios import (
    CLEAR_REFUSALS,
    HOUR_S,
    VAGUE_REFUSALS,
    digest,
    fault,
    skew,
    target,
    token,
)

Run = Callable[[Any], Any]

GUARD_S = 20.0

INTACT, CLOCK_WRONG = Status.INTACT, Status.CLOCK_WRONG
AUTH_FAILED, SERVICE_FAULT = Status.AUTH_FAILED, Status.SERVICE_FAULT


@dataclass(frozen=True, slots=True)
class Row:
    """Faults of one camera; its status with the register's password, and without any.

    `offset_s` is the clock offset told, None: none at all.
    """

    faults: str
    status: Status
    bare: Status | None = None
    offset_s: float | None = 0.0
    timeout_s: float = GUARD_S
    tls: bool = False

    def without_password(self) -> Status:
        return self.status if self.bare is None else self.bare


def intact(*kinds: str, **changes: Any) -> Row:
    return Row("".join(map(fault, kinds)), INTACT, **changes)


def faulty(*kinds: str, **changes: Any) -> Row:
    return Row("".join(map(fault, kinds)), SERVICE_FAULT, **changes)


def guarded(*faults: str, status: Status = INTACT, **changes: Any) -> Row:
    """Behind a password, which is AUTH_FAILED for whoever has none."""
    return Row("".join(faults), status, AUTH_FAILED, **changes)


SHAPES = {
    f"refusal: {status}, {body}": guarded(token(refusal_status=status, refusal_body=body))
    for status, body in CLEAR_REFUSALS
}
VAGUE_SHAPES = {
    f"refusal: {status}, {body}": Row(
        token(refusal_status=status, refusal_body=body), INTACT, SERVICE_FAULT
    )
    for status, body in VAGUE_REFUSALS
}

CREDENTIALS = {
    "the clock is open": Row(token(clock_open=True), INTACT),
    "token only": guarded(token()),
    "digest only: MD5": guarded(digest(algorithms=["MD5"])),
    "digest only: SHA-256": guarded(digest(algorithms=["SHA-256"])),
    "digest only: two headers": guarded(digest(algorithms=["MD5", "SHA-256"])),
    **SHAPES,
    **VAGUE_SHAPES,
    "refusal: digest with 403": guarded(digest(refusal_status=403, refusal_body="html")),
    "another password: token": guarded(
        fault("wrong_password", scheme="ws_token"), status=AUTH_FAILED
    ),
    "another password: digest": guarded(
        fault("wrong_password", scheme="http_digest"), status=AUTH_FAILED
    ),
    "misleading refusal": intact("misleading_refusal"),
    "echoes our header": guarded(token(), fault("echoes_security")),
    "echoes our header and refuses": guarded(
        fault("wrong_password", scheme="ws_token"), fault("echoes_security"), status=AUTH_FAILED
    ),
    "silent once it is shown a password": guarded(
        token(), fault("silent_at_password"), status=SERVICE_FAULT, timeout_s=1.0
    ),
    "drops the token after reading it": guarded(token(), fault("closes_at_password")),
    "drops the digest after reading it": guarded(digest(), fault("closes_at_password")),
}

CLOCK = {
    "hours behind": Row(skew(-8), CLOCK_WRONG, offset_s=-8 * HOUR_S),
    "hours behind, token": guarded(
        token(), skew(-8), fault("date_header"), status=CLOCK_WRONG, offset_s=-8 * HOUR_S
    ),
    "hours ahead, token": guarded(
        token(), skew(5), fault("date_header"), status=CLOCK_WRONG, offset_s=5 * HOUR_S
    ),
    "hours ahead, token, no Date to tell": guarded(token(), skew(5), status=AUTH_FAILED),
    "hours ahead, digest": guarded(digest(), skew(5), status=CLOCK_WRONG, offset_s=5 * HOUR_S),
    "local time only": intact("local_time_only", offset_s=None),
    "no time at all": intact("no_time", offset_s=None),
    "impossible date": intact("impossible_date", offset_s=None),
    "zone with rules": intact("zone_with_rules"),
    "unfinished zone": intact("zone_unfinished"),
    "unfinished zone, local time only": intact("zone_unfinished", "local_time_only", offset_s=None),
}

TRANSPORT = {
    "closes silently once": intact("closes_silently"),
    "closes silently once, token": guarded(token(), fault("closes_silently")),
    "closes silently once, digest": guarded(digest(), fault("closes_silently")),
    "closes always": faulty("closes_always"),
    "announces the close, leaves it open": intact("close_left_open"),
    "chunked": intact("chunked"),
    "HTTP/1.0": intact("http_1_0"),
    "HTTP/1.0, digest": guarded(digest(), fault("http_1_0")),
    "one connection at a time": intact("one_at_a_time"),
    "one connection at a time, digest": guarded(digest(), fault("one_at_a_time")),
    "one connection at a time, left open": guarded(
        token(), fault("one_at_a_time"), fault("close_left_open")
    ),
    "needs Content-Type": intact("needs_content_type"),
    "needs action=": intact("needs_action"),
    "needs action=, token": guarded(token(), fault("needs_action")),
    "bad gzip": faulty("bad_gzip"),
    "gzip unasked": intact("gzip_unasked"),
    "truncated body": faulty("truncated_body"),
    "truncated body without a length": faulty("truncated_to_the_close"),
    "slow drip": faulty("slow_drip", timeout_s=1.0),
    "oversized body": faulty("oversized_body"),
    "endless headers": faulty("endless_headers"),
    "redirect": faulty("redirect"),
    "bad certificate": intact("bad_certificate", tls=True),
    "bad certificate, digest": guarded(digest(), fault("bad_certificate"), tls=True),
    "TLS where the register says none": faulty("bad_certificate"),
}

CONTENT = {
    "empty body": faulty("empty_body"),
    "stack trace": faulty("stack_trace"),
    "HTML": faulty("html_page"),
    "never closed": faulty("invalid_xml"),
    "another operation's answer": faulty("wrong_answer"),
    "200 with a fault": faulty("fault_200"),
    "400 with a fault": faulty("fault_400"),
    "500 with a fault": faulty("fault_500"),
    "500 with a misspelt fault": faulty("fault_500", "misspelt_fault_codes"),
    "misspelt refusal": guarded(token(), fault("misspelt_fault_codes")),
    "default namespace": intact("default_namespace"),
    "default namespace, refusal": guarded(token(), fault("default_namespace")),
    "wrong namespace": intact("wrong_namespace"),
    "other order": intact("other_order"),
    "undeclared prefixes": intact("undeclared_prefixes"),
    "undeclared prefixes, refusal": guarded(token(), fault("undeclared_prefixes")),
    "invalid UTF-8": intact("invalid_utf8"),
    "DTD": faulty("dtd"),
    "entity bomb": faulty("entity_bomb"),
    "XAddr elsewhere": intact("xaddr_elsewhere"),
    **{
        f"of no matter here: {kind}": intact(kind)
        for kind in (
            "manufacturer_empty",
            "manufacturer_none",
            "profile_without_encoder",
            "snapshot_on_another_port",
            "credentials_in_uri",
            "blank_after_uri",
            "password_in_uri",
            "no_profiles",
            "information_refused",
            "no_media_service",
            "snapshot_unsupported",
        )
    },
}

TABLE = {**CREDENTIALS, **CLOCK, **TRANSPORT, **CONTENT}


@pytest.fixture(scope="module")
def fleet() -> Iterator[RunningFleet]:
    with running_fleet(cameras=2, rooms=1) as running:
        yield running


async def ask(
    device: Target, prober: OnvifProber | None = None, timeout_s: float = GUARD_S
) -> Observation:
    deadline = asyncio.get_running_loop().time() + timeout_s
    return await (prober or OnvifProber())(device, deadline)


@pytest.mark.parametrize("known", [True, False], ids=["with password", "without"])
@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE.keys())
def test_the_status_of_each_habit(run: Run, fleet: RunningFleet, row: Row, known: bool) -> None:
    fleet.use(parse_scenario(row.faults))
    prober, camera = OnvifProber(), fleet.cameras[0]
    status = row.status if known else row.without_password()
    for _ in range(2):  # the second time with what was learnt the first
        seen = run(ask(target(camera, known=known, tls=row.tls), prober, row.timeout_s))
        assert seen.status is status, seen
        if status in (INTACT, CLOCK_WRONG):
            assert seen.clock_offset_s == (
                None if row.offset_s is None else pytest.approx(row.offset_s, abs=5)
            )
        assert "Password" not in seen.detail  # of an echoed header: that word, the user, ours
        assert "order" not in seen.detail
    attempts = fleet.attempts(camera)
    assert (attempts.plain, attempts.replayed) == (0, 0)
    assert attempts.shown == 0 or known


def test_every_habit_has_a_row() -> None:
    named = "".join(row.faults for row in TABLE.values())
    for kind in (*HABITS, *DELIVERIES, "one_at_a_time", "bad_certificate"):
        assert f'kind = "{kind}"\n' in named


def with_changed_password(camera: Device) -> Target:
    """As the register has it once it knows the password of a `wrong_password` scenario."""
    return replace(target(camera), password=f"{camera.password}-changed")


@pytest.mark.parametrize("scheme", ["ws_token", "http_digest"])
@pytest.mark.parametrize("habit", ["", "date_header", "http_1_0", "one_at_a_time"])
def test_a_wrong_password_is_shown_once_and_locks_nothing(
    run: Run, fleet: RunningFleet, scheme: str, habit: str
) -> None:
    faults = fault("wrong_password", scheme=scheme, lockout=2) + (fault(habit) if habit else "")
    fleet.use(parse_scenario(faults))
    prober, camera = OnvifProber(), fleet.cameras[0]
    for _ in range(5):
        assert run(ask(target(camera), prober)).status is AUTH_FAILED
    assert (fleet.attempts(camera).shown, fleet.attempts(camera).bad) == (1, 1)
    assert run(ask(with_changed_password(camera), prober)).status is INTACT


def test_a_locked_account_is_not_tried_again(run: Run, fleet: RunningFleet) -> None:
    """Somebody else locked it: even the right password is refused, and shown once only."""
    fleet.use(parse_scenario(fault("wrong_password", scheme="ws_token", lockout=1)))
    camera, prober = fleet.cameras[0], OnvifProber()
    assert run(ask(target(camera))).status is AUTH_FAILED
    for _ in range(3):
        assert run(ask(with_changed_password(camera), prober)).status is AUTH_FAILED
    assert fleet.attempts(camera).shown == 2


@pytest.mark.parametrize("once_worked", [False, True])
def test_a_refusal_that_may_be_none_is_no_reason_to_go_on_trying(
    run: Run, fleet: RunningFleet, once_worked: bool
) -> None:
    shape = {"scheme": "ws_token", "refusal_status": 400, "refusal_body": "empty"}
    prober, camera = OnvifProber(), fleet.cameras[0]
    if once_worked:
        fleet.use(parse_scenario(fault("auth", **shape)))
        assert run(ask(target(camera), prober)).status is INTACT
    fleet.use(parse_scenario(fault("wrong_password", **shape)))
    for _ in range(4):
        assert run(ask(target(camera), prober)).status is SERVICE_FAULT
    assert fleet.attempts(camera).shown == 1
    fleet.use(parse_scenario(token()))  # asks clearly now
    assert run(ask(target(camera), prober)).status is INTACT


def test_a_camera_that_takes_one_at_a_time_takes_all(run: Run, fleet: RunningFleet) -> None:
    fleet.use(parse_scenario(digest() + fault("one_at_a_time")))
    prober, camera = OnvifProber(), fleet.cameras[0]

    async def together() -> list[Observation]:
        return await asyncio.gather(*(ask(target(camera), prober) for _ in range(8)))

    assert {seen.status for seen in run(together())} == {INTACT}


@pytest.mark.parametrize("habit", ["redirect", "xaddr_elsewhere", "dtd"])
def test_a_camera_cannot_make_us_ask_more_than_once(
    run: Run, fleet: RunningFleet, habit: str
) -> None:
    fleet.use(parse_scenario(fault(habit)))
    camera = fleet.cameras[0]
    run(ask(target(camera)))
    assert fleet.attempts(camera).requests == 1
