"""Whose devices somebody sees. It goes from the request into every query as one value."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reach:
    """Codes of the station and of the contractor to which the view is limited; None: no limit."""

    station: str | None = None
    contractor: str | None = None

    @property
    def limited(self) -> bool:
        return self != EVERYTHING


EVERYTHING = Reach()
