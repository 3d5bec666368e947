"""What must hold of every byte that a camera's media services may send: RTSP, SDP, pictures."""

import random
import zlib
from collections.abc import Callable, Mapping, Sequence

from collectors.media_password import authorization
from collectors.onvif.http import MAX_BODY_BYTES, MAX_HEADER_BYTES, Failure
from collectors.picture import size_of
from collectors.probe import ProbeMethod, Target
from collectors.rtsp.check import _judge
from collectors.rtsp.connection import Reply, _Reading
from collectors.rtsp.sdp import video_codec
from kpi.status import Status

_DETAILS = {
    "answers something that is not RTSP",
    "its RTSP header is too long",
    "its RTSP answer is too long",
    "its RTSP answer was cut off",
    "closed the RTSP connection without an answer",
}
PASSWORD = "not-to-be-shown"
_TARGET = Target(1, "127.0.0.1", 80, ProbeMethod.ONVIF, username="用户", password=PASSWORD)


def check_rtsp(data: bytes) -> None:
    """An answer in one piece, in two, and byte by byte; the end of the connection follows."""
    dice = random.Random(zlib.crc32(data))  # noqa: S311 - choices that belong to the input
    cut = dice.randint(0, len(data))
    ways: tuple[Sequence[bytes], ...] = (
        [data],
        [data[:cut], data[cut:]],
        [data[at : at + 1] for at in range(min(len(data), 2000))] + [data[2000:]],
    )
    results = [_read(pieces) for pieces in ways]
    for result in results:
        _check(result)
    if all(isinstance(result, Reply) for result in results):
        assert len({_essence(result) for result in results}) == 1, "it matters where it was cut"


def _read(pieces: Sequence[bytes]) -> Reply | Failure:
    reading = _Reading()
    for piece in pieces:
        if piece and reading.goes_on:
            reading.feed(piece)
    if reading.goes_on:
        reading.feed(b"")
    return reading.result()


def _check(result: Reply | Failure) -> None:
    judged = _judge(result)
    assert judged.status in (Status.INTACT, Status.NO_VIDEO)
    assert judged.detail.isprintable()
    if isinstance(result, Failure):
        assert result.observation.detail in _DETAILS
        return
    assert len(result.body) <= MAX_BODY_BYTES
    assert sum(len(name) + len(value) for name, value in result.headers) <= MAX_HEADER_BYTES
    shown = authorization(
        result.header_values("www-authenticate"), _TARGET, "DESCRIBE", "rtsp://127.0.0.1:554/"
    )
    if shown is not None:
        shown.encode("latin-1")
        assert PASSWORD not in shown
        assert "\r" not in shown
        assert "\n" not in shown


def _essence(result: Reply | Failure) -> tuple[object, ...]:
    assert isinstance(result, Reply)
    return result.code, result.headers, result.body


def check_sdp(data: bytes) -> None:
    """A codec, if any, is short and can be shown."""
    codec = video_codec(data)
    assert len(codec) <= 32
    assert codec.isprintable()


def check_picture(data: bytes) -> None:
    """A size, if any, is that of something."""
    size = size_of(data)
    assert size is None or min(size) > 0


MEDIA_CHECKS: Mapping[str, Callable[[bytes], None]] = {
    "rtsp": check_rtsp,
    "sdp": check_sdp,
    "picture": check_picture,
}
