"""Odd ways of sending: each delivery changes what becomes of a rendered reply on the wire.

A new one is a function and a line in `DELIVERIES`; its name is at once a fault kind of scenarios.
Source of the list: DESIGN §5.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count

from collectors.simulator.wire import Request

_LENGTH = re.compile(rb"\r\nContent-Length: \d+")
_CONNECTION = re.compile(rb"\r\nConnection: [^\r]*")
_PIECE = 4096
_DRIP_S = 0.02
_BREATH_S = 0.001  # between pieces without end, so that other connections get their turn


@dataclass(frozen=True, slots=True)
class Sending:
    """Pieces of bytes with `pause_s` seconds between them, and whether the camera closes then.

    The pieces may be without end where there is a pause.
    """

    pieces: Iterable[bytes]
    closes: bool
    pause_s: float = 0.0


Delivery = Callable[[Sending, Request, int], Sending]
"""(what would be sent, the request, its number since the scenario began) -> what is sent."""


def _split(sending: Sending) -> tuple[bytes, bytes]:
    """Head (without the blank line) and body."""
    head, _, body = b"".join(sending.pieces).partition(b"\r\n\r\n")
    return head, body


def _to_the_close(head: bytes, body: bytes) -> bytes:
    """Without a length: the body ends where the connection does."""
    head = _CONNECTION.sub(b"", _LENGTH.sub(b"", head)) + b"\r\nConnection: close"
    return head + b"\r\n\r\n" + body


def chunked(sending: Sending, request: Request, number: int) -> Sending:
    """In chunks of 100 bytes."""
    head, body = _split(sending)
    head = _LENGTH.sub(b"", head) + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = [body[at : at + 100] for at in range(0, len(body), 100)]
    pieces = [b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in (*chunks, b"")]
    return replace(sending, pieces=(head, *pieces))


def http_1_0(sending: Sending, request: Request, number: int) -> Sending:
    """HTTP/1.0: no length, the body ends with the connection."""
    head, body = _split(sending)
    reply = _to_the_close(head, body).replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    return Sending((reply,), closes=True)


def close_left_open(sending: Sending, request: Request, number: int) -> Sending:
    """Announces the close, gives no length, and leaves the socket open."""
    return Sending((_to_the_close(*_split(sending)),), closes=False)


def truncated_body(sending: Sending, request: Request, number: int) -> Sending:
    """Closes before the end of the length it announced."""
    whole = b"".join(sending.pieces)
    return Sending((whole[:-40],), closes=True)


def truncated_to_the_close(sending: Sending, request: Request, number: int) -> Sending:
    """Announces no length and closes before the end of the envelope."""
    return Sending((_to_the_close(*_split(sending))[:-40],), closes=True)


def closes_silently(sending: Sending, request: Request, number: int) -> Sending:
    """Every other request, the first of all included, is met by a close without a byte."""
    return Sending((), closes=True) if number % 2 else sending


def closes_always(sending: Sending, request: Request, number: int) -> Sending:
    """Reads every request and closes."""
    return Sending((), closes=True)


def silent_at_password(sending: Sending, request: Request, number: int) -> Sending:
    """Says nothing more to whoever shows a password."""
    return Sending((), closes=False) if request.shows_password else sending


def closes_at_password(sending: Sending, request: Request, number: int) -> Sending:
    """Reads the first request that shows a password, then closes without a byte; the next is met.

    It has seen the nonce all the same.
    """
    lost = request.shows_password and number == 2  # the first comes without
    return Sending((), closes=True) if lost else sending


def slow_drip(sending: Sending, request: Request, number: int) -> Sending:
    """A byte at a time, fifty a second."""
    whole = b"".join(sending.pieces)
    drops = (whole[at : at + 1] for at in range(len(whole)))
    return replace(sending, pieces=drops, pause_s=_DRIP_S)


def oversized_body(sending: Sending, request: Request, number: int) -> Sending:
    """A body without end and without a length."""
    head, body = _split(sending)
    start = _to_the_close(head, body.removesuffix(b"</s:Envelope>"))
    return Sending(_endless(start, lambda _: b" " * _PIECE), closes=False, pause_s=_BREATH_S)


def endless_headers(sending: Sending, request: Request, number: int) -> Sending:
    """One header after another, each well formed."""
    return Sending(
        _endless(b"HTTP/1.1 200 OK\r\n", lambda at: b"X-%d: %b\r\n" % (at, b"y" * 200)),
        closes=False,
        pause_s=_BREATH_S,
    )


def _endless(start: bytes, piece: Callable[[int], bytes]) -> Iterator[bytes]:
    yield start
    yield from (piece(at) for at in count())


DELIVERIES: Mapping[str, Delivery] = {
    function.__name__: function
    for function in (
        chunked,
        http_1_0,
        close_left_open,
        truncated_body,
        truncated_to_the_close,
        closes_silently,
        closes_always,
        silent_at_password,
        closes_at_password,
        slow_drip,
        oversized_body,
        endless_headers,
    )
}
