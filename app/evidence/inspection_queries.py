"""All SQL about whom to inspect."""

import hashlib
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.evidence.tables import DeviceState
from app.fleet.roster import in_service_on
from app.fleet.tables import Assignment, Cohort, Device, Observed, ProbeChoice, Room


@dataclass(frozen=True, slots=True)
class Candidate:
    """A device that can be inspected, and what is known from before; None where nothing is.

    `asked_at` and `outcome` are of its last inspection, `refused` is the fingerprint of the
    credentials that failed then, `credentials` that of the present ones. `state` is the status that
    the last sweep saw.
    """

    id: int
    code: str
    credentials: bytes
    asked_at: int | None
    outcome: int | None
    refused: bytes | None
    state: int | None


def candidates(
    session: Session, day: date, *, room: str | None = None, code: str | None = None
) -> list[Candidate]:
    """The devices in service that speak ONVIF, by id; of one room, or the one of a code."""
    query = (
        select(
            Device.id,
            Device.code,
            Device.address,
            Device.username,
            Device.password_encrypted,
            Observed.asked_at,
            Observed.outcome,
            Observed.refused,
            DeviceState.status,
        )
        .join(Assignment, Assignment.device_id == Device.id)
        .join(Cohort, Cohort.id == Assignment.cohort_id)
        .outerjoin(Room, Room.id == Cohort.room_id)
        .outerjoin(Observed, Observed.device_id == Device.id)
        .outerjoin(DeviceState, DeviceState.device_id == Device.id)
        .where(in_service_on(day), Device.probe == ProbeChoice.ONVIF, Device.address.is_not(None))
        .order_by(Device.id)
    )
    if room is not None:
        query = query.where(Room.code == room)
    if code is not None:
        query = query.where(Device.code == code)
    return [
        Candidate(row[0], row[1], _fingerprint(row[2], row[3], row[4]), *row[5:])
        for row in session.execute(query)
    ]


def _fingerprint(address: str | None, username: str | None, encrypted: bytes | None) -> bytes:
    """Of the encrypted password, which changes with the password and tells nothing of it."""
    parts = ((address or "").encode(), (username or "").encode(), encrypted or b"")
    return hashlib.blake2b(b"\0".join(parts), digest_size=16).digest()
