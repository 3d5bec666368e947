"""What a benchmark brings: figures, their ratio to a peer or a bar, and a verdict."""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

Ours = TypeVar("Ours")
Peer = TypeVar("Peer")


@dataclass(frozen=True, slots=True)
class Options:
    """How much is measured: `repetitions` of each side, cameras, sweeps of the memory run."""

    repetitions: int = 7
    cameras: int = 3292
    sweeps: int = 60
    scales: tuple[int, ...] = (330, 3292, 32_920)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: ours, the peer's, and how many times the one is of the other.

    Without a `peer` the figure is judged by the `bar` itself, in the same `unit`; without a `bar`
    it is told and not judged.
    """

    what: str
    ours: float
    unit: str
    peer: float | None = None
    bar: float | None = None

    @property
    def ratio(self) -> float | None:
        """Ours over the peer's, or over the bar where there is no peer."""
        under = self.bar if self.peer is None else self.peer
        return None if not under else self.ours / under

    @property
    def met(self) -> bool | None:
        """Whether the bar was held; None where there is none."""
        if self.bar is None:
            return None
        if self.peer is None:
            return self.ours <= self.bar
        return self.ratio is not None and self.ratio <= self.bar

    def cells(self) -> tuple[str, ...]:
        """what, ours, peer, ratio, bar, verdict."""
        verdict = {True: "held", False: "**missed**", None: "–"}[self.met]
        return (
            self.what,
            shown(self.ours, self.unit),
            "–" if self.peer is None else shown(self.peer, self.unit),
            "–" if self.ratio is None else f"{self.ratio:.2f} ×",
            self._bar(),
            verdict,
        )

    def _bar(self) -> str:
        if self.bar is None:
            return "–"
        return f"≤ {shown(self.bar, self.unit)}" if self.peer is None else f"≤ {self.bar:g} ×"


HEADER = ("what", "ours", "peer", "ratio", "bar", "verdict")


@dataclass(frozen=True, slots=True)
class Table:
    """Figures that have no bar: plain columns."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """What one benchmark says: how it was measured, its figures, what to know about them.

    `skipped` says why it could not be run here.
    """

    name: str
    how: str
    figures: tuple[Figure, ...] = ()
    table: Table | None = None
    notes: tuple[str, ...] = ()
    skipped: str = ""


def shown(value: float, unit: str) -> str:
    """A figure with its unit, three digits or so."""
    digits = 0 if value >= 100 or float(value).is_integer() else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}".strip()


def alternately(
    ours: Callable[[], Ours], peer: Callable[[], Peer], repetitions: int
) -> tuple[list[Ours], list[Peer]]:
    """Run both so many times, ours and the peer's first in turn; one unmeasured run of each before.

    What else the machine does then hits both alike.
    """
    ours()
    peer()
    of_ours: list[Ours] = []
    of_peer: list[Peer] = []
    for repetition in range(repetitions):
        if repetition % 2:
            of_peer.append(peer())
        of_ours.append(ours())
        if not repetition % 2:
            of_peer.append(peer())
    return of_ours, of_peer


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def percentile(values: Sequence[float], percent: int) -> float:
    """Nearest rank."""
    return sorted(values)[math.ceil(percent * len(values) / 100) - 1]
