"""Whatever bytes come back: always an observation, never an exception, never an outage."""

import asyncio
import contextlib
from typing import Any

import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.onvif.envelope import Operation
from collectors.onvif.prober import OnvifProber
from collectors.onvif.reply import SoapReply, read_reply
from collectors.probe import Observation, ProbeMethod, Target
from collectors.simulator.replies import clock_bytes, clock_reply, fault
from collectors.simulator.wire import render
from kpi.status import Status

GUARD_S = 5.0
OFFLINE = {Status.TIMEOUT, Status.REFUSED, Status.UNREACHABLE}

_DATE = clock_reply(1_790_000_000).body
_REFUSAL = fault(400, "Sender", "NotAuthorized", "sender not authorized")
_CHALLENGE = (
    b"HTTP/1.1 401 Unauthorized\r\n"
    b'WWW-Authenticate: Digest realm="r", qop="auth", nonce="n", algorithm=MD5\r\n'
    b"Date: Mon, 21 Sep 2026 10:00:00 GMT\r\nContent-Length: 0\r\n\r\n"
)
_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (
    len(_DATE),
    _DATE,
)
_REPLIES = [
    clock_bytes(1_790_000_000, False),
    render(_REFUSAL, keep_alive=False),
    _CHALLENGE,
    _CHUNKED,
    b"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n" + _DATE,
]
_SPICE = st.sampled_from(
    [b"\r\n", b"\r\n\r\n", b"\0", b"\xff", b"<", b">", b"&", b'"', b"9" * 5000, b"-1", b":", b"=",
     b"<!DOCTYPE s>", b"<![CDATA[", b"<!--", b"\x1f\x8b", b"Content-Encoding: gzip\r\n", b"chunked",
     b"HTTP/1.1 100 Continue\r\n\r\n", b"stale=true", b"Digest "]
)  # fmt: skip
_EDITS = st.lists(
    st.tuples(st.integers(0, 3000), st.integers(0, 60), st.binary(max_size=8) | _SPICE), max_size=6
)


def _edited(content: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    """With bytes taken out and others put in, wherever the places fall."""
    for place, taken, put in edits:
        at = place % (len(content) + 1)
        content = content[:at] + put + content[at + taken :]
    return content


def _headed(headers: list[tuple[str, bytes]], code: int, body: bytes) -> bytes:
    lines = b"".join(name.encode() + b": " + value + b"\r\n" for name, value in headers)
    return b"HTTP/1.1 %d X\r\n%b\r\n%b" % (code, lines, body)


_HEADER_VALUES = st.text(
    st.characters(min_codepoint=32, max_codepoint=255), max_size=30
).map(lambda text: text.encode("latin-1")) | st.sampled_from(
    [b"", b"0", b"-1", b"7, 7", b"99999999999999999999", b"gzip", b"deflate", b"identity",
     b"chunked", b"gzip, chunked", b"Digest", b'Digest nonce="n", algorithm=MD5-sess',
     b'Digest nonce="n", stale=true', b'Basic realm="r"', b"Mon, 31 Feb 2026 10:00:00 GMT",
     b"Fri, 01 Jan 0001 00:00:00 GMT", b"Fri, 31 Dec 9999 23:59:59 GMT", b"close", b"upgrade"]
)  # fmt: skip
_MUTATED = st.builds(_edited, st.sampled_from(_REPLIES), _EDITS)
_HEADED = st.builds(
    _headed,
    st.lists(
        st.tuples(
            st.sampled_from(
                ["Content-Length", "Transfer-Encoding", "Content-Encoding", "WWW-Authenticate",
                 "Date", "Connection", "Location", "Upgrade"]
            ),
            _HEADER_VALUES,
        ),
        max_size=4,
    ),
    st.sampled_from([100, 101, 200, 204, 302, 304, 400, 401, 403, 407, 500, 999]),
    st.sampled_from([b"", _DATE, _REFUSAL.body, b"<html>"]),
)  # fmt: skip
_ANSWERS = st.lists(
    st.tuples(_HEADED | _MUTATED | st.binary(max_size=200), st.integers(1, 2000)),
    min_size=1,
    max_size=3,
)
"""(bytes, where they are split in two) for each connection; the last serves all that follow."""


async def _meet(answers: list[tuple[bytes, int]]) -> tuple[list[Observation], list[dict[str, Any]]]:
    """What is observed in two probes, and what the loop had to report."""
    defects: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: defects.append(context))
    served = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        answer, split = answers[min(served, len(answers) - 1)]
        served += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"</s:Envelope>")
            for part in (answer[:split], answer[split:]):
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    target = Target(
        1, "127.0.0.1", port, ProbeMethod.ONVIF, username="admin", password="not-to-be-shown"
    )
    prober = OnvifProber()
    try:
        seen = [await prober(target, loop.time() + GUARD_S) for _ in range(2)]
    finally:
        server.close()
        await asyncio.sleep(0)
    return seen, defects


@settings(deadline=None, max_examples=150)
@given(answers=_ANSWERS)
def test_any_answer_is_an_observation(answers: list[tuple[bytes, int]]) -> None:
    seen, defects = uvloop.run(_meet(answers))
    assert not defects
    for observation in seen:
        assert isinstance(observation, Observation)
        assert observation.status not in OFFLINE, observation
        assert observation.status is not Status.UNKNOWN, observation
        assert "not-to-be-shown" not in observation.detail


@settings(deadline=None)
@given(
    body=st.sampled_from([_DATE, _REFUSAL.body]),
    edits=_EDITS,
    operation=st.sampled_from(["GetSystemDateAndTime", "GetDeviceInformation"]),
)
def test_any_body_is_read(body: bytes, edits: list[tuple[int, int, bytes]], operation: str) -> None:
    """Twice, so that what was learnt from the first reading does not change the second."""
    mutated = _edited(body, edits)
    first = read_reply(mutated, Operation(operation).name)
    assert isinstance(first, SoapReply)
    assert read_reply(mutated, Operation(operation).name) == first
