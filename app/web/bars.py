"""Bars and strips as SVG: where each piece lies. Pure geometry; templates write it out.

A piece says what it is by colour and by shape, so that it survives a printer and a colour-blind
eye: trouble stands tall, health lies low, what is taken out hangs from above.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.web.words import class_name
from kpi.rates import Amounts
from kpi.runs import runs
from kpi.status import SlotClass

HEIGHT = 10
CLASSES = tuple(class_name(each) for each in SlotClass)
"""Kinds of a device's slots, by the value of `SlotClass`."""
LEVELS = ("met", "low", "bad", "blind")
"""Kinds of a group's slots: target met, missed, missed by far, no sufficient evidence."""
NOTHING = 255
"""In place of a kind: not yet, or not in service."""

_SHAPES: Mapping[str, tuple[int, int]] = {
    "intact": (6, 4),
    "impaired": (3, 7),
    "offline": (0, 10),
    "unknown": (9, 1),
    "suspended": (0, 3),
    "exempted": (0, 2),
    "met": (6, 4),
    "low": (3, 7),
    "bad": (0, 10),
    "blind": (9, 1),
}
"""Kind → top and height, of `HEIGHT`."""

WORST_FIRST = ("offline", "impaired", "unknown", "suspended", "exempted", "intact")
"""What fails comes first, so that the bars of all rows can be compared at one edge."""


@dataclass(frozen=True, slots=True)
class Strip:
    """A row of slots, `width` of them; `paths` are one SVG path for each kind that occurs."""

    width: int
    paths: Sequence[tuple[str, str]]


def strip(values: npt.NDArray[np.uint8], kinds: Sequence[str] = CLASSES) -> Strip:
    """Slots as shapes; a value is a place in `kinds`, or `NOTHING`."""
    pieces: dict[str, list[str]] = defaultdict(list)
    for value, start, length in runs(values):
        if value != NOTHING:
            top, height = _SHAPES[kinds[value]]
            pieces[kinds[value]].append(f"M{start} {top}h{length}v{height}h-{length}z")
    return Strip(len(values), [(kind, "".join(path)) for kind, path in pieces.items()])


def sample_of(kind: str) -> str:
    """The path of one piece, for the legend: `HEIGHT` wide."""
    top, height = _SHAPES[kind]
    return f"M0 {top}h{HEIGHT}v{height}h-{HEIGHT}z"


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a bar, in per cent of its length."""

    kind: str
    start: float
    width: float


def shares(amounts: Amounts) -> list[Share]:
    """The classes that occur, worst first."""
    total, parts, start = amounts.in_service, [], 0.0
    for kind in WORST_FIRST:
        width = 100 * getattr(amounts, kind) / total if total else 0.0
        if width:
            parts.append(Share(kind, round(start, 2), round(width, 2)))
        start += width
    return parts
