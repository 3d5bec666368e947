"""Tables of the alerts."""

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant


class AlertKind(StrEnum):
    FLEET_INTACT_RATE = "fleet_intact_rate"
    EVIDENCE_MISSING = "evidence_missing"


class AlertEvent(StrEnum):
    """What a notification tells of its alert."""

    OPENED = "opened"
    RESOLVED = "resolved"


class Alert(Base):
    """One alert, open until `resolved_at`. At most one of a kind is open."""

    __tablename__ = "alert"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    opened_at: Mapped[int] = mapped_column(Instant)
    since: Mapped[int] = mapped_column(Instant)
    resolved_at: Mapped[int | None] = mapped_column(Instant)
    figures: Mapped[dict[str, Any]] = mapped_column(JSON)


Index(
    "uq_alert_open",
    Alert.kind,
    unique=True,
    sqlite_where=Alert.resolved_at.is_(None),
    postgresql_where=Alert.resolved_at.is_(None),
)
