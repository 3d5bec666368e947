"""The bytes we send: SOAP 1.2 envelopes over HTTP/1.1, built once and filled in by device.

Source: ONVIF Core Specification (device management), SOAP 1.2 over HTTP.
"""

from dataclasses import dataclass

PATH = "/onvif/device_service"
DEVICE = "http://www.onvif.org/ver10/device/wsdl"
MEDIA = "http://www.onvif.org/ver10/media/wsdl"
_OPEN = '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope">'
_CLOSE = "</s:Envelope>"


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation: whose it is, where it is asked for, and what the body holds.

    `content` is the XML of the body's only child; empty: the bare name.
    """

    name: str
    namespace: str = DEVICE
    path: str = PATH
    content: str = ""

    @property
    def body(self) -> str:
        content = self.content or f'<{self.name} xmlns="{self.namespace}"/>'
        return f"<s:Body>{content}</s:Body>"

    @property
    def content_type(self) -> str:
        """Some cameras answer only where `action` is here; SOAP 1.2 has no other place for it."""
        return f'application/soap+xml; charset=utf-8; action="{self.namespace}/{self.name}"'


SYSTEM_DATE_AND_TIME = Operation("GetSystemDateAndTime")
DEVICE_INFORMATION = Operation("GetDeviceInformation")


def host_header(address: str, port: int) -> str:
    """`address:port`, with brackets around an IPv6 address."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def request(
    operation: Operation, host: str, *, security: str = "", authorization: str = ""
) -> bytes:
    """One complete HTTP request.

    `host` is a `host_header`, `security` the XML of a WS-Security header (it goes into the
    envelope's Header), `authorization` the value of an HTTP header. Gzip is never asked for.
    """
    header = f"<s:Header>{security}</s:Header>" if security else ""
    payload = f"{_OPEN}{header}{operation.body}{_CLOSE}".encode()
    lines = [
        f"POST {operation.path} HTTP/1.1",
        f"Host: {host}",
        f"Content-Type: {operation.content_type}",
        f"Content-Length: {len(payload)}",
        "Connection: close",
    ]
    if authorization:
        lines.append(f"Authorization: {authorization}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + payload


_HOST = "\0"  # cannot occur in a request: marks the place of the host
_BEFORE, _AFTER = request(SYSTEM_DATE_AND_TIME, _HOST).split(_HOST.encode())


def date_request(host: str) -> bytes:
    """The request of the hot path (GetSystemDateAndTime, no authentication), pre-built."""
    return _BEFORE + host.encode("latin-1", "replace") + _AFTER
