"""What a sweep asks: the devices in service on a day, with their passwords opened."""

from collections.abc import Collection, Sequence
from datetime import date

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.config import Settings
from app.errors import IntactError
from app.fleet.changes import Stored
from app.fleet.roster import in_service_on
from app.fleet.secrets import Secrets
from app.fleet.tables import Assignment, Cohort, Device, Room
from collectors.probe import ProbeMethod, Target

log = structlog.get_logger()


def sweep_targets(
    session: Session,
    settings: Settings,
    day: date,
    room: str | None = None,
    only: Collection[int] | None = None,
) -> list[Target]:
    """Targets by device id, grouped by the room's code; of one room, of these devices where named.

    A password that the key does not open is left out: the device is still asked without it.
    """
    query = (
        select(
            Device.id,
            Device.address,
            Device.port,
            Device.probe,
            Device.tls,
            Device.username,
            Device.password_encrypted,
            Room.code,
        )
        .join(Assignment, Assignment.device_id == Device.id)
        .join(Cohort, Cohort.id == Assignment.cohort_id)
        .outerjoin(Room, Room.id == Cohort.room_id)
        .where(in_service_on(day), Device.address.is_not(None))
        .order_by(Device.id)
    )
    if room is not None:
        query = query.where(Room.code == room)
    if only is not None:
        query = query.where(Device.id.in_(only))
    rows = session.execute(query).all()
    passwords = _open_passwords(settings, {row[0]: row[6] for row in rows if row[6]})
    return [
        Target(
            key=row[0],
            address=row[1] or "",
            port=row[2] or 0,
            method=ProbeMethod(row[3].value),
            group=row[7] or "",
            tls=row[4],
            username=row[5] or "",
            password=passwords.get(row[0], ""),
        )
        for row in rows
    ]


def target_of(settings: Settings, stored: Stored) -> Target:
    """One device as a sweep would ask it; the register must say an address and how it is polled."""
    record = stored.record
    encrypted = {stored.id: stored.password_encrypted} if stored.password_encrypted else {}
    return Target(
        key=stored.id,
        address=record.address or "",
        port=record.port or 0,
        method=ProbeMethod(record.probe.value),
        tls=record.tls,
        username=record.username or "",
        password=_open_passwords(settings, encrypted).get(stored.id, ""),
    )


def _open_passwords(settings: Settings, encrypted: dict[int, bytes]) -> dict[int, str]:
    secrets = Secrets(settings)
    opened: dict[int, str] = {}
    failures: Sequence[str] = ()
    for device_id, password in encrypted.items():
        try:
            opened[device_id] = secrets.decrypt(password)
        except IntactError as error:
            failures = [str(error)]
    if failures:
        log.error("passwords left out", devices=len(encrypted) - len(opened), why=failures[0])
    return opened
