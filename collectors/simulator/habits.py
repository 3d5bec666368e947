"""Odd ways of answering: each habit turns a good reply into the one this camera gives.

A new habit is a function and a line in `HABITS`; its name is at once a fault kind of scenarios.
What concerns the bytes on the wire is in `deliveries`. Every habit meets every reply, refusals
too. Source of the list: DESIGN §5.
"""

import gzip
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from collectors.simulator.replies import fault, operation_of, soap, unsupported
from collectors.simulator.wire import Reply, Request

Habit = Callable[[Reply, Request], Reply]

_UTC = re.compile(rb"<tt:UTCDateTime>.*</tt:UTCDateTime>")
_TIME_THEN_DATE = re.compile(rb"(<tt:Time>.*?</tt:Time>)(<tt:Date>.*?</tt:Date>)")
_SECURITY = re.compile(rb"<(?:[\w.-]+:)?Security\b.*</(?:[\w.-]+:)?Security>", re.DOTALL)
_ENCODER = re.compile(
    rb"<tt:VideoEncoderConfiguration\b.*?</tt:VideoEncoderConfiguration>", re.DOTALL
)
_DECLARATION_END = b"?>"
_BOMB = b"<!DOCTYPE b [<!ENTITY e0 'boom'>%b]>" % b"".join(
    b"<!ENTITY e%d '%b'>" % (level, b"&e%d;" % (level - 1) * 10) for level in range(1, 10)
)
_ELSEWHERE = b"http://127.0.0.254:1/onvif/device_service"  # nothing of the fleet is there
_STACK_TRACE = (
    b"Traceback (most recent call last):\n"
    b'  File "/usr/bin/onvif.py", line 7, in <module>\nKeyError: 0\n'
)


# --- the whole reply ---


def _instead(body: bytes, content_type: str, reply: Reply, request: Request) -> Reply:
    """200 with another body."""
    return Reply(200, body, content_type)


def _fault(status: int, reply: Reply, request: Request) -> Reply:
    return fault(status, "Receiver", "Action", "the simulated service is out of order")


def redirect(reply: Reply, request: Request) -> Reply:
    """To another address, which must not be asked."""
    return Reply(302, b"", "text/plain", (("Location", _ELSEWHERE.decode()),))


def bad_gzip(reply: Reply, request: Request) -> Reply:
    """Said to be gzip, begins like it, and is not."""
    body = gzip.compress(reply.body)[:20] + b"\xff" * 40
    return replace(reply, body=body, headers=(*reply.headers, ("Content-Encoding", "gzip")))


def gzip_unasked(reply: Reply, request: Request) -> Reply:
    """Good gzip that nobody asked for."""
    headers = (*reply.headers, ("Content-Encoding", "gzip"))
    return replace(reply, body=gzip.compress(reply.body), headers=headers)


# --- what the request must hold, and what is given back of it ---


def _needs(pattern: re.Pattern[bytes], reply: Reply, request: Request) -> Reply:
    """415 where the Content-Type does not match."""
    if pattern.search(request.headers.get(b"content-type", b"")):
        return reply
    return Reply(415, b"", "text/plain")


def misleading_refusal(reply: Reply, request: Request) -> Reply:
    """`NotAuthorized` for an operation that is merely unsupported."""
    if b"ter:ActionNotSupported" not in reply.body:
        return reply
    return fault(400, "Sender", "NotAuthorized", "sender not authorized")


def echoes_security(reply: Reply, request: Request) -> Reply:
    """Our security header comes back in the envelope."""
    found = _SECURITY.search(request.body)
    header = b"<s:Header>%b</s:Header><s:Body>" % (found[0] if found else b"")
    return replace(reply, body=reply.body.replace(b"<s:Body>", header, 1))


# --- the body ---


def invalid_xml(reply: Reply, request: Request) -> Reply:
    """200 with an envelope that is never closed."""
    return replace(reply, status=200, body=reply.body.rpartition(b"</s:Body>")[0])


def _body(change: Callable[[bytes], bytes], reply: Reply, request: Request) -> Reply:
    """The same reply with its body changed."""
    return replace(reply, body=change(reply.body))


def _default_namespace(body: bytes) -> bytes:
    """No prefixes at all, everything in one namespace."""
    return re.sub(rb"(</?)(?:s|tt|tds|trt):", rb"\1", body).replace(b"xmlns:s=", b"xmlns=", 1)


def _wrong_namespace(body: bytes) -> bytes:
    """Children in the namespace of their parent's operation, as gSOAP servers have it."""
    return body.replace(b"<tt:", b"<tds:").replace(b"</tt:", b"</tds:")


def _undeclared_prefixes(body: bytes) -> bytes:
    return re.sub(rb" xmlns:(?:tt|tds|ter)=\"[^\"]*\"", b"", body)


def _other_order(body: bytes) -> bytes:
    return _TIME_THEN_DATE.sub(rb"\2\1", body)


def _misspelt_codes(body: bytes) -> bytes:
    return body.replace(b">s:Receiver<", b">env:Reveiver<").replace(b">s:Sender<", b">env:Sendr<")


def _invalid_utf8(body: bytes) -> bytes:
    return body.replace(b"</s:Body>", b"<tds:Name>\xff\xfe\xc3(</tds:Name></s:Body>")


def _prologue(prologue: bytes, inside: bytes, body: bytes) -> bytes:
    """`prologue` after the XML declaration and `inside` at the end of the SOAP body."""
    head, end, rest = body.partition(_DECLARATION_END)
    return head + end + prologue + rest.replace(b"</s:Body>", inside + b"</s:Body>")


def _xaddr_elsewhere(body: bytes) -> bytes:
    """Every XAddr of the camera, and one more in each answer, leads to another host."""
    moved = re.sub(rb"(<t\w+:XAddr>)[^<]*", rb"\1" + _ELSEWHERE, body)
    return moved.replace(b"</s:Body>", b"<tt:XAddr>%b</tt:XAddr></s:Body>" % _ELSEWHERE)


# --- the clock ---


def _local_time_only(body: bytes) -> bytes:
    return _UTC.sub(b"", body)


def _no_time(body: bytes) -> bytes:
    return re.sub(
        rb"(<tds:SystemDateAndTime>).*(</tds:SystemDateAndTime>)", rb"\1\2", body, flags=re.DOTALL
    )


def _impossible_date(body: bytes) -> bytes:
    """The 31st of February, in every year."""
    body = re.sub(rb"<tt:Month>\d+", b"<tt:Month>2", body)
    return re.sub(rb"<tt:Day>\d+", b"<tt:Day>31", body)


def _zone(zone: bytes, body: bytes) -> bytes:
    return re.sub(rb"(<tt:TZ>)[^<]*", rb"\1" + zone, body)


def date_header(reply: Reply, request: Request) -> Reply:
    """The camera's own clock stands in an HTTP `Date` header of every reply."""
    return replace(reply, dated=True)


# --- what only a deep inspection meets ---


def _manufacturer(name: bytes, body: bytes) -> bytes:
    return re.sub(rb"(<tds:Manufacturer>)[^<]*", rb"\1" + name, body)


def _no_encoder(body: bytes) -> bytes:
    return _ENCODER.sub(b"", body)


def _snapshot_port(body: bytes) -> bytes:
    return re.sub(rb":\d+(/snapshot\.jpg)", rb":8081\1", body)


def _uri_credentials(body: bytes) -> bytes:
    return re.sub(rb"(<tt:Uri>\w+://)", rb"\1admin:hunter2@", body)


def _uri_blank(body: bytes) -> bytes:
    return body.replace(b"</tt:Uri>", b" </tt:Uri>")


def _uri_password(body: bytes) -> bytes:
    """User and password inside the path, as the XiongMai family has it."""
    inside = rb"\1/user=admin_password=hunter2_channel=1_stream=0.sdp\2"
    return re.sub(rb"(<tt:Uri>rtsp://[^/<]*)[^<]*(</tt:Uri>)", inside, body)


def _no_profiles(body: bytes) -> bytes:
    return re.sub(rb"<trt:Profiles\b.*</trt:Profiles>", b"", body, flags=re.DOTALL)


def _no_media(body: bytes) -> bytes:
    """Neither capabilities nor services name the media service."""
    body = re.sub(rb"<tt:Media>.*</tt:Media>", b"", body)
    return re.sub(rb"<tds:Service><tds:Namespace>[^<]*/media/.*</tds:Service>", b"", body)


def information_refused(reply: Reply, request: Request) -> Reply:
    """The device information is for nobody."""
    if operation_of(request.body) != b"GetDeviceInformation":
        return reply
    return fault(400, "Sender", "NotAuthorized", "sender not authorized")


def no_media_service(reply: Reply, request: Request) -> Reply:
    """There is none: not named, and not answering."""
    if operation_of(request.body) in _MEDIA_OPERATIONS:
        return unsupported()
    return replace(reply, body=_no_media(reply.body))


def snapshot_unsupported(reply: Reply, request: Request) -> Reply:
    """Video, but no single pictures."""
    return unsupported() if operation_of(request.body) == b"GetSnapshotUri" else reply


_MEDIA_OPERATIONS = (b"GetProfiles", b"GetStreamUri", b"GetSnapshotUri")

_BODIES: Mapping[str, Callable[[bytes], bytes]] = {
    "default_namespace": _default_namespace,
    "wrong_namespace": _wrong_namespace,
    "undeclared_prefixes": _undeclared_prefixes,
    "other_order": _other_order,
    "misspelt_fault_codes": _misspelt_codes,
    "invalid_utf8": _invalid_utf8,
    "dtd": partial(_prologue, b"<!DOCTYPE s SYSTEM 'http://127.0.0.254:1/x.dtd'>", b""),
    "entity_bomb": partial(_prologue, _BOMB, b"<tds:Name>&e9;</tds:Name>"),
    "xaddr_elsewhere": _xaddr_elsewhere,
    "local_time_only": _local_time_only,
    "no_time": _no_time,
    "impossible_date": _impossible_date,
    "zone_with_rules": partial(_zone, b"CST+7:00:00DST01:00:00,M3.2.0/02:00:00,M11.1.0/02:00:00"),
    "zone_unfinished": partial(_zone, b"CST6CDT:"),
    "manufacturer_empty": partial(_manufacturer, b""),
    "manufacturer_none": partial(_manufacturer, b"NONE"),
    "profile_without_encoder": _no_encoder,
    "snapshot_on_another_port": _snapshot_port,
    "credentials_in_uri": _uri_credentials,
    "blank_after_uri": _uri_blank,
    "password_in_uri": _uri_password,
    "no_profiles": _no_profiles,
}

HABITS: Mapping[str, Habit] = {
    "invalid_xml": invalid_xml,
    "empty_body": partial(_instead, b"", "application/soap+xml"),
    "stack_trace": partial(_instead, _STACK_TRACE, "text/plain"),
    "html_page": partial(_instead, b"<html><body>Welcome</body></html>", "text/html"),
    "wrong_answer": partial(_instead, soap("<tds:GetHostnameResponse/>").body, "text/xml"),
    "fault_200": partial(_fault, 200),
    "fault_400": partial(_fault, 400),
    "fault_500": partial(_fault, 500),
    "redirect": redirect,
    "bad_gzip": bad_gzip,
    "gzip_unasked": gzip_unasked,
    "needs_content_type": partial(_needs, re.compile(rb"^application/soap\+xml")),
    "needs_action": partial(_needs, re.compile(rb'action="http://www\.onvif\.org/[^"]+"')),
    "information_refused": information_refused,
    "no_media_service": no_media_service,
    "snapshot_unsupported": snapshot_unsupported,
    "misleading_refusal": misleading_refusal,
    "echoes_security": echoes_security,
    "date_header": date_header,
    **{name: partial(_body, change) for name, change in _BODIES.items()},
}
