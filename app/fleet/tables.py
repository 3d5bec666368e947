"""Tables of the register.

What a device *is* stands in `Device`. Where it *belongs* is dated: an `Assignment` holds from the
start of a day to the start of another and points to a `Cohort`, the devices that share kind,
station, room, project and contractor. Figures are added up per cohort; every grouping and filter
by those five is a choice of cohorts. Source: DESIGN §4. What a device says of itself is `Observed`
and stands beside the register, never in its place.
"""

from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    Date,
    Enum,
    Float,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant

BEGINNING = date.min
"""Start of a device's first assignment: it holds for all of the past."""


class DeviceKind(StrEnum):
    CAMERA = "camera"
    ROOM_EQUIPMENT = "room_equipment"
    STORAGE = "storage"
    VEHICLE = "vehicle"


class ProbeChoice(StrEnum):
    """How the register wants a device to be asked; `none`: not at all, and no ledger."""

    ONVIF = "onvif"
    PING = "ping"
    TCP = "tcp"
    NONE = "none"


class ChangeSource(StrEnum):
    """By what a record was changed: a file, the form (or a button) of a page, a command."""

    IMPORT = "import"
    FORM = "form"
    CLI = "cli"


def _choice(kind: type[StrEnum]) -> Enum:
    """Stored as text, checked by the ORM: a new member needs no migration."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=False,
        length=16,
        values_callable=lambda members: [member.value for member in members],
    )


class _Group:
    """What stations, rooms, projects and contractors share."""

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(128))


class Station(_Group, Base):
    __tablename__ = "station"


class Room(_Group, Base):
    __tablename__ = "room"


class Project(_Group, Base):
    __tablename__ = "project"


class Contractor(_Group, Base):
    __tablename__ = "contractor"


class Cohort(Base):
    """The devices that share kind, station, room, project and contractor (any may be missing)."""

    __tablename__ = "cohort"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[DeviceKind] = mapped_column(_choice(DeviceKind))
    station_id: Mapped[int | None] = mapped_column(ForeignKey("station.id"))
    room_id: Mapped[int | None] = mapped_column(ForeignKey("room.id"))
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"))
    contractor_id: Mapped[int | None] = mapped_column(ForeignKey("contractor.id"))


Index(
    "uq_cohort_key",
    Cohort.kind,
    func.coalesce(Cohort.station_id, 0),
    func.coalesce(Cohort.room_id, 0),
    func.coalesce(Cohort.project_id, 0),
    func.coalesce(Cohort.contractor_id, 0),
    unique=True,
)


class Device(Base):
    """One record per device. `registered_on` is the local day of its first entry."""

    __tablename__ = "device"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(128))
    kind: Mapped[DeviceKind] = mapped_column(_choice(DeviceKind))
    registered_on: Mapped[date] = mapped_column(Date)

    address: Mapped[str | None] = mapped_column(String(64))
    port: Mapped[int | None]
    probe: Mapped[ProbeChoice] = mapped_column(_choice(ProbeChoice))
    tls: Mapped[bool] = mapped_column(default=False)
    critical: Mapped[bool] = mapped_column(default=False)
    username: Mapped[str | None] = mapped_column(String(128))
    password_encrypted: Mapped[bytes | None] = mapped_column(LargeBinary)

    vendor: Mapped[str | None] = mapped_column(String(64))
    model: Mapped[str | None] = mapped_column(String(64))
    serial: Mapped[str | None] = mapped_column(String(64))
    firmware: Mapped[str | None] = mapped_column(String(64))
    mac: Mapped[str | None] = mapped_column(String(17))
    resolution: Mapped[str | None] = mapped_column(String(32))

    longitude: Mapped[float | None] = mapped_column(Float(53))
    latitude: Mapped[float | None] = mapped_column(Float(53))
    install_address: Mapped[str | None] = mapped_column(String(256))
    position_class: Mapped[int | None] = mapped_column(SmallInteger)

    commissioned_on: Mapped[date | None] = mapped_column(Date)
    decommissioned_on: Mapped[date | None] = mapped_column(Date)
    lease_ends_on: Mapped[date | None] = mapped_column(Date)


Index("ix_device_service_start", func.coalesce(Device.commissioned_on, Device.registered_on))
Index(
    "ix_device_critical", Device.id, sqlite_where=Device.critical, postgresql_where=Device.critical
)
"""The few devices that the rooms cannot do without are found without the others."""


class Assignment(Base):
    """Where a device belongs from the start of `from_day` to the start of `to_day` (null: on)."""

    __tablename__ = "assignment"

    device_id: Mapped[int] = mapped_column(ForeignKey("device.id"), primary_key=True)
    from_day: Mapped[date] = mapped_column(Date, primary_key=True)
    to_day: Mapped[date | None] = mapped_column(Date)
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"), index=True)
    power_district: Mapped[str | None] = mapped_column(String(64))


class DeviceChange(Base):
    """One field of a device's record that was changed; see `app.fleet.history`.

    Ids go up with time. The database itself refuses to change or to delete an entry.
    """

    __tablename__ = "device_change"

    id: Mapped[int] = mapped_column(primary_key=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id"))
    at: Mapped[int] = mapped_column(Instant)
    actor: Mapped[str] = mapped_column(String(96))
    source: Mapped[ChangeSource] = mapped_column(_choice(ChangeSource))
    field: Mapped[str] = mapped_column(String(32))
    before: Mapped[str | None] = mapped_column(String(256))
    after: Mapped[str | None] = mapped_column(String(256))


Index("ix_device_change_device_id_id", DeviceChange.device_id, DeviceChange.id)
"""A page of one device's changes, the newest first."""


class Observed(Base):
    """What the last deep inspection of a device found.

    `asked_at` and `outcome` (a status code) are of the last inspection, `inspected_at` and all that
    follows of the last one that learnt anything. `refused` is a fingerprint of credentials that the
    device refused: they are not shown to it again. Addresses hold no credentials. What the device
    did not tell is null.
    """

    __tablename__ = "observed"

    device_id: Mapped[int] = mapped_column(ForeignKey("device.id"), primary_key=True)
    asked_at: Mapped[int] = mapped_column(Instant)
    outcome: Mapped[int] = mapped_column(SmallInteger)
    detail: Mapped[str] = mapped_column(String(256))
    refused: Mapped[bytes | None] = mapped_column(LargeBinary(16))

    inspected_at: Mapped[int | None] = mapped_column(Instant)
    vendor: Mapped[str | None] = mapped_column(String(64))
    model: Mapped[str | None] = mapped_column(String(64))
    serial: Mapped[str | None] = mapped_column(String(64))
    firmware: Mapped[str | None] = mapped_column(String(64))
    hardware_id: Mapped[str | None] = mapped_column(String(64))
    mac: Mapped[str | None] = mapped_column(String(17))
    resolution: Mapped[str | None] = mapped_column(String(32))
    stream_uri: Mapped[str | None] = mapped_column(String(512))
    snapshot_uri: Mapped[str | None] = mapped_column(String(512))
    profiles: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    services: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    capabilities: Mapped[dict[str, Any]] = mapped_column(JSON)


class PasswordVerdict(Base):
    """What a camera said of a password that it was shown (`collectors.onvif.credentials`).

    `fingerprint` is a keyed hash of address, user name and password; the key follows from the
    secret key. `scheme` and `clock_offset_s` are how it last worked, null where it did not.
    Instants are UTC seconds, null where the verdict does not say it; `FOREVER` until one of the
    three changes. `learnt_at` tells other processes what is new to them.
    """

    __tablename__ = "password_verdict"
    __table_args__ = {"sqlite_with_rowid": False}

    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    scheme: Mapped[str | None] = mapped_column(String(16))
    clock_offset_s: Mapped[int | None] = mapped_column(Instant)
    refused_until: Mapped[int | None] = mapped_column(Instant)
    doubted_until: Mapped[int | None] = mapped_column(Instant)
    refusals: Mapped[int] = mapped_column(SmallInteger)
    learnt_at: Mapped[int] = mapped_column(Instant)
