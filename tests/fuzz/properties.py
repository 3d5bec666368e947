"""What must hold of every byte that a camera may send: one function for each reader.

Each takes one input and raises `AssertionError` where a property is broken. The pytest replay of
the kept corpus and the coverage-guided runs (`python -m tests.fuzz`) share them.
"""

import asyncio
import math
import random
import re
import zlib
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import closing
from typing import Any
from unittest.mock import patch
from urllib.request import parse_http_list, parse_keqv_list

import pytest

from collectors.onvif import conversation
from collectors.onvif.digest import choose_challenge, digest_authorization
from collectors.onvif.http import MAX_BODY_BYTES, MAX_HEADER_BYTES, Failure, HttpReply, _Exchange
from collectors.onvif.prober import OnvifProber
from collectors.onvif.reply import Kind, SoapReply, parse_reply, read_reply
from collectors.probe import Observation, ProbeMethod, Target
from kpi.status import Status
from tests.fuzz.media import MEDIA_CHECKS

SEPARATOR = b"\n--the next answer--\n"
"""Between the answers of one input to `check_conversation`."""

PASSWORD = "not-to-be-shown"
_DATE = "GetSystemDateAndTime"
_OPERATIONS = (_DATE, "GetDeviceInformation")
_NUMBER = re.compile(rb">([0-9]{1,4})<")
_REPLY_DETAILS = {
    "",
    "its answer is empty",
    "its answer is not XML",
    "its answer holds a DOCTYPE, which is refused",
    "its answer is XML but not SOAP",
    "it answers something else than it was asked",
}
_HTTP_DETAILS = {
    "answers something that is not HTTP",
    "its HTTP header is too long",
    "its answer is too long",
    "its answer was cut off",
    "its answer was not finished in time",
    "its compressed answer cannot be read",
    "closed the connection without an answer",
    "took the connection, then no answer",
}
_ASK_DETAIL = re.compile(
    r"(its clock is \d+ s (ahead|behind)|answers HTTP \d+|answers with a SOAP fault \(HTTP \d+\)"
    r"|redirects \(HTTP \d+\), which is not followed|asks for a password; shown it: .*"
    r"|refuses the registered user name or password"
    r"|refused this password before; not tried again (until it changes|for a while))"
)
_IMPOSSIBLE = {Status.UNKNOWN, Status.REFUSED, Status.UNREACHABLE}
"""What no bytes over a connection that stands can mean."""


def _dice(data: bytes) -> random.Random:
    """Choices that belong to the input, so that a run can be repeated."""
    return random.Random(zlib.crc32(data))  # noqa: S311 - no secret


# --- the SOAP reader ---


def check_reply(data: bytes) -> None:
    """A body, and the same with other numbers in it: the skeletons say what the parser says."""
    for body in (data, _with_other_numbers(data, _dice(data))):
        for operation in _OPERATIONS:
            parsed = parse_reply(body, operation)
            _check_soap(parsed)
            assert read_reply(body, operation) == parsed
            assert read_reply(body, operation) == parsed, "learning changed the answer"


def _with_other_numbers(body: bytes, dice: random.Random) -> bytes:
    def other(match: re.Match[bytes]) -> bytes:
        number = dice.choice((dice.randrange(60), dice.randrange(10_000)))
        return b">%0*d<" % (dice.randrange(1, 4), number)

    return _NUMBER.sub(other, body)


def _check_soap(reply: SoapReply) -> None:
    assert reply.kind in Kind
    assert reply.detail in _REPLY_DETAILS
    assert bool(reply.detail) is (reply.kind is Kind.NONSENSE)
    if reply.device_time is not None:
        assert reply.kind is Kind.VALID
        assert math.isfinite(reply.device_time)


# --- the HTTP client ---


class _Wire:
    """A transport that keeps nothing."""

    aborted = False

    def write(self, data: bytes) -> None: ...

    def abort(self) -> None:
        self.aborted = True


def check_http(data: bytes) -> None:
    """Bytes in one piece, in a few and one by one, then the close, or silence to the deadline."""
    dice = _dice(data)
    cuts = [dice.randrange(len(data) + 1) for _ in range(dice.randrange(1, 6))]
    ways = [[data], _pieces(data, sorted([*cuts, max(len(data) - 3, 0)]))]
    if len(data) < 300:
        ways.append(_pieces(data, list(range(1, len(data)))))
    with closing(asyncio.new_event_loop()) as loop:
        results = [_receive(loop, way, closed=True) for way in ways]
        silent = [_receive(loop, way, closed=False) for way in ways]
    for result in (*results, *silent):
        _check_exchange(result)
    if isinstance(silent[0], HttpReply) and not silent[0].header_values("content-encoding"):
        assert all(isinstance(result, HttpReply) for result in silent), "its end was overlooked"
    if all(_has_length(result) for result in results):
        assert len({_essence(result) for result in results}) == 1, "it matters where it was cut"


def _pieces(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    return [data[a:b] for a, b in zip((0, *cuts), (*cuts, len(data)), strict=True)]


def _receive(
    loop: asyncio.AbstractEventLoop, pieces: Sequence[bytes], *, closed: bool
) -> HttpReply | Failure:
    protocol = _Exchange(loop.create_future(), b"POST")
    wire = _Wire()
    protocol.connection_made(wire)  # type: ignore[arg-type]  # as much of it as is used
    for piece in pieces:
        if piece and not wire.aborted:
            protocol.data_received(piece)
            assert protocol._body_bytes <= MAX_BODY_BYTES + len(piece)
    if closed:
        protocol.connection_lost(None)
    result = protocol.done.result() if protocol.done.done() else protocol.timed_out()
    protocol.abandon()
    return result


def _check_exchange(result: HttpReply | Failure) -> None:
    if isinstance(result, Failure):
        assert result.observation.detail in _HTTP_DETAILS
        assert result.observation.status in (Status.SERVICE_FAULT, Status.TIMEOUT)
        return
    assert len(result.body) <= MAX_BODY_BYTES
    assert sum(len(name) + len(value) for name, value in result.headers) <= MAX_HEADER_BYTES
    assert result.code >= 200


def _has_length(result: HttpReply | Failure) -> bool:
    """Whether the end of the body does not hang on the end of the connection."""
    return isinstance(result, HttpReply) and bool(
        result.header_values("content-length") or result.header_values("transfer-encoding")
    )


def _essence(result: HttpReply | Failure) -> tuple[object, ...]:
    assert isinstance(result, HttpReply)
    return result.code, result.headers, result.body


# --- the digest challenge ---


def check_challenge(data: bytes) -> None:
    """Header values, one a line: what is echoed reads back as it was given, and breaks no line."""
    chosen = choose_challenge(data.decode("latin-1").split("\n"))
    if chosen is None:
        return
    value = digest_authorization(chosen, "admin", PASSWORD, method="POST", uri="/x")
    assert value.startswith("Digest ")
    assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value)
    value.encode("latin-1")
    assert PASSWORD not in value
    sent = parse_keqv_list(parse_http_list(value.removeprefix("Digest ")))
    assert sent["nonce"] == chosen.nonce
    assert sent["realm"] == chosen.realm
    assert sent.get("opaque") == chosen.opaque
    assert sent["algorithm"] == chosen.algorithm
    assert ("qop" in sent) is chosen.qop


# --- the whole conversation ---


def check_conversation(data: bytes) -> None:
    """Two probes of a camera that gives these answers in turn, the last one for ever."""
    answers = data.split(SEPARATOR)
    asked: list[bytes] = []

    async def exchange(
        address: str, port: int, request: bytes, deadline: float, *, tls: bool = False
    ) -> HttpReply | Failure:
        asked.append(request)
        answer = answers[min(len(asked), len(answers)) - 1]
        with closing(asyncio.new_event_loop()) as loop:
            return _receive(loop, [answer], closed=True)

    prober = OnvifProber()
    target = Target(1, "127.0.0.1", 80, ProbeMethod.ONVIF, username="admin", password=PASSWORD)
    with patch.object(conversation, "exchange", exchange):
        for _ in range(2):
            asked_before = len(asked)
            observation = _run(prober(target, math.inf))
            _check_observation(observation)
            assert len(asked) - asked_before <= 6
    assert not any(PASSWORD.encode() in request for request in asked)


def _run(coroutine: Coroutine[Any, Any, Observation]) -> Observation:
    """Drive a coroutine that never waits for anything."""
    with pytest.raises(StopIteration) as stop:
        coroutine.send(None)
    assert isinstance(stop.value.value, Observation)
    return stop.value.value


def _check_observation(observation: Observation) -> None:
    assert observation.status not in _IMPOSSIBLE
    assert observation.status is not Status.TIMEOUT
    detail = observation.detail
    known = detail in _REPLY_DETAILS | _HTTP_DETAILS or _ASK_DETAIL.fullmatch(detail)
    assert known, f"a detail that is not ours: {detail!r}"


CHECKS: Mapping[str, Callable[[bytes], None]] = {
    "reply": check_reply,
    "http": check_http,
    "challenge": check_challenge,
    "conversation": check_conversation,
    **MEDIA_CHECKS,
}
"""Every reader that is fuzzed, by the name of its corpus."""
