"""Which suspensions of a device overlap."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A suspension from `start` until before `end` (UTC seconds; None: open).

    `row` is its row in the file, None where it stands in the database.
    """

    start: int
    end: int | None
    row: int | None

    @property
    def reach(self) -> float:
        return math.inf if self.end is None else self.end


def overlaps(spans: Iterable[Span]) -> Iterator[tuple[Span, Span]]:
    """Pairs of spans of one device that overlap: a span of the file, and one it collides with.

    Where anything overlaps there is a pair; each span of the file is named at most once, and those
    that are not named do not overlap. Spans of the database are not held against each other.
    """
    widest: Span | None = None  # of those that are not named
    for span in sorted(spans, key=lambda each: each.start):
        if widest is not None and span.start < widest.reach:
            blamed, other = (span, widest) if span.row is not None else (widest, span)
            if blamed.row is not None:
                yield blamed, other
                widest = other
                continue
        if widest is None or span.reach > widest.reach:
            widest = span
