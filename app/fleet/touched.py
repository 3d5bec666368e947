"""The device-days that a change of the register or of the dated facts reaches."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class DeviceDays:
    """The local days of a device from `first` to `last`, both included (None: no end)."""

    device_id: int
    first: date
    last: date | None


OnTouched = Callable[[Session, Sequence[DeviceDays]], None]
"""Called inside the transaction that touches these days; one device may stand there repeatedly."""
