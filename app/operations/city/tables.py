"""Tables of the city's figures."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant


class _CityFacts:
    """`rate`: the intact rate in millionths. The seconds are there where the file tells hours."""

    rate: Mapped[int]
    assessed_s: Mapped[int | None]
    intact_s: Mapped[int | None]
    file: Mapped[str] = mapped_column(String(256))
    recorded_at: Mapped[int] = mapped_column(Instant)
    recorded_by: Mapped[str] = mapped_column(String(96))


class CityFigure(_CityFacts, Base):
    """What the bureau says of a device's month, as it was told last."""

    __tablename__ = "city_figure"

    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id"), primary_key=True)
    version: Mapped[int] = mapped_column(default=1)


class CityFigureVersion(_CityFacts, Base):
    """What it said before."""

    __tablename__ = "city_figure_version"

    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
