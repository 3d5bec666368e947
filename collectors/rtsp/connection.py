"""A connection to a camera's RTSP server, which is not trusted: ask, read, at most so much.

A reply's header is bounded by 32 KiB, its body by 256 KiB. What the camera does wrong is a
`Failure`, never an exception; the deadline is the caller's. httptools' parser (llhttp) reads the
replies: it knows the status line `RTSP/1.0 200 OK`. Source: RFC 2326.
"""

import asyncio
import ssl
import time
from collections.abc import Callable

import httptools

from collectors.onvif.http import (
    MAX_BODY_BYTES,
    MAX_HEADER_BYTES,
    Failure,
    HttpReply,
    unverified_tls,
)
from collectors.own_address import Place
from collectors.probe import Observation
from collectors.tcp import observe_failure
from kpi.status import Status

_CHUNK = 16 * 1024
_PROTOCOL = b"RTSP/"

Authorize = Callable[[int], str | None]
"""How often this challenge was answered with this one -> value of the `Authorization` header."""


class Reply(HttpReply):
    """A complete reply, which has the form of an HTTP one."""

    __slots__ = ()

    @property
    def closes(self) -> bool:
        """Whether the camera will end the connection."""
        return any(value.lower() == "close" for value in self.header_values("connection"))


def no_video(detail: str, latency_ms: float | None = None) -> Observation:
    """It offers no video that could be played, for this reason."""
    return Observation(Status.NO_VIDEO, latency_ms, detail=detail)


def not_measured(detail: str) -> Observation:
    """What says nothing about the camera's video."""
    return Observation(Status.UNKNOWN, detail=detail)


class Connection:
    """Opened when something is asked, and again where the camera has closed it meanwhile."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._was_open = False
        self._reading: _Reading | None = None
        self._sequence = 0

    async def ask(self, method: str, authorize: Authorize | None = None) -> Reply | Failure:
        """The reply to `method`; asked once more where the camera closed without a byte."""
        for count in (1, 2):
            reply = await self._ask_once(self._request(method, authorize and authorize(count)))
            if isinstance(reply, Failure) or reply.closes:
                self.close()
            if isinstance(reply, Reply) or not reply.closed_early:
                break
        return reply

    def timed_out(self) -> Observation:
        """What the deadline's passing means.

        A connection that never came about may be held up on the way: that is no word on the video.
        """
        if self._reading and self._reading.received:
            return no_video("its RTSP answer was not finished in time")
        if self._was_open:
            return no_video("took the RTSP connection, then no answer")
        return not_measured(f"no answer from RTSP port {self._place.port}")

    def close(self) -> None:
        """Close at once, without waiting for a peer that may never close its side."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None

    def _request(self, method: str, authorization: str | None) -> bytes:
        self._sequence += 1
        lines = [f"{method} {self._place.uri} RTSP/1.0", f"CSeq: {self._sequence}"]
        if method == "DESCRIBE":
            lines.append("Accept: application/sdp")
        if authorization:
            lines.append(f"Authorization: {authorization}")
        lines.append("User-Agent: Intact")
        return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")

    async def _ask_once(self, request: bytes) -> Reply | Failure:
        try:
            reader, writer = self._streams or await self._open()
        except ssl.SSLError:
            return Failure(no_video("the TLS handshake failed"))
        except OSError as error:
            return Failure(self._unopened(error))
        self._reading = reading = _Reading()
        try:
            writer.write(request)
            while reading.goes_on:
                reading.feed(await reader.read(_CHUNK))
        except OSError:  # a reset, or broken TLS, is an end like any other
            reading.feed(b"")
        return reading.result()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        place = self._place
        context = unverified_tls() if place.tls else None
        self._streams = await asyncio.open_connection(place.address, place.port, ssl=context)
        self._was_open = True
        return self._streams

    def _unopened(self, error: OSError) -> Observation:
        """Only a port that refuses says that there is no video; a silent one may be walled off."""
        seen = observe_failure(error)
        port = f"RTSP port {self._place.port}"
        if seen.status is Status.REFUSED:
            return no_video(f"nothing listens on its {port}")
        return not_measured(f"{seen.detail} ({port})")


class _Reading:
    """One reply being read: the callbacks of httptools."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._started = time.perf_counter()
        self._first = b""
        self.received = 0
        self._problem = ""
        self._closed = False
        self._code = 0
        self._headers: list[tuple[str, str]] = []
        self._header_bytes = 0
        self._body = bytearray()
        self._has_length = False
        self._headers_complete = self._complete = False

    @property
    def goes_on(self) -> bool:
        return not (self._complete or self._closed or self._problem)

    def feed(self, data: bytes) -> None:
        """Take what arrived; empty: the connection has ended."""
        self.received += len(data)
        if not data:
            self._closed = True
            return
        self._first = (self._first + data)[: len(_PROTOCOL)]
        if not _PROTOCOL.startswith(self._first):
            self._problem = "answers something that is not RTSP"
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            if not self._complete:  # without a length no body follows: what does is not read
                self._problem = "answers something that is not RTSP"
        if not self._headers_complete and self.received > MAX_HEADER_BYTES:
            self._problem = "its RTSP header is too long"

    def result(self) -> Reply | Failure:
        """What was read, when nothing goes on."""
        if self._problem:
            return Failure(no_video(self._problem))
        if self._complete:
            latency_ms = (time.perf_counter() - self._started) * 1000
            return Reply(self._code, tuple(self._headers), bytes(self._body), latency_ms)
        if self.received:
            return Failure(no_video("its RTSP answer was cut off"))
        return Failure(no_video("closed the RTSP connection without an answer"), closed_early=True)

    # -- httptools ---------------------------------------------------------------------------

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_bytes += len(name) + len(value) + 4
        if self._header_bytes > MAX_HEADER_BYTES:
            self._problem = "its RTSP header is too long"
            return
        key = name.decode("latin-1").lower()
        self._has_length |= key == "content-length"
        self._headers.append((key, value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        self._headers_complete = True
        self._code = self._parser.get_status_code()
        # RFC 2326, 12.14: without a length there is no body (in HTTP it runs to the close)
        self._complete = not self._has_length

    def on_body(self, body: bytes) -> None:
        if self._complete:
            return
        if len(self._body) + len(body) > MAX_BODY_BYTES:
            self._problem = "its RTSP answer is too long"
        else:
            self._body += body

    def on_message_complete(self) -> None:
        self._complete = True
