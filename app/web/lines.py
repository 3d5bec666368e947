"""A line over days as SVG: where its points lie. Pure geometry; templates write it out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

HEIGHT = 100
STEP = 10


@dataclass(frozen=True, slots=True)
class Line:
    """A path in a box of `width` × `HEIGHT`, and the fractions at its lower and upper edge.

    `level`: the height of the target's line; None: there is none.
    """

    width: int
    path: str
    low: float
    high: float
    level: float | None


def line(values: Sequence[float | None], target: float | None = None) -> Line:
    """Fractions one step apart; it breaks where a value is missing. A lone value is a dash."""
    shown = [value for value in (*values, target) if value is not None]
    low = max(0.0, math.floor(100 * min(shown, default=0.0) - 0.2) / 100)
    high = min(1.0, math.ceil(100 * max(shown, default=1.0) + 0.2) / 100)

    def height(value: float) -> float:
        return round(HEIGHT * (high - value) / (high - low), 2)

    path, is_drawing = [], False
    for place, value in enumerate(values):
        if value is not None:
            path.append(f"{'L' if is_drawing else 'M'}{place * STEP} {height(value)}h0")
        is_drawing = value is not None
    return Line(
        width=max(1, len(values) - 1) * STEP,
        path="".join(path),
        low=low,
        high=high,
        level=None if target is None else height(target),
    )
