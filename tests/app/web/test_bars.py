"""Where the pieces of bars and strips lie."""

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.web.bars import CLASSES, LEVELS, NOTHING, sample_of, shares, strip
from kpi.rates import Amounts

SLOTS = st.lists(st.sampled_from([*range(len(CLASSES)), NOTHING]), max_size=60)
PIECE = re.compile(r"M(\d+) (\d+)h(\d+)v(\d+)h-(\d+)z")


def test_equal_slots_are_one_piece() -> None:
    made = strip(np.array([0, 0, 2, 2, 0, NOTHING], dtype=np.uint8))
    assert made.width == 6
    assert dict(made.paths) == {
        "intact": "M0 6h2v4h-2zM4 6h1v4h-1z",
        "offline": "M2 0h2v10h-2z",
    }


@given(SLOTS)
def test_pieces_say_every_slot(values: list[int]) -> None:
    told = [NOTHING] * len(values)
    for kind, path in strip(np.array(values, dtype=np.uint8)).paths:
        for start, _top, length, _height, _back in PIECE.findall(path):
            for slot in range(int(start), int(start) + int(length)):
                told[slot] = CLASSES.index(kind)
    assert told == values


def test_every_kind_has_a_shape_of_its_own_among_its_neighbours() -> None:
    for kinds in (CLASSES, LEVELS):
        assert len({sample_of(kind) for kind in kinds}) == len(kinds)


def test_bar_is_filled_by_what_is_there() -> None:
    parts = shares(Amounts(intact=97, offline=1, unknown=2))
    assert [(each.kind, each.start, each.width) for each in parts] == [
        ("offline", 0.0, 1.0),
        ("unknown", 1.0, 2.0),
        ("intact", 3.0, 97.0),
    ]
    assert shares(Amounts()) == []
