"""Tables of the evidence.

The way of a sample: `Sample` (per device and slot) → `Ledger` (seconds per device and day) →
`LedgerCohort` (the same, added up per cohort and day), from which every rate is a sum.
Source: DESIGN §2 and §4.
"""

from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    Date,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    UniqueConstraint,
    literal_column,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant


class _Amounts:
    """Whole seconds by class over a day, or devices by class at a tick (see `kpi.rates`)."""

    intact: Mapped[int]
    impaired: Mapped[int]
    offline: Mapped[int]
    unknown: Mapped[int]
    suspended: Mapped[int]
    exempted: Mapped[int]
    intact_by_video: Mapped[int] = mapped_column(server_default="0")
    """The part of `intact` during which a good video check was valid."""


class EvidenceZone(Base):
    """The time zone whose days the evidence is cut into; one row, written with the first day."""

    __tablename__ = "evidence_zone"

    id: Mapped[int] = mapped_column(primary_key=True)
    timezone: Mapped[str] = mapped_column(String(64))


class DayOrigin(StrEnum):
    """Where the first evidence of a day came from."""

    COLLECTOR = "collector"
    IMPORT = "import"
    DEMO = "demo"


class EvidenceDay(Base):
    """The slot length of a local day that has evidence, and where its first evidence came from."""

    __tablename__ = "evidence_day"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    interval_s: Mapped[int]
    origin: Mapped[str] = mapped_column(String(16))


class Sample(Base):
    """The result of one device in one slot.

    The key's order lets each sweep append to the end of the table; a device's own samples are
    read by naming its ticks. `device_id` is no foreign key: it would cost every insert a look-up.
    On PostgreSQL each local day has a partition (see `app.evidence.partitions`).
    """

    __tablename__ = "sample"
    __table_args__ = {"sqlite_with_rowid": False, "postgresql_partition_by": "RANGE (tick)"}

    tick: Mapped[int] = mapped_column(Instant, primary_key=True)
    device_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    status: Mapped[int] = mapped_column(SmallInteger)
    latency_ms: Mapped[int | None] = mapped_column(SmallInteger)


FAILING = Sample.status > literal_column("0")
"""All that is not plainly intact: few samples, by which outages are found without the others.

The zero is written out in every query, or SQLite would not know the index by it.
"""

Index(
    "ix_sample_failing",
    Sample.device_id,
    Sample.tick,
    Sample.status,
    sqlite_where=FAILING,
    postgresql_where=FAILING,
)


class Sweep(Base):
    """One finished sweep. `tick` is the start of its slot; times are UTC seconds."""

    __tablename__ = "sweep"

    tick: Mapped[int] = mapped_column(Instant, primary_key=True, autoincrement=False)
    interval_s: Mapped[int]
    finished_at: Mapped[int] = mapped_column(Instant)
    devices: Mapped[int]
    stored: Mapped[int]
    by_status: Mapped[dict[str, int]] = mapped_column(JSON)
    latency_ms: Mapped[dict[str, Any]] = mapped_column(JSON)
    wall_s: Mapped[float]
    cpu_s: Mapped[float]


class SweepCount(_Amounts, Base):
    """Devices of one cohort by class at a sweep; pages and alerts read these, not the samples."""

    __tablename__ = "sweep_count"
    __table_args__ = {"sqlite_with_rowid": False}

    tick: Mapped[int] = mapped_column(ForeignKey("sweep.tick"), primary_key=True)
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"), primary_key=True)


class DeviceState(Base):
    """What the last sweep saw of a device; written only when it changes.

    `since` is the tick from which the status has been the same, `previous` the status before it
    (null: there was none); `clock_offset_s` whole seconds.
    """

    __tablename__ = "device_state"

    device_id: Mapped[int] = mapped_column(ForeignKey("device.id"), primary_key=True)
    status: Mapped[int] = mapped_column(SmallInteger)
    since: Mapped[int] = mapped_column(Instant, index=True)
    clock_offset_s: Mapped[int | None] = mapped_column(Instant)
    detail: Mapped[str] = mapped_column(String(256))
    previous: Mapped[int | None] = mapped_column(SmallInteger)


class VideoState(Base):
    """The video check of one camera: what holds now, and what the last check said.

    `status` holds for the slots with `start ≤ slot start < end` (255: nothing ever did), `detail`
    says why; `doubted`, `next_at`: see `app.evidence.video_rules`. `outcome` and `outcome_detail`
    are of the check at `checked_at`, as are the figures of the snapshot: points, bytes, null where
    there was no picture.
    """

    __tablename__ = "video_state"

    device_id: Mapped[int] = mapped_column(ForeignKey("device.id"), primary_key=True)
    status: Mapped[int] = mapped_column(SmallInteger)
    start: Mapped[int] = mapped_column(Instant)
    end: Mapped[int] = mapped_column(Instant)
    detail: Mapped[str] = mapped_column(String(256))
    doubted: Mapped[bool]
    next_at: Mapped[int] = mapped_column(Instant)
    checked_at: Mapped[int] = mapped_column(Instant)
    outcome: Mapped[int] = mapped_column(SmallInteger)
    outcome_detail: Mapped[str] = mapped_column(String(256))
    latency_ms: Mapped[int | None]
    picture_width: Mapped[int | None]
    picture_height: Mapped[int | None]
    picture_bytes: Mapped[int | None]
    picture_detail: Mapped[str] = mapped_column(String(256))


class VideoSpan(Base):
    """When a result of the video check held, kept for good: the ledger's basis follows from it."""

    __tablename__ = "video_span"
    __table_args__ = {"sqlite_with_rowid": False}

    device_id: Mapped[int] = mapped_column(ForeignKey("device.id"), primary_key=True)
    start: Mapped[int] = mapped_column(Instant, primary_key=True, autoincrement=False)
    end: Mapped[int] = mapped_column(Instant, index=True)
    status: Mapped[int] = mapped_column(SmallInteger)


class CollectorRun(Base):
    """When a collector was alive; `stopped_at` stays null where it was killed."""

    __tablename__ = "collector_run"

    id: Mapped[int] = mapped_column(primary_key=True)
    started_at: Mapped[int] = mapped_column(Instant)
    heartbeat_at: Mapped[int] = mapped_column(Instant)
    stopped_at: Mapped[int | None] = mapped_column(Instant)
    host: Mapped[str] = mapped_column(String(128))
    pid: Mapped[int]
    version: Mapped[str] = mapped_column(String(32))


class JobState(Base):
    """The last run of one of the collector's jobs (`app.evidence.job_log`); times are UTC seconds.

    `ended_at` is null while it runs, `next_at` where it is due no more.
    """

    __tablename__ = "job_state"

    job: Mapped[str] = mapped_column(String(32), primary_key=True)
    started_at: Mapped[int] = mapped_column(Instant)
    ended_at: Mapped[int | None] = mapped_column(Instant)
    outcome: Mapped[str] = mapped_column(String(16))
    detail: Mapped[str] = mapped_column(String(256))
    next_at: Mapped[int | None] = mapped_column(Instant)


class HostEventKind(StrEnum):
    """What may happen to the host that collects."""

    CLOCK_JUMP = "clock_jump"
    CLOCK_SUSPECTED = "clock_suspected"
    PAUSED = "paused"
    CUT_OFF = "cut_off"


class HostEvent(Base):
    """Something of ours that kept us from measuring, or put what was measured in doubt.

    It lasted from `at` to `until` (null: it lasts). `seconds`: how far the clock jumped or seems to
    be off (ahead is positive), else how long it lasted when it was first recorded.
    """

    __tablename__ = "host_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    at: Mapped[int] = mapped_column(Instant)
    until: Mapped[int | None] = mapped_column(Instant)
    seconds: Mapped[float]
    detail: Mapped[str] = mapped_column(String(256))


class ClockOffset(Base):
    """A device's clock minus ours in whole seconds, from the tick `at` until the next row.

    A row is written when the offset has moved; a steady clock has one. Kept for good: a clock that
    gains a second a day leaves some 120 rows a year.
    """

    __tablename__ = "clock_offset"
    __table_args__ = {"sqlite_with_rowid": False}

    device_id: Mapped[int] = mapped_column(ForeignKey("device.id"), primary_key=True)
    at: Mapped[int] = mapped_column(Instant, primary_key=True, autoincrement=False)
    offset_s: Mapped[int] = mapped_column(Instant)


class _SuspensionFacts:
    """A point taken out of assessment (报停): covers the slots with `start ≤ slot start < end`."""

    device_id: Mapped[int] = mapped_column(ForeignKey("device.id"))
    start: Mapped[int] = mapped_column(Instant)
    end: Mapped[int | None] = mapped_column(Instant)
    reason: Mapped[str] = mapped_column(String(512))
    approved_by: Mapped[str] = mapped_column(String(128))
    document: Mapped[str | None] = mapped_column(String(256))
    recorded_at: Mapped[int] = mapped_column(Instant)


class Suspension(_SuspensionFacts, Base):
    """The suspension in force; one per device and start."""

    __tablename__ = "suspension"
    __table_args__ = (UniqueConstraint("device_id", "start"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)


class SuspensionVersion(_SuspensionFacts, Base):
    """What a suspension said before it was changed."""

    __tablename__ = "suspension_version"

    suspension_id: Mapped[int] = mapped_column(ForeignKey("suspension.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)


class Ledger(_Amounts, Base):
    """Seconds of one device and local day by class, up to the `through` of its `LedgerDay`."""

    __tablename__ = "ledger"
    __table_args__ = {"sqlite_with_rowid": False}

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    device_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class LedgerCohort(_Amounts, Base):
    """The ledger of a day added up per cohort, with the number of devices behind it."""

    __tablename__ = "ledger_cohort"
    __table_args__ = {"sqlite_with_rowid": False}

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"), primary_key=True)
    devices: Mapped[int]


class LedgerDay(Base):
    """How far the ledger of a day has come: it holds the slots that start before `through`."""

    __tablename__ = "ledger_day"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    interval_s: Mapped[int]
    through: Mapped[int] = mapped_column(Instant)


class DirtyDay(Base):
    """A device-day whose ledger no longer follows from the evidence and is to be made anew."""

    __tablename__ = "dirty_day"
    __table_args__ = {"sqlite_with_rowid": False}

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    device_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class Follower(Base):
    """How far somebody has come who derives something else from the evidence, slot by slot.

    It has seen the slots that start before `through`. A change of what it has seen is told in
    `RevisedDevice`.
    """

    __tablename__ = "follower"

    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    through: Mapped[int] = mapped_column(Instant)


class RevisedDevice(Base):
    """A device of which followers have to look anew at all that is since the start of a day."""

    __tablename__ = "revised_device"

    device_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    since: Mapped[date] = mapped_column(Date)
