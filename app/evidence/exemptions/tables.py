"""Tables of the exemptions."""

from enum import StrEnum

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant


class ExemptionScope(StrEnum):
    """What an exemption names; all devices that belong to it on a day are exempted on that day."""

    DEVICE = "device"
    ROOM = "room"
    POWER_DISTRICT = "power_district"
    PROJECT = "project"


class _ExemptionFacts:
    """Covers the slots with `start ≤ slot start < end` of what `scope` and `code` name."""

    scope: Mapped[str] = mapped_column(String(16))
    code: Mapped[str] = mapped_column(String(64))
    start: Mapped[int] = mapped_column(Instant)
    end: Mapped[int | None] = mapped_column(Instant)
    reason: Mapped[str] = mapped_column(String(512))
    approved_by: Mapped[str] = mapped_column(String(128))
    document: Mapped[str | None] = mapped_column(String(256))
    recorded_at: Mapped[int] = mapped_column(Instant)
    recorded_by: Mapped[str] = mapped_column(String(64))


class Exemption(_ExemptionFacts, Base):
    """The exemption in force; one per scope, code and start."""

    __tablename__ = "exemption"
    __table_args__ = (UniqueConstraint("scope", "code", "start"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)


class ExemptionVersion(_ExemptionFacts, Base):
    """What an exemption said before it was changed."""

    __tablename__ = "exemption_version"

    exemption_id: Mapped[int] = mapped_column(ForeignKey("exemption.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
