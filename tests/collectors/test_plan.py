"""Phases: even, within the window, the same for the same rooms."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.plan import phases

_GROUPS = st.lists(st.text(max_size=5), min_size=1, max_size=60)


@given(_GROUPS, st.floats(0.001, 900))
def test_phases_are_even_and_know_no_order(groups: list[str], window: float) -> None:
    found = phases(groups, window)
    assert found == phases(sorted(groups, reverse=True) + groups, window)
    assert found.keys() == set(groups)
    times = sorted(found.values())
    assert times[0] == 0
    assert times[-1] < window
    gap = window / len(times)
    assert all(b - a == pytest.approx(gap) for a, b in pairwise(times))


def test_no_rooms() -> None:
    assert phases([], 30) == {}


def test_no_window() -> None:
    assert phases(["a", "b"], 0) == {"a": 0, "b": 0}
    with pytest.raises(ValueError, match="negative"):
        phases(["a"], -1)
