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


_RANKS = {SlotClass.INTACT: 0, SlotClass.IMPAIRED: 1, SlotClass.OFFLINE: 2}


def worse(
    minute: Status, deep: Status, classes: Mapping[Status, SlotClass] = DEFAULT_CLASSES
) -> Status:
    """The minute's result combined with a deep one (video, later image) that is still valid.

    The deep one is taken where its class is the worse: intact < impaired < offline. A minute that
    could not be measured stays unknown, a deep result that could not be measured changes nothing.
    """
    seen, looked_into = _RANKS.get(classes[minute]), _RANKS.get(classes[deep])
    if seen is None or looked_into is None:
        return minute
    return deep if looked_into > seen else minute


def parse_status(text: str) -> Status:
    """Read a status given by code ("20") or by name ("TIMEOUT", any case).

    Raises `ValueError` when it is neither.
    """
    text = text.strip()
    try:
        return Status(int(text)) if text.isdecimal() else Status[text.upper()]
    except (KeyError, ValueError):
        raise ValueError(f"{text!r} is not a status") from None
