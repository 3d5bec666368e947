"""The ONVIF replies of a camera.

Each operation is a function from the camera's line of the register and the request to the content
of the SOAP body. Source: ONVIF Core and Media specifications, devicemgmt.wsdl and media.wsdl.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from xml.sax.saxutils import escape

from collectors.simulator.fleet import Device
from collectors.simulator.wire import Reply, render

DEVICE_PATH = "/onvif/device_service"
MEDIA_PATH = "/onvif/media_service"
SNAPSHOT_PATH = "/snapshot.jpg"
STREAM_PATH = "/Streaming/Channels"
CLOCK_OPERATION = b"GetSystemDateAndTime"

_DEVICE_NS = "http://www.onvif.org/ver10/device/wsdl"
_MEDIA_NS = "http://www.onvif.org/ver10/media/wsdl"
_OPEN = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
    ' xmlns:ter="http://www.onvif.org/ver10/error" xmlns:tt="http://www.onvif.org/ver10/schema"'
    f' xmlns:tds="{_DEVICE_NS}" xmlns:trt="{_MEDIA_NS}"><s:Body>'
)
_CLOSE = "</s:Body></s:Envelope>"
_LOCAL_TIME = timedelta(hours=8)

_OPERATION = re.compile(rb"<(?:[\w.-]+:)?Body[^>]*>\s*<(?:[\w.-]+:)?(\w+)")
_PROFILE_TOKEN = re.compile(rb"<(?:[\w.-]+:)?ProfileToken[^>]*>\s*([^<\s]*)")


def operation_of(body: bytes) -> bytes:
    """Name of the operation asked for, empty where the body is no SOAP request."""
    found = _OPERATION.search(body)
    return found[1] if found else b""


def soap(content: str, status: int = 200) -> Reply:
    """A reply with this content in its SOAP body."""
    return Reply(status, f"{_OPEN}{content}{_CLOSE}".encode())


def fault(status: int, code: str, subcode: str, reason: str) -> Reply:
    """A SOAP 1.2 fault: `code` is Sender or Receiver, `subcode` one of the `ter:` codes."""
    return soap(
        f"<s:Fault><s:Code><s:Value>s:{code}</s:Value><s:Subcode><s:Value>ter:{subcode}</s:Value>"
        f'</s:Subcode></s:Code><s:Reason><s:Text xml:lang="en">{escape(reason)}</s:Text>'
        "</s:Reason></s:Fault>",
        status,
    )


def unsupported() -> Reply:
    """The refusal of an operation that the camera does not have."""
    return fault(500, "Receiver", "ActionNotSupported", "the operation is not supported")


def answer(device: Device, operation: bytes, body: bytes) -> Reply:
    """The reply to any operation but the clock, which `clock_reply` gives."""
    if not operation:
        return fault(400, "Sender", "WellFormed", "the request is no SOAP envelope")
    content = OPERATIONS.get(operation)
    if content is None:
        return unsupported()
    try:
        return soap(content(device, body))
    except LookupError:
        return fault(400, "Sender", "NoProfile", "the profile does not exist")


@lru_cache(maxsize=512)  # one second of many offsets; the fleet asks for the same few all the time
def clock_reply(second: int) -> Reply:
    """The reply to GetSystemDateAndTime of a camera whose clock shows `second` (Unix time)."""
    utc = datetime.fromtimestamp(second, UTC)
    return soap(
        "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime>"
        "<tt:DateTimeType>NTP</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>"
        "<tt:TimeZone><tt:TZ>CST-8</tt:TZ></tt:TimeZone>"
        f"{_date_time('UTCDateTime', utc)}{_date_time('LocalDateTime', utc + _LOCAL_TIME)}"
        "</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
    )


@lru_cache(maxsize=512)
def clock_bytes(second: int, keep_alive: bool) -> bytes:
    """`clock_reply` as bytes: what nearly every request of a sweep gets."""
    return render(clock_reply(second), keep_alive=keep_alive)


def _date_time(name: str, at: datetime) -> str:
    return (
        f"<tt:{name}><tt:Time><tt:Hour>{at.hour}</tt:Hour><tt:Minute>{at.minute}</tt:Minute>"
        f"<tt:Second>{at.second}</tt:Second></tt:Time><tt:Date><tt:Year>{at.year}</tt:Year>"
        f"<tt:Month>{at.month}</tt:Month><tt:Day>{at.day}</tt:Day></tt:Date></tt:{name}>"
    )


class _Profile(NamedTuple):
    token: str
    name: str
    channel: int
    resolution: str


def _profiles(device: Device) -> tuple[_Profile, ...]:
    return (
        _Profile("Profile_1", "mainStream", 101, device.resolution),
        _Profile("Profile_2", "subStream", 102, "640x360"),
    )


def _asked_profile(device: Device, body: bytes) -> _Profile:
    """The profile that the request names. Raises `LookupError` where there is none such."""
    found = _PROFILE_TOKEN.search(body)
    token = found[1].decode("utf-8", "replace") if found else ""
    return {profile.token: profile for profile in _profiles(device)}[token]


def _base(device: Device) -> str:
    return f"http://{device.address}:{device.port}"


def _device_information(device: Device, body: bytes) -> str:
    return (
        "<tds:GetDeviceInformationResponse>"
        f"<tds:Manufacturer>{escape(device.vendor)}</tds:Manufacturer>"
        f"<tds:Model>{escape(device.model)}</tds:Model>"
        f"<tds:FirmwareVersion>{escape(device.firmware)}</tds:FirmwareVersion>"
        f"<tds:SerialNumber>{escape(device.serial)}</tds:SerialNumber>"
        f"<tds:HardwareId>{escape(device.mac)}</tds:HardwareId>"
        "</tds:GetDeviceInformationResponse>"
    )


def _capabilities(device: Device, body: bytes) -> str:
    return (
        "<tds:GetCapabilitiesResponse><tds:Capabilities>"
        f"<tt:Device><tt:XAddr>{_base(device)}{DEVICE_PATH}</tt:XAddr></tt:Device>"
        f"<tt:Media><tt:XAddr>{_base(device)}{MEDIA_PATH}</tt:XAddr><tt:StreamingCapabilities>"
        "<tt:RTPMulticast>false</tt:RTPMulticast><tt:RTP_TCP>true</tt:RTP_TCP>"
        "<tt:RTP_RTSP_TCP>true</tt:RTP_RTSP_TCP></tt:StreamingCapabilities></tt:Media>"
        "</tds:Capabilities></tds:GetCapabilitiesResponse>"
    )


def _services(device: Device, body: bytes) -> str:
    services = "".join(
        f"<tds:Service><tds:Namespace>{namespace}</tds:Namespace>"
        f"<tds:XAddr>{_base(device)}{path}</tds:XAddr><tds:Version><tt:Major>2</tt:Major>"
        "<tt:Minor>60</tt:Minor></tds:Version></tds:Service>"
        for namespace, path in ((_DEVICE_NS, DEVICE_PATH), (_MEDIA_NS, MEDIA_PATH))
    )
    return f"<tds:GetServicesResponse>{services}</tds:GetServicesResponse>"


def _network_interfaces(device: Device, body: bytes) -> str:
    return (
        '<tds:GetNetworkInterfacesResponse><tds:NetworkInterfaces token="eth0">'
        "<tt:Enabled>true</tt:Enabled><tt:Info><tt:Name>eth0</tt:Name>"
        f"<tt:HwAddress>{escape(device.mac)}</tt:HwAddress><tt:MTU>1500</tt:MTU></tt:Info>"
        "</tds:NetworkInterfaces></tds:GetNetworkInterfacesResponse>"
    )


def _profile_list(device: Device, body: bytes) -> str:
    profiles = "".join(_profile_xml(profile, device) for profile in _profiles(device))
    return f"<trt:GetProfilesResponse>{profiles}</trt:GetProfilesResponse>"


def _profile_xml(profile: _Profile, device: Device) -> str:
    width, _, height = profile.resolution.partition("x")
    source_width, _, source_height = device.resolution.partition("x")
    return (
        f'<trt:Profiles token="{profile.token}" fixed="true"><tt:Name>{profile.name}</tt:Name>'
        '<tt:VideoSourceConfiguration token="VideoSourceConfig_1"><tt:Name>source</tt:Name>'
        "<tt:UseCount>2</tt:UseCount><tt:SourceToken>VideoSource_1</tt:SourceToken>"
        f'<tt:Bounds x="0" y="0" width="{source_width}" height="{source_height}"/>'
        "</tt:VideoSourceConfiguration>"
        f'<tt:VideoEncoderConfiguration token="Enc_{profile.channel}">'
        f"<tt:Name>{profile.name}</tt:Name><tt:UseCount>1</tt:UseCount>"
        "<tt:Encoding>H264</tt:Encoding>"
        f"<tt:Resolution><tt:Width>{width}</tt:Width><tt:Height>{height}</tt:Height>"
        "</tt:Resolution><tt:Quality>4</tt:Quality><tt:RateControl>"
        "<tt:FrameRateLimit>25</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval>"
        "<tt:BitrateLimit>4096</tt:BitrateLimit></tt:RateControl>"
        "<tt:H264><tt:GovLength>50</tt:GovLength><tt:H264Profile>Main</tt:H264Profile></tt:H264>"
        "<tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type><tt:IPv4Address>0.0.0.0</tt:IPv4Address>"
        "</tt:Address><tt:Port>0</tt:Port><tt:TTL>1</tt:TTL><tt:AutoStart>false</tt:AutoStart>"
        "</tt:Multicast><tt:SessionTimeout>PT60S</tt:SessionTimeout>"
        "</tt:VideoEncoderConfiguration></trt:Profiles>"
    )


def _stream_uri(device: Device, body: bytes) -> str:
    channel = _asked_profile(device, body).channel
    return _media_uri(
        "GetStreamUri", f"rtsp://{device.address}:{device.port}{STREAM_PATH}/{channel}"
    )


def _snapshot_uri(device: Device, body: bytes) -> str:
    _asked_profile(device, body)
    return _media_uri("GetSnapshotUri", f"{_base(device)}{SNAPSHOT_PATH}")


def _media_uri(operation: str, uri: str) -> str:
    return (
        f"<trt:{operation}Response><trt:MediaUri><tt:Uri>{escape(uri)}</tt:Uri>"
        "<tt:InvalidAfterConnect>false</tt:InvalidAfterConnect>"
        "<tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout>"
        f"</trt:MediaUri></trt:{operation}Response>"
    )


OPERATIONS: Mapping[bytes, Callable[[Device, bytes], str]] = {
    b"GetDeviceInformation": _device_information,
    b"GetCapabilities": _capabilities,
    b"GetServices": _services,
    b"GetNetworkInterfaces": _network_interfaces,
    b"GetProfiles": _profile_list,
    b"GetStreamUri": _stream_uri,
    b"GetSnapshotUri": _snapshot_uri,
}
