"""Reading what a camera tells of itself: nothing it says is taken as it is.

Text loses blanks and control characters and is cut to what the register can hold; addresses lose
their credentials, and are None where they are no addresses.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from collectors.onvif.inspection import Profile, Service

TEXT_LENGTH = 64
URI_LENGTH = 512
MAX_ITEMS = 64
_PATH_LENGTH = 256
_MAX_SIDE = 100_000  # pixels
_NOTHING = {"", "none", "null", "(null)"}
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+")
_PATH = re.compile(r"/[!-~]*")
_MAC = re.compile(r"[0-9A-F]{12}")
_PASSWORD = re.compile(r"(?i)(pass(?:word|wd)?|pwd)=[^&;/?#]*?(?=_\w+=|[&;/?#]|$)")
STREAM_SCHEMES = frozenset({"rtsp", "rtsps", "http", "https"})
SNAPSHOT_SCHEMES = frozenset({"http", "https"})


def field(value: Any, *names: str) -> Any:
    """The part that the names lead to; None where any of them is missing."""
    for name in names:
        value = getattr(value, name, None)
    return value


def text(value: Any, length: int = TEXT_LENGTH) -> str | None:
    """One line of text; None for what stands for nothing."""
    if not isinstance(value, str):
        return None
    line = _UNSEEN.sub(" ", value).strip()[:length].strip()
    return None if line.lower() in _NOTHING else line


def address(value: Any, schemes: frozenset[str]) -> str | None:
    """An address without user, password and blanks; None where it is none, or too long."""
    if not isinstance(value, str):
        return None
    try:
        parts = urlsplit(_UNSEEN.sub("", value).strip().replace(" ", "%20"))
        host = parts.netloc.rpartition("@")[2]
        usable = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return None
    if parts.scheme not in schemes or not usable:
        return None
    path, query = (_PASSWORD.sub(r"\1=", part) for part in (parts.path, parts.query))
    uri = urlunsplit((parts.scheme, host, path, query, ""))
    return uri if len(uri) <= URI_LENGTH else None


def path_of(value: Any) -> str | None:
    """The path of a service's address: of an XAddr nothing else is used."""
    if not isinstance(value, str):
        return None
    try:
        path = urlsplit(value.strip()).path
    except ValueError:
        return None
    return path if _PATH.fullmatch(path) and len(path) <= _PATH_LENGTH else None


def mac(value: Any) -> str | None:
    """Six octets as `00:1A:2B:3C:4D:5E`."""
    digits = re.sub("[:.-]", "", text(value) or "").upper()
    if not _MAC.fullmatch(digits) or digits == "0" * 12:
        return None
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


def profiles(value: Any) -> tuple[Profile, ...]:
    """The profiles that have a token, without which nothing can be asked of them."""
    return tuple(profile for item in _items(value) if (profile := _profile(item)))


def _profile(item: Any) -> Profile | None:
    token = text(field(item, "token"))
    encoder = field(item, "VideoEncoderConfiguration")
    if token is None:
        return None
    return Profile(
        token=token,
        name=text(field(item, "Name")),
        encoding=text(field(encoder, "Encoding")),
        resolution=_resolution(field(encoder, "Resolution")),
        frame_rate=_number(field(encoder, "RateControl", "FrameRateLimit")),
        bit_rate_kbps=_number(field(encoder, "RateControl", "BitrateLimit")),
    )


def _resolution(value: Any) -> str | None:
    width, height = _number(field(value, "Width")), _number(field(value, "Height"))
    return f"{width}x{height}" if width and height else None


def _number(value: Any) -> int | None:
    usable = isinstance(value, int | float) and 0 <= value <= 1_000 * _MAX_SIDE
    return int(value) if usable else None


def services(value: Any) -> tuple[Service, ...]:
    """The services that name their namespace."""
    found = []
    for item in _items(value):
        namespace = text(field(item, "Namespace"), 128)
        numbers = (_number(field(item, "Version", part)) for part in ("Major", "Minor"))
        version = ".".join(str(number) for number in numbers if number is not None)
        if namespace:
            found.append(Service(namespace, path_of(field(item, "XAddr")), version or None))
    return tuple(found)


def first_mac(interfaces: Any) -> str | None:
    """The hardware address of the first network interface that tells one."""
    told = (mac(field(item, "Info", "HwAddress")) for item in _items(interfaces))
    return next((each for each in told if each), None)


def capabilities(value: Any) -> dict[str, Any]:
    """What was told, nested, as JSON has it; of addresses the path only."""
    told = value if isinstance(value, Mapping) else getattr(value, "__values__", {})
    plain = {str(name): _plain(str(name), part) for name, part in told.items()}
    return {name: part for name, part in plain.items() if part not in (None, {}, [])}


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return path_of(value) if name == "XAddr" else text(value)
    if isinstance(value, list):
        return [_plain(name, item) for item in value[:MAX_ITEMS]]
    return capabilities(value)


def _items(value: Any) -> Iterator[Any]:
    items = value if isinstance(value, list) else [] if value is None else [value]
    return iter(items[:MAX_ITEMS])
