"""Tables of the sealed months."""

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant


class MonthSeal(Base):
    """One version of a sealed month; none is ever changed, an amendment adds the next.

    `manifest` is the canonical JSON of all that the figures rest on (`manifest.py`), `sha256` its
    hash. `reason`: why it was sealed in spite of insufficient evidence, or why it was amended.
    """

    __tablename__ = "month_seal"

    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    sealed_at: Mapped[int] = mapped_column(Instant)
    sealed_by: Mapped[str] = mapped_column(String(96))
    reason: Mapped[str | None] = mapped_column(String(512))
    policy: Mapped[str] = mapped_column(String(64))
    manifest: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))


class MonthAmendment(Base):
    """A sealed month that is being amended: while the row is there it follows its evidence."""

    __tablename__ = "month_amendment"

    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    begun_at: Mapped[int] = mapped_column(Instant)
    begun_by: Mapped[str] = mapped_column(String(96))
    reason: Mapped[str] = mapped_column(String(512))
