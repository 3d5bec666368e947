"""WS-Discovery as ONVIF uses it: the Probe that we send, the ProbeMatches that come back.

What is in an answer is not trusted: no DTD, no entities; the device is asked only at the address
from which it answered. Source: WS-Discovery (April 2005), ONVIF Core Specification §7.
"""

from urllib.parse import unquote
from uuid import UUID

from lxml import etree

from collectors.discovery.found import Found
from collectors.onvif import telling
from collectors.onvif.reply import local_name, read_xml
from collectors.own_address import HTTP, own_place

_SCOPE = "onvif://www.onvif.org/"
_TYPES = {"NetworkVideoTransmitter", "Device"}
_MAX_WORDS = 64
_PROBE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
    ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
    ' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery">'
    "<s:Header><a:MessageID>urn:uuid:{id}</a:MessageID>"
    "<a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>"
    "<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action></s:Header>"
    '<s:Body><d:Probe><d:Types xmlns:t="{namespace}">t:{type}</d:Types></d:Probe></s:Body>'
    "</s:Envelope>"
)
_ASKED_FOR = (
    ("http://www.onvif.org/ver10/network/wsdl", "NetworkVideoTransmitter"),
    ("http://www.onvif.org/ver10/device/wsdl", "Device"),
)


def probes(message: UUID) -> list[bytes]:
    """The questions of one search: cameras of old and new ONVIF listen to different types."""
    return [
        _PROBE.format(id=message, namespace=namespace, type=kind).encode()
        for namespace, kind in _ASKED_FOR
    ]


def read_match(datagram: bytes, sender: str, message: UUID) -> Found | None:
    """The ONVIF device that answered our `message` from the address `sender`; None for all else."""
    root = read_xml(datagram)
    if root is None or str(message) not in (_first(root, "RelatesTo") or "").lower():
        return None
    matches = (node for node in root.iter(etree.Element) if local_name(node) == "ProbeMatch")
    return next((found for match in matches if (found := _read(match, sender))), None)


def _read(match: etree._Element, sender: str) -> Found | None:
    scopes = _words(match, "Scopes")
    types = {each.rpartition(":")[2] for each in _words(match, "Types")}
    if not types & _TYPES and not any(each.startswith(_SCOPE) for each in scopes):
        return None
    places = (own_place(each, sender, HTTP) for each in _words(match, "XAddrs"))
    place = next((each for each in places if each), None)
    return Found(
        sender,
        place.port if place else None,
        tls=bool(place and place.tls),
        name=_scope(scopes, "name"),
        model=_scope(scopes, "hardware"),
        location=_scope(scopes, "location"),
    )


def _scope(scopes: list[str], kind: str) -> str | None:
    """What the first scope of that kind says, %20 read as a blank; some leave it empty."""
    beginning = f"{_SCOPE}{kind}/"
    values = (each.removeprefix(beginning) for each in scopes if each.startswith(beginning))
    said = (telling.text(unquote(each)) for each in values)
    return next((each for each in said if each), None)


def _words(node: etree._Element, name: str) -> list[str]:
    return (_first(node, name) or "").split()[:_MAX_WORDS]


def _first(node: etree._Element, name: str) -> str | None:
    """The text of the first element of that local name."""
    found = (each for each in node.iter(etree.Element) if local_name(each) == name)
    return next((each.text for each in found), None)
