"""Tables of who is told, and of what has to be sent to them."""

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, and_
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant

NAME_LENGTH = 64
ERROR_LENGTH = 512


class Severity(StrEnum):
    """How bad it is, the least first."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


class Channel(StrEnum):
    """How a recipient is reached: what apprise speaks, or a POST of one of two bodies."""

    APPRISE = "apprise"
    ALERTMANAGER = "alertmanager"
    WEBHOOK = "webhook"


class Topics(StrEnum):
    """What a recipient is told of."""

    ALL = "all"
    ALERTS = "alerts"
    SEALS = "seals"
    """Months that were sealed or amended."""


class DeliveryState(StrEnum):
    """What became of a message."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


class Recipient(Base):
    """Somebody who is told, and the way to them.

    The address holds passwords and tokens: it is encrypted as those of devices are, and never shown
    again. One row is there by migration, `from_settings`: its address is `INTACT_WEBHOOK_URL`, and
    it is enabled while that is set.
    """

    __tablename__ = "recipient"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH), unique=True)
    channel: Mapped[str] = mapped_column(String(16))
    address_encrypted: Mapped[bytes | None] = mapped_column(LargeBinary)
    language: Mapped[str] = mapped_column(String(8))
    min_severity: Mapped[str] = mapped_column(String(16))
    topics: Mapped[str] = mapped_column(String(8), server_default=Topics.ALL)
    enabled: Mapped[bool]
    from_settings: Mapped[bool] = mapped_column(default=False)
    changed_at: Mapped[int] = mapped_column(Instant)
    tested_at: Mapped[int | None] = mapped_column(Instant)


class Notification(Base):
    """One message to one recipient; written in the transaction of the decision that it tells of.

    It is due from `next_attempt_at` until `delivered_at` or `given_up_at` is set, and never leaves
    the table: what could not be delivered stays visible. `queued_at` is when it was written, or
    sent again by hand; `recipient_id` is null once the recipient has been deleted.
    """

    __tablename__ = "notification"

    id: Mapped[int] = mapped_column(primary_key=True)
    alert_id: Mapped[int | None] = mapped_column(ForeignKey("alert.id"), index=True)
    recipient_id: Mapped[int | None] = mapped_column(ForeignKey("recipient.id"))
    severity: Mapped[str] = mapped_column(String(16))
    event: Mapped[str] = mapped_column(String(16))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[int] = mapped_column(Instant)
    queued_at: Mapped[int] = mapped_column(Instant)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[int] = mapped_column(Instant)
    delivered_at: Mapped[int | None] = mapped_column(Instant)
    given_up_at: Mapped[int | None] = mapped_column(Instant)
    last_error: Mapped[str | None] = mapped_column(String(ERROR_LENGTH))

    @property
    def state(self) -> DeliveryState:
        if self.delivered_at is not None:
            return DeliveryState.DELIVERED
        return DeliveryState.WAITING if self.given_up_at is None else DeliveryState.GIVEN_UP


WAITING = and_(Notification.delivered_at.is_(None), Notification.given_up_at.is_(None))
"""Still to be sent. Few rows are: an index of their own finds them."""

Index(
    "ix_notification_waiting",
    Notification.recipient_id,
    Notification.next_attempt_at,
    sqlite_where=WAITING,
    postgresql_where=WAITING,
)
