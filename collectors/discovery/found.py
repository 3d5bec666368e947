"""What discovery learns of a device."""

from dataclasses import dataclass

from collectors.probe import Observation


@dataclass(frozen=True, slots=True)
class Found:
    """A device that speaks ONVIF at this address; None for what it did not tell.

    `port` is None where it announced itself but did not say where it is asked. `name` and
    `location` come from its announcement. `refuses` says that it asks for a password at once, so
    that nothing but its address is known.
    """

    address: str
    port: int | None
    tls: bool = False
    name: str | None = None
    location: str | None = None
    vendor: str | None = None
    model: str | None = None
    serial: str | None = None
    firmware: str | None = None
    refuses: bool = False


@dataclass(frozen=True, slots=True)
class Unasked:
    """An address that this host could not ask, and why."""

    address: str
    seen: Observation
