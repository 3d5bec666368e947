"""What one observation can say (status codes) and what it counts as (classes).

Codes are stored with the evidence and are never renumbered. The map from code to class belongs to
the policy (`kpi.policy`); the one here is its default. Source: DESIGN §3.
"""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType


class Status(IntEnum):
    """The result of probing one device in one slot."""

    INTACT = 0
    CLOCK_WRONG = 1
    AUTH_FAILED = 10
    SERVICE_FAULT = 11
    NO_VIDEO = 12
    IMAGE_BLACK = 13
    IMAGE_FROZEN = 14
    IMAGE_BLURRED = 15
    IMAGE_COVERED = 16
    IMAGE_COLOUR_CAST = 17
    IMAGE_NOISE = 18
    NOT_RECORDING = 19
    TIMEOUT = 20
    REFUSED = 21
    UNREACHABLE = 22
    UNKNOWN = 255


class SlotClass(IntEnum):
    """What a slot counts as; the value is the column of the ledger (see `kpi.ledger`)."""

    INTACT = 0
    IMPAIRED = 1
    OFFLINE = 2
    UNKNOWN = 3
    SUSPENDED = 4
    EXEMPTED = 5


def _default_class(status: Status) -> SlotClass:
    if status is Status.UNKNOWN:
        return SlotClass.UNKNOWN
    if status < Status.AUTH_FAILED:
        return SlotClass.INTACT
    return SlotClass.IMPAIRED if status < Status.TIMEOUT else SlotClass.OFFLINE


DEFAULT_CLASSES: Mapping[Status, SlotClass] = MappingProxyType(
    {status: _default_class(status) for status in Status}
)


def parse_status(text: str) -> Status:
    """Read a status given by code ("20") or by name ("TIMEOUT", any case).

    Raises `ValueError` when it is neither.
    """
    text = text.strip()
    try:
        return Status(int(text)) if text.isdecimal() else Status[text.upper()]
    except (KeyError, ValueError):
        raise ValueError(f"{text!r} is not a status") from None
