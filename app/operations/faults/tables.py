"""Tables of the faults and incidents. All of it follows from the evidence and can be rebuilt.

Instants are ticks (UTC seconds of a slot's start). What they mean: `kpi.faults`, `kpi.incidents`.
"""

from datetime import date
from typing import Any

from sqlalchemy import (
    JSON,
    Date,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant

FAULTS = "faults"
INCIDENTS = "incidents"
"""Names of the two followers of the evidence (`app.evidence.revisions`)."""


class Incident(Base):
    """One cause of many faults. `scope` and `code`: a `kpi.incidents.Place`; `name` is its name.

    `devices` are the cameras that could fail at `onset`, `failed` those that came under it.
    `ended_at` is when fewer than half of them failed still, `closed_at` the tick that told so.
    """

    __tablename__ = "incident"

    id: Mapped[int] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(String(16))
    code: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(128))
    onset: Mapped[int] = mapped_column(Instant)
    opened_at: Mapped[int] = mapped_column(Instant, index=True)
    ended_at: Mapped[int | None] = mapped_column(Instant)
    closed_at: Mapped[int | None] = mapped_column(Instant)
    devices: Mapped[int]
    failed: Mapped[int]


Index(
    "ix_incident_open",
    Incident.id,
    sqlite_where=Incident.closed_at.is_(None),
    postgresql_where=Incident.closed_at.is_(None),
)


class Fault(Base):
    """A device that failed from `onset` until before `ended_at`; known from `opened_at` on, known
    to be over from `closed_at` on (both null: it lasts).

    `day` is the local day of the onset: the fault belongs to whom the device belonged to on it.
    `status` is the last failing one, `worst_status` the first of the worst class. `own_since`: a
    fault of its own again, because its incident is over and it is not.
    """

    __tablename__ = "fault"
    __table_args__ = (UniqueConstraint("device_id", "onset"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id"))
    day: Mapped[date] = mapped_column(Date)
    onset: Mapped[int] = mapped_column(Instant, index=True)
    opened_at: Mapped[int] = mapped_column(Instant, index=True)
    ended_at: Mapped[int | None] = mapped_column(Instant)
    closed_at: Mapped[int | None] = mapped_column(Instant, index=True)
    reason: Mapped[str | None] = mapped_column(String(16))
    status: Mapped[int] = mapped_column(SmallInteger)
    worst_status: Mapped[int] = mapped_column(SmallInteger)
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incident.id"), index=True)
    own_since: Mapped[int | None] = mapped_column(Instant)


class FaultStep(Base):
    """From the tick `at` on the device had this status, good ones too."""

    __tablename__ = "fault_step"
    __table_args__ = {"sqlite_with_rowid": False}

    fault_id: Mapped[int] = mapped_column(ForeignKey("fault.id"), primary_key=True)
    at: Mapped[int] = mapped_column(Instant, primary_key=True, autoincrement=False)
    status: Mapped[int] = mapped_column(SmallInteger)


class FaultWatch(Base):
    """A device that is not clear: the state of its episode (`kpi.faults.Episode`).

    `steps` are those of an episode that is no fault so far; a fault's are in `FaultStep`.
    """

    __tablename__ = "fault_watch"

    device_id: Mapped[int] = mapped_column(
        ForeignKey("device.id"), primary_key=True, autoincrement=False
    )
    onset: Mapped[int] = mapped_column(Instant)
    status: Mapped[int] = mapped_column(SmallInteger)
    worst: Mapped[int] = mapped_column(SmallInteger)
    failing: Mapped[int]
    good: Mapped[int]
    good_since: Mapped[int | None] = mapped_column(Instant)
    opened_at: Mapped[int | None] = mapped_column(Instant)
    seen: Mapped[int] = mapped_column(SmallInteger)
    steps: Mapped[list[Any]] = mapped_column(JSON)
