"""What a deep inspection learns of a device. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kpi.status import Status


@dataclass(frozen=True, slots=True)
class Profile:
    """A media profile; `resolution` is "1920x1080", all but the token None where not told."""

    token: str
    name: str | None = None
    encoding: str | None = None
    resolution: str | None = None
    frame_rate: int | None = None
    bit_rate_kbps: int | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A service by its namespace; `path` is what of its address concerns us."""

    namespace: str
    path: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the device told of itself, None where it did not.

    `resolution` is that of the profile whose addresses are given: the first that has an encoder.
    The addresses are as told, without credentials; no one has asked them.
    """

    vendor: str | None = None
    model: str | None = None
    serial: str | None = None
    firmware: str | None = None
    hardware_id: str | None = None
    mac: str | None = None
    resolution: str | None = None
    stream_uri: str | None = None
    snapshot_uri: str | None = None
    profiles: tuple[Profile, ...] = ()
    services: tuple[Service, ...] = ()
    capabilities: Mapping[str, Any] = field(default_factory=dict)


NOTHING = Facts()


@dataclass(frozen=True, slots=True)
class Inspection:
    """One deep inspection.

    `status` is INTACT where everything that each ONVIF camera must tell was told; `facts` hold what
    was told in any case. `detail` says in our words what went wrong. `password_refused`: the
    password was shown, and must not be shown again until it changes.
    """

    status: Status
    detail: str = ""
    facts: Facts = NOTHING
    clock_offset_s: float | None = None
    password_refused: bool = False

    @property
    def learnt(self) -> bool:
        """Whether the device told anything."""
        return self.facts != NOTHING
