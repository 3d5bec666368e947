"""Table of the archived days."""

from datetime import date
from enum import StrEnum

from sqlalchemy import Date, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant


class ArchiveState(StrEnum):
    """How far a day has come. Its hot samples are whole until it is `FILED`.

    `BEGUN`: a file is being written for the first time. `WRITTEN`: the file is there, and so are
    the hot samples. `FILED`: the file is the evidence; hot are only what it does not hold yet.
    """

    BEGUN = "begun"
    WRITTEN = "written"
    FILED = "filed"


class ArchiveDay(Base):
    """A day's file: `start` and `end` of the day in UTC seconds, slots of `interval_s`.

    `revision` counts what was stored for the day since it was begun, `written_revision` says how
    much of that the file holds (null: there is no file). `next_sha256` and `next_revision` are of a
    file that is about to take the place of the present one: after a crash they tell which of the
    two is there.
    """

    __tablename__ = "archive_day"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    start: Mapped[int] = mapped_column(Instant)
    end: Mapped[int] = mapped_column(Instant, index=True)
    interval_s: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    revision: Mapped[int] = mapped_column(default=0)
    written_revision: Mapped[int | None]
    written_at: Mapped[int | None] = mapped_column(Instant)
    samples: Mapped[int | None]
    size_bytes: Mapped[int | None] = mapped_column(Instant)
    sha256: Mapped[str | None] = mapped_column(String(64))
    next_sha256: Mapped[str | None] = mapped_column(String(64))
    next_revision: Mapped[int | None]

    @property
    def is_filed(self) -> bool:
        """Whether the file is the evidence."""
        return self.state == ArchiveState.FILED

    @property
    def is_whole(self) -> bool:
        """Whether the file holds all that was stored for the day."""
        return self.written_revision == self.revision
