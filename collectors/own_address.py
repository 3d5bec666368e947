"""Addresses that a device tells of itself, kept to the device's own.

Cameras name hosts that are wrong (the address they had at the factory, one behind a NAT) or
another's. So the host of what they name is never followed: the device is asked at the address of
the register, at the port and path that it named. Credentials in such an address are dropped.
Source: DESIGN §5, docs/decisions/0006-video-check.md.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

LONGEST_URI = 2048
RTSP = {"rtsp": (554, False), "rtsps": (322, True)}
HTTP = {"http": (80, False), "https": (443, True)}
_ALLOWED = "/?&=:;,@!$'()*+~.-_%[]"
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f]")


@dataclass(frozen=True, slots=True)
class Place:
    """Where to ask a device. `uri` names the same place, as a request does."""

    address: str
    port: int
    tls: bool
    uri: str


def own_place(named: str, address: str, schemes: Mapping[str, tuple[int, bool]]) -> Place | None:
    """The place at `address` that a device means by the URI it `named`.

    `schemes` are those that are known, each with its port and whether it is TLS (`RTSP`, `HTTP`).
    None where the URI is of another scheme or cannot be read.
    """
    named = named.strip()
    if len(named) > LONGEST_URI or _UNPRINTABLE.search(named):
        return None
    try:
        parts = urlsplit(named)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in schemes:
        return None
    usual_port, tls = schemes[parts.scheme]
    port = port or usual_port
    host = f"[{address}]" if ":" in address else address
    path = quote(parts.path or "/", safe=_ALLOWED)
    query = f"?{quote(parts.query, safe=_ALLOWED)}" if parts.query else ""
    return Place(address, port, tls, f"{parts.scheme}://{host}:{port}{path}{query}")
