"""Whatever a camera tells of itself: always an inspection, never an exception, never an outage."""

import asyncio
import contextlib
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.onvif.inspection import Inspection
from collectors.onvif.inspector import Inspector
from collectors.onvif.telling import URI_LENGTH
from collectors.probe import ProbeMethod, Target
from collectors.simulator import replies
from collectors.simulator.fleet import Device, build_fleet
from collectors.simulator.wire import Reply, render
from kpi.status import Status

GUARD_S = 10.0
ALIVE = {Status.INTACT, Status.AUTH_FAILED, Status.SERVICE_FAULT, Status.NO_VIDEO}

_PIECES = re.compile(rb"(<[^>]*>)")
_SPICE = st.sampled_from(
    [b"", b"\xff", b"&#0;", b"&amp;", b"]]>", b"-1", b"1e9", b"true", b"9" * 400, b"x" * 600,
     b"<tt:Extension/>", b"<tt:Name>", b"</tt:Name>", b"<![CDATA[<a>]]>", b"<!-- - -->",
     b"<?php ?>", b"P1Y", b"rtsp://a:b@c@d/", b"rtsp://[", b"http:///", b"\xe5\xae\x8c",
     b'<trt:Profiles token=""/>', b'<trt:Profiles token="a"/>' * 100,
     b'<tt:Uri xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="tt:Profile">u</tt:Uri>']
)  # fmt: skip
_EDITS = st.lists(st.tuples(st.integers(0, 200), _SPICE | st.binary(max_size=6)), max_size=5)


def _edited(body: bytes, edits: list[tuple[int, bytes]]) -> bytes:
    """With tags, or the text between them, replaced."""
    pieces = _PIECES.split(body)
    for place, put in edits:
        pieces[place % len(pieces)] = put
    return b"".join(pieces)


@pytest.fixture(scope="module")
def inspector() -> Iterator[Inspector]:
    with Inspector(question_s=GUARD_S, workers=1) as ready:
        yield ready


async def _meet(inspector: Inspector, device: Device, edits: list[tuple[int, bytes]]) -> Inspection:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            request = await reader.readuntil(b"</s:Envelope>")
            operation = replies.operation_of(request)
            if operation == replies.CLOCK_OPERATION:
                reply = replies.clock_reply(1_790_000_000)
            else:
                reply = Reply(200, _edited(replies.answer(device, operation, request).body, edits))
            writer.write(render(reply, keep_alive=False))
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    target = Target(1, "127.0.0.1", server.sockets[0].getsockname()[1], ProbeMethod.ONVIF)
    try:
        return await inspector(target, asyncio.get_running_loop().time() + 2 * GUARD_S)
    finally:
        server.close()
        await asyncio.sleep(0)


@settings(deadline=None, max_examples=150)
@given(edits=_EDITS)
def test_any_answer_is_an_inspection(inspector: Inspector, edits: list[tuple[int, bytes]]) -> None:
    (camera,) = build_fleet(1, 1).cameras
    seen = uvloop.run(_meet(inspector, camera, edits))
    assert seen.status in ALIVE, seen
    facts = seen.facts
    for uri in (facts.stream_uri, facts.snapshot_uri):
        assert uri is None or (len(uri) <= URI_LENGTH and urlsplit(uri).username is None)
    for told in (facts.vendor, facts.model, facts.serial, facts.firmware, facts.hardware_id):
        assert told is None or (0 < len(told) <= 64 and "\x00" not in told)
