"""Tables of what has to be sent."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant


class Notification(Base):
    """One message to be sent; written in the transaction that opens or resolves the alert.

    It is due from `next_attempt_at` until `delivered_at` or `given_up_at` is set, and never leaves
    the table: what could not be delivered stays visible.
    """

    __tablename__ = "notification"

    id: Mapped[int] = mapped_column(primary_key=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("alert.id"), index=True)
    event: Mapped[str] = mapped_column(String(16))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[int] = mapped_column(Instant)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[int] = mapped_column(Instant)
    delivered_at: Mapped[int | None] = mapped_column(Instant)
    given_up_at: Mapped[int | None] = mapped_column(Instant)
    last_error: Mapped[str | None] = mapped_column(String(512))
