"""The contract between a sweep and whatever asks a device how it is.

A prober takes a `Target` and a deadline and *returns* an `Observation`. A device's misbehaviour is
a value, never an exception; what a prober raises is a defect of ours. The deadline is set once, by
the sweep. Source: DESIGN §5.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from kpi.status import Status


class ProbeMethod(StrEnum):
    """How a device is asked."""

    ONVIF = "onvif"
    PING = "ping"
    TCP = "tcp"


@dataclass(frozen=True, slots=True)
class Target:
    """One device to be asked.

    `key` is the caller's own and comes back with the observation. `group` names the devices that
    are asked at the same phase of the slot (a room). `port` is ignored by ping.
    """

    key: int
    address: str
    port: int
    method: ProbeMethod
    group: str = ""
    tls: bool = False
    username: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Observation:
    """What one device answered.

    `latency_ms` is the time from the first byte asked to the last byte answered, None where nothing
    came back. `clock_offset_s` is the device's clock minus ours, in seconds, where it told its
    time. `detail` says in English what was seen, for people; it never holds a raw reply.
    """

    status: Status
    latency_ms: float | None = None
    clock_offset_s: float | None = None
    detail: str = ""


Prober = Callable[[Target, float], Awaitable[Observation]]
"""(target, deadline in the running loop's `time()`) -> observation, returned by the deadline."""

Probers = Mapping[ProbeMethod, Prober]
"""The plain registry: one prober a method."""
