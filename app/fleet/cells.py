"""What a cell of the register may say: one rule per kind of value.

A rule takes the stripped, non-empty text of a cell and returns its value; it raises `ValueError`
whose text says what is wrong and what to write instead.
"""

import ipaddress
import math
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from app.errors import Remedy
from app.fleet.tables import DeviceKind, ProbeChoice

Rule = Callable[[str], Any]

KIND_WORDS = {
    "摄像机": DeviceKind.CAMERA,
    "摄像枪": DeviceKind.CAMERA,
    "摄像头": DeviceKind.CAMERA,
    "机房设备": DeviceKind.ROOM_EQUIPMENT,
    "存储": DeviceKind.STORAGE,
    "存储设备": DeviceKind.STORAGE,
    "车载": DeviceKind.VEHICLE,
    "车载视频": DeviceKind.VEHICLE,
    "移动车载视频": DeviceKind.VEHICLE,
}
PROBE_WORDS = {"不探测": ProbeChoice.NONE, "无": ProbeChoice.NONE}
POSITION_WORDS = {"1": 1, "2": 2, "3": 3, "一类": 1, "二类": 2, "三类": 3}

_YES = {"true", "1", "yes", "是"}
_NO = {"false", "0", "no", "否"}
_WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_MAC = re.compile(r"[0-9A-F]{12}")
_LINE_BREAKS_AND_TABS = "\n\r\t"


def text(limit: int, *, several_lines: bool = False) -> Rule:
    """Any text of at most `limit` characters without control characters."""
    allowed = _LINE_BREAKS_AND_TABS if several_lines else ""

    def rule(cell: str) -> str:
        if len(cell) > limit:
            told = Remedy(
                "has %(length)d characters; use at most %(limit)d", length=len(cell), limit=limit
            )
            raise ValueError(told)
        if any((char < " " or char == "\x7f") and char not in allowed for char in cell):
            raise ValueError(
                Remedy("has a line break, tab or control character; write it on one line")
            )
        return cell

    return rule


def choice(members: type[StrEnum], words: Mapping[str, StrEnum]) -> Rule:
    """One of the members, by its value or by a Chinese word for it."""
    known = {member.value: member for member in members} | dict(words)

    def rule(cell: str) -> StrEnum:
        member = known.get(cell.casefold())
        if member is None:
            raise ValueError(Remedy("is not known; use one of %(known)s", known=", ".join(known)))
        return member

    return rule


def boolean(cell: str) -> bool:
    if cell.casefold() in _YES:
        return True
    if cell.casefold() in _NO:
        return False
    raise ValueError(Remedy("is neither yes nor no; write true or false (是 or 否)"))


def address(cell: str) -> str:
    """An IPv4 or IPv6 address in its usual form, or a host name."""
    try:
        ip = ipaddress.ip_address(cell.removeprefix("[").removesuffix("]"))
    except ValueError:
        return _host_name(cell)
    if ip.is_unspecified or ip.is_multicast:
        raise ValueError(Remedy("is no address of a single device; write the device's own address"))
    return str(ip)


def _host_name(cell: str) -> str:
    labels = cell.split(".")
    if len(cell) > 64 or not all(map(_LABEL.fullmatch, labels)) or labels[-1].isdecimal():
        raise ValueError(
            Remedy("is no IPv4 or IPv6 address and no host name; write the address alone")
        )
    return cell


def port(cell: str) -> int:
    if not _WHOLE_NUMBER.fullmatch(cell) or not 1 <= int(cell) <= 65_535:
        raise ValueError(Remedy("is no port; write a whole number from 1 to 65535"))
    return int(cell)


def mac(cell: str) -> str:
    """Six octets in any usual spelling, as `00:1A:2B:3C:4D:5E`."""
    digits = re.sub("[:.-]", "", cell).upper()
    if not _MAC.fullmatch(digits):
        raise ValueError(Remedy("is no MAC address; write it as 00:1A:2B:3C:4D:5E"))
    return ":".join(digits[n : n + 2] for n in range(0, 12, 2))


def degrees(limit: int) -> Rule:
    """A decimal number of degrees within ±`limit`."""

    def rule(cell: str) -> float:
        try:
            value = float(cell)
        except ValueError:
            value = math.nan
        if not abs(value) <= limit:
            raise ValueError(
                Remedy("is not within -%(limit)d and %(limit)d; write decimal degrees", limit=limit)
            )
        return value

    return rule


def position_class(cell: str) -> int:
    if cell not in POSITION_WORDS:
        raise ValueError(Remedy("is no class of position; write 1, 2 or 3"))
    return POSITION_WORDS[cell]
