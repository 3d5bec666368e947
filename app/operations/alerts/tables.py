"""Tables of the alerts: the rules, what they found, and what is kept silent."""

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant

KEY_LENGTH = 32
NOTE_LENGTH = 512
MINUTES_A_DAY = 1_440
FLEET_CODE = ""
"""The code of the one place that the scope `fleet` has."""


class Metric(StrEnum):
    """What a rule looks at. The first four are rates, compared with a threshold."""

    INTACT_RATE = "intact_rate"
    ONLINE_RATE = "online_rate"
    SUSPENDED_RATE = "suspended_rate"
    COVERAGE = "coverage"
    ROOM_DOWN = "room_down"
    INCIDENT = "incident"
    COLLECTOR_SILENT = "collector_silent"
    CLOCK_WRONG = "clock_wrong"
    """The share of the assessed cameras whose clock is wrong."""
    DISK_LOW = "disk_low"
    """The share of the disk that is free."""
    BUDGET_BURN = "budget_burn"
    """How many times as fast as it may the last hour spent the error budget (`kpi.budget`)."""
    MONTH_WILL_MISS = "month_will_miss"
    """At the present rate the month misses its target."""


class Period(StrEnum):
    """Of when a rate is: of the last sweep, or of the month to date."""

    NOW = "now"
    MONTH = "month"


class Scope(StrEnum):
    """Of whom: a rule without a code looks at each of its scope."""

    FLEET = "fleet"
    STATION = "station"
    PROJECT = "project"
    CONTRACTOR = "contractor"
    ROOM = "room"
    POWER_DISTRICT = "power_district"
    """Only alerts about an incident have it, no rule."""


class AlertEvent(StrEnum):
    """What a message tells of its alert."""

    OPENED = "opened"
    RESOLVED = "resolved"
    REPEATED = "repeated"
    ESCALATED = "escalated"


class AlertRule(Base):
    """When an alert is opened, when it is resolved, and how it is told.

    `threshold` and `recovery` are decimal fractions of 1 as text ("0.98"), of a burn rate multiples
    ("3"); null where the metric has none. It is opened after `for_slots` slots beyond the
    threshold, resolved once `recovery` is reached. In quiet hours (`quiet_from` to `quiet_to`,
    minutes of the local day) only what is critical is told; the rest at their end. `repeat_s`: told
    again while nobody acknowledges it; `escalate_after_s`: told to others then. `shipped` rules
    came with the program: they may be changed and disabled, not deleted. `version` counts changes.
    """

    __tablename__ = "alert_rule"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(KEY_LENGTH), unique=True)
    metric: Mapped[str] = mapped_column(String(32))
    period: Mapped[str] = mapped_column(String(8))
    scope: Mapped[str] = mapped_column(String(16))
    scope_code: Mapped[str | None] = mapped_column(String(64))
    threshold: Mapped[str | None] = mapped_column(String(16))
    recovery: Mapped[str | None] = mapped_column(String(16))
    for_slots: Mapped[int]
    severity: Mapped[str] = mapped_column(String(16))
    quiet_from: Mapped[int | None]
    quiet_to: Mapped[int | None]
    repeat_s: Mapped[int | None]
    escalate_after_s: Mapped[int | None]
    enabled: Mapped[bool]
    shipped: Mapped[bool]
    version: Mapped[int] = mapped_column(default=1)
    changed_by: Mapped[str | None] = mapped_column(String(96))
    changed_at: Mapped[int | None] = mapped_column(Instant)


class RuleRecipient(Base):
    """Who is told of a rule's alerts, where it names somebody; `escalates`: only at an escalation.

    A rule that names nobody tells all who want its severity.
    """

    __tablename__ = "alert_rule_recipient"

    rule_id: Mapped[int] = mapped_column(ForeignKey("alert_rule.id"), primary_key=True)
    recipient_id: Mapped[int] = mapped_column(ForeignKey("recipient.id"), primary_key=True)
    escalates: Mapped[bool] = mapped_column(primary_key=True)


class Alert(Base):
    """One alert, open until `resolved_at`. At most one of a rule and place is open.

    `kind` is the rule's key; the place is `scope` and `scope_code`. `pending` is what has still to
    be told of it: quiet hours or a silence hold it back. `told_at` is when it was told last.
    """

    __tablename__ = "alert"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(KEY_LENGTH))
    metric: Mapped[str] = mapped_column(String(32), server_default="intact_rate")
    scope: Mapped[str] = mapped_column(String(16), server_default="fleet")
    scope_code: Mapped[str] = mapped_column(String(64), server_default="")
    scope_name: Mapped[str] = mapped_column(String(128), server_default="")
    severity: Mapped[str] = mapped_column(String(16), server_default="critical")
    opened_at: Mapped[int] = mapped_column(Instant)
    since: Mapped[int] = mapped_column(Instant)
    resolved_at: Mapped[int | None] = mapped_column(Instant)
    figures: Mapped[dict[str, Any]] = mapped_column(JSON)
    pending: Mapped[str | None] = mapped_column(String(16))
    told_at: Mapped[int | None] = mapped_column(Instant)
    acknowledged_at: Mapped[int | None] = mapped_column(Instant)
    acknowledged_by: Mapped[str | None] = mapped_column(String(96))
    note: Mapped[str | None] = mapped_column(String(NOTE_LENGTH))
    escalated_at: Mapped[int | None] = mapped_column(Instant)


OPEN = Alert.resolved_at.is_(None)

Index(
    "uq_alert_open",
    Alert.kind,
    Alert.scope,
    Alert.scope_code,
    unique=True,
    sqlite_where=OPEN,
    postgresql_where=OPEN,
)
Index(
    "ix_alert_pending",
    Alert.id,
    sqlite_where=Alert.pending.is_not(None),
    postgresql_where=Alert.pending.is_not(None),
)


class Silence(Base):
    """Alerts that are opened and shown, and not told, until `until` or `ended_at`.

    `kind`: of this rule, `scope` and `scope_code`: of this place; null: of any.
    """

    __tablename__ = "silence"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str | None] = mapped_column(String(KEY_LENGTH))
    scope: Mapped[str | None] = mapped_column(String(16))
    scope_code: Mapped[str | None] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(NOTE_LENGTH))
    created_by: Mapped[str] = mapped_column(String(96))
    created_at: Mapped[int] = mapped_column(Instant)
    until: Mapped[int] = mapped_column(Instant, index=True)
    ended_at: Mapped[int | None] = mapped_column(Instant)
    ended_by: Mapped[str | None] = mapped_column(String(96))
