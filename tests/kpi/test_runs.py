"""Runs of equal values."""

from itertools import groupby

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kpi.runs import runs


@given(st.lists(st.integers(0, 3), max_size=50))
def test_runs_are_the_row(values: list[int]) -> None:
    found = runs(np.array(values, dtype=np.uint8))
    assert [(run.value, run.length) for run in found] == [
        (value, len(list(group))) for value, group in groupby(values)
    ]
    assert [run.start for run in found] == [0, *(run.end for run in found)][: len(found)]
