"""Cameras that answer a WS-Discovery probe, each from its own loopback address.

`strays` answer too: datagrams as no good camera sends them, each from an address of its own.
"""

import asyncio
import re
import socket
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote
from xml.sax.saxutils import escape

from collectors.simulator.fleet import Device
from collectors.simulator.replies import DEVICE_PATH

GROUP = "239.255.255.250"
_LOOPBACK = "127.0.0.1"
_MESSAGE_ID = re.compile(rb"MessageID[^>]*>\s*([^<\s]+)")
_ASKED_TYPE = b":NetworkVideoTransmitter<"


@dataclass(frozen=True, slots=True)
class Stray:
    """What answers from `address`: the datagram that `answer` makes of the probe's message id."""

    address: str
    answer: Callable[[str], bytes]


class Announcer:
    """Answers probes sent to the group at `port`, as `async with Announcer(...):`."""

    def __init__(self, cameras: Sequence[Device], port: int, strays: Sequence[Stray] = ()) -> None:
        self._port = port
        self._voices = [
            *(Stray(each.address, _announcement(each)) for each in cameras),
            *strays,
        ]
        self._transport: asyncio.DatagramTransport | None = None
        self.probes: list[bytes] = []

    async def __aenter__(self) -> "Announcer":
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: _Ear(self), sock=_member_of_the_group(self._port)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._transport is not None:
            self._transport.close()
        await asyncio.sleep(0)

    def heard(self, probe: bytes, sender: tuple[str, int]) -> None:
        """Answer a probe for cameras, and note it."""
        self.probes.append(probe)
        message = _MESSAGE_ID.search(probe)
        if message is None or _ASKED_TYPE not in probe:
            return
        for voice in self._voices:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth:
                mouth.bind((voice.address, 0))
                mouth.sendto(voice.answer(message[1].decode()), sender)


class _Ear(asyncio.DatagramProtocol):
    def __init__(self, announcer: Announcer) -> None:
        self._announcer = announcer

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        self._announcer.heard(data, (str(addr[0]), int(addr[1])))


def _member_of_the_group(port: int) -> socket.socket:
    ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ear.setblocking(False)
    ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    ear.bind((GROUP, port))
    membership = struct.pack("4s4s", socket.inet_aton(GROUP), socket.inet_aton(_LOOPBACK))
    ear.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    return ear


def _announcement(device: Device) -> Callable[[str], bytes]:
    scopes = (
        "onvif://www.onvif.org/type/video_encoder",
        f"onvif://www.onvif.org/name/{quote(device.name)}",
        f"onvif://www.onvif.org/hardware/{quote(device.model)}",
        f"onvif://www.onvif.org/location/{quote(device.install_address)}",
    )
    address = f"http://{device.address}:{device.port}{DEVICE_PATH}"
    return lambda message: matches(message, address, " ".join(scopes))


def matches(message: str, addresses: str, scopes: str, types: str = "") -> bytes:
    """A ProbeMatches with one match."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
        ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
        ' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"'
        ' xmlns:dn="http://www.onvif.org/ver10/network/wsdl">'
        f"<s:Header><a:RelatesTo>{escape(message)}</a:RelatesTo></s:Header>"
        "<s:Body><d:ProbeMatches><d:ProbeMatch>"
        "<a:EndpointReference><a:Address>urn:uuid:0</a:Address></a:EndpointReference>"
        f"<d:Types>{escape(types or 'dn:NetworkVideoTransmitter')}</d:Types>"
        f"<d:Scopes>{escape(scopes)}</d:Scopes><d:XAddrs>{escape(addresses)}</d:XAddrs>"
        "<d:MetadataVersion>1</d:MetadataVersion>"
        "</d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>"
    ).encode()
