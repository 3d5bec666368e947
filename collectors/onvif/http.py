"""One HTTP exchange with a camera that is not trusted: connect, send, read, close.

The whole of it is bounded by a deadline, its header by 32 KiB, its body by 256 KiB. No redirect is
followed, no proxy is taken from the environment, nothing is kept between exchanges. What the camera
does wrong is a `Failure`, never an exception. Source: DESIGN §5.
"""

import asyncio
import functools
import ssl
import time
import zlib
from dataclasses import dataclass
from typing import cast

import httptools

from collectors.probe import Observation
from collectors.tcp import observe_failure
from kpi.status import Status

MAX_HEADER_BYTES = 32 * 1024
MAX_BODY_BYTES = 256 * 1024
_END_BYTES = 64
"""Of a body, searched for the end of its envelope: that and some blanks."""


@dataclass(frozen=True, slots=True)
class HttpReply:
    """A complete reply. `headers` keep their order and repetitions, names in lower case.

    `latency_ms` runs from our first byte to the camera's last.
    """

    code: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    latency_ms: float

    def header_values(self, name: str) -> list[str]:
        """The values of every header `name` (lower case)."""
        return [value for key, value in self.headers if key == name]


@dataclass(frozen=True, slots=True)
class Failure:
    """No usable reply: what that says of the camera.

    `closed_early` says that it took the connection and closed it without a byte.
    """

    observation: Observation
    closed_early: bool = False


async def exchange(
    address: str, port: int, request: bytes, deadline: float, *, tls: bool = False
) -> HttpReply | Failure:
    """Send `request` over a connection of its own and return what came back by `deadline`.

    `deadline` is in the running loop's `time()`.
    """
    loop = asyncio.get_running_loop()
    protocol = _Exchange(loop.create_future(), request)
    context = unverified_tls() if tls else None
    try:
        async with asyncio.timeout_at(deadline):
            await loop.create_connection(lambda: protocol, address, port, ssl=context)
            return await protocol.done
    except TimeoutError:
        return protocol.timed_out()
    except ssl.SSLError:
        return _fault("the TLS handshake failed")
    except OSError as error:
        return _connect_failure(error, protocol, tls)
    finally:
        protocol.abandon()


def _fault(detail: str) -> Failure:
    return Failure(Observation(Status.SERVICE_FAULT, detail=detail))


def _closed_early() -> Failure:
    detail = "closed the connection without an answer"
    return Failure(Observation(Status.SERVICE_FAULT, detail=detail), closed_early=True)


def _connect_failure(error: OSError, protocol: "_Exchange", tls: bool) -> Failure:
    """A reset during the TLS handshake comes from a host that took the connection."""
    shaken_off = isinstance(error, ConnectionError) and not isinstance(
        error, ConnectionRefusedError
    )
    if shaken_off and (tls or protocol.connected):
        return _closed_early()
    return Failure(observe_failure(error))


def new_unverified_tls() -> ssl.SSLContext:
    """Cameras carry self-signed certificates with small keys; the register said `tls`, no more."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


@functools.cache
def unverified_tls() -> ssl.SSLContext:
    """The one that all exchanges share."""
    return new_unverified_tls()


class _Exchange(asyncio.Protocol):
    """Callbacks of the transport and of `httptools`; the result goes into `done`."""

    __slots__ = (
        "_body",
        "_body_bytes",
        "_code",
        "_has_length",
        "_header_bytes",
        "_headers",
        "_headers_complete",
        "_parser",
        "_received",
        "_request",
        "_started",
        "_transport",
        "done",
    )

    def __init__(self, done: asyncio.Future[HttpReply | Failure], request: bytes) -> None:
        self.done = done
        self._request = request
        self._transport: asyncio.Transport | None = None
        self._started = 0.0
        self._received = 0
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._restart()

    def _restart(self) -> None:
        self._code = 0
        self._headers: list[tuple[str, str]] = []
        self._header_bytes = 0
        self._headers_complete = False
        self._has_length = False
        self._body: list[bytes] = []
        self._body_bytes = 0

    @property
    def connected(self) -> bool:
        return self._transport is not None

    # -- transport ---------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self.done.done():  # given up while the connection was on its way
            self._transport.abort()
            return
        self._started = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self.done.done() or self._parser is None:
            return
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._end(_fault("answers something that is not HTTP"))
            return
        if not self._headers_complete and self._received > MAX_HEADER_BYTES:
            self._end(_fault("its HTTP header is too long"))
        elif self._runs_to_the_close() and _closes_envelope(self._body):
            self._complete()  # it announced the close and may leave the socket open

    def connection_lost(self, exc: Exception | None) -> None:
        if self.done.done():
            return
        if self._runs_to_the_close():
            self._complete()
        else:
            self._end(_fault("its answer was cut off") if self._received else _closed_early())

    # -- httptools ---------------------------------------------------------------------------

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_bytes += len(name) + len(value) + 4
        if self._header_bytes > MAX_HEADER_BYTES:
            self._end(_fault("its HTTP header is too long"))
            return
        key = name.decode("latin-1").lower()
        if key in ("content-length", "transfer-encoding"):
            self._has_length = True
        self._headers.append((key, value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        if self._parser is not None:
            self._headers_complete = True
            self._code = self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self._body_bytes > MAX_BODY_BYTES:
            self._end(_fault("its answer is too long"))
        else:
            self._body.append(body)

    def on_message_complete(self) -> None:
        if self._code < 200:  # "100 Continue": the answer is still to come
            self._restart()
        else:
            self._complete()

    # -- endings -----------------------------------------------------------------------------

    def _runs_to_the_close(self) -> bool:
        return self._headers_complete and not self._has_length

    def _complete(self) -> None:
        if self.done.done():
            return
        if self._code < 200:  # provisional, yet with a body that runs to the close
            self._end(_fault("answers something that is not HTTP"))
            return
        latency_ms = (time.perf_counter() - self._started) * 1000
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        plain = _decode(body, self._headers)
        if plain is None:
            self._end(_fault("its compressed answer cannot be read"))
        else:
            self._end(HttpReply(self._code, tuple(self._headers), plain, latency_ms))

    def _end(self, result: HttpReply | Failure) -> None:
        if not self.done.done():
            self.done.set_result(result)
            self.abandon()

    def timed_out(self) -> Failure:
        """What the deadline's passing means: silence is a time-out, half an answer a fault."""
        if self._received:
            return _fault("its answer was not finished in time")
        seen = "took the connection, then no answer" if self.connected else "no answer"
        return Failure(Observation(Status.TIMEOUT, detail=seen))

    def abandon(self) -> None:
        """Close at once, without waiting for a peer that may never close its side."""
        self.done.cancel()
        self._parser = None  # it refers to us: without the circle nothing is left to the collector
        if self._transport is not None:
            self._transport.abort()


def _closes_envelope(body: list[bytes]) -> bool:
    """Whether the end of an envelope came, wherever the network cut it."""
    end = b""
    for piece in reversed(body):
        end = piece[-_END_BYTES:] + end
        if len(end) >= _END_BYTES:
            break
    return end.rstrip().endswith(b"Envelope>")


def _decode(body: bytes, headers: list[tuple[str, str]]) -> bytes | None:
    """The body as it was before compression; None where that is broken or too long.

    We never ask for compression, yet some send it; some send gzip without saying so.
    """
    if not body.startswith(b"\x1f\x8b") and not any(
        key == "content-encoding" and value.strip().lower() not in ("", "identity")
        for key, value in headers
    ):
        return body
    decoder = zlib.decompressobj(wbits=47)  # gzip or zlib, by its header
    try:
        plain = decoder.decompress(body, MAX_BODY_BYTES + 1)
    except zlib.error:
        return None
    return plain if decoder.eof and len(plain) <= MAX_BODY_BYTES else None
