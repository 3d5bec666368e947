"""All SQL about what devices say of themselves."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import and_, exists, insert, or_, select, update
from sqlalchemy.orm import Session

from app.fleet.tables import Device, Observed


class Compared(StrEnum):
    """What both the register and the device may say: columns of both tables."""

    VENDOR = "vendor"
    MODEL = "model"
    SERIAL = "serial"
    FIRMWARE = "firmware"
    MAC = "mac"
    RESOLUTION = "resolution"


_CHUNK = 1_000


def _differs(name: str) -> Any:
    told = getattr(Observed, name)
    return and_(told.is_not(None), told.is_distinct_from(getattr(Device, name)))


_ANY_DIFFERS = or_(*(_differs(name) for name in Compared))
DRIFTED = exists().where(Observed.device_id == Device.id, _ANY_DIFFERS)
"""Of a device: something that it told is not what the register says."""


def read_observed(session: Session, device_ids: Sequence[int]) -> dict[int, Observed]:
    """What was observed of these devices, by id."""
    found = {}
    for start in range(0, len(device_ids), _CHUNK):
        chosen = Observed.device_id.in_(device_ids[start : start + _CHUNK])
        rows = session.scalars(select(Observed).where(chosen))
        found.update({row.device_id: row for row in rows})
    return found


def drifted_codes(session: Session) -> dict[int, str]:
    """Id and code of every device that differs from what was observed of it."""
    return dict(session.execute(select(Device.id, Device.code).where(DRIFTED)).all())


def store_observed(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep inspections; each row holds `device_id` and the columns to set.

    A device that has no row yet gets one, empty where its first inspection learnt nothing.
    """
    wanted = [row["device_id"] for row in rows]
    known = set(session.scalars(select(Observed.device_id).where(Observed.device_id.in_(wanted))))
    empty: dict[str, Any] = {"profiles": [], "services": [], "capabilities": {}}
    for row in rows:
        if row["device_id"] in known:
            found = Observed.device_id == row["device_id"]
            session.execute(update(Observed).where(found).values(**row))
        else:
            session.execute(insert(Observed).values(**{**empty, **row}))
