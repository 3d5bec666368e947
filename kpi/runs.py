"""Runs of equal values: what a row of slots says, in as many words as it changes."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Run(NamedTuple):
    """`length` equal values from place `start` on."""

    value: int
    start: int
    length: int

    @property
    def end(self) -> int:
        """The place after the last one."""
        return self.start + self.length


def runs(values: npt.NDArray[np.integer]) -> list[Run]:
    """The runs of a row, in order; together they are the row."""
    if not len(values):
        return []
    starts = np.concatenate(([0], np.flatnonzero(np.diff(values.astype(np.int64))) + 1))
    ends = np.append(starts[1:], len(values))
    rows = zip(values[starts].tolist(), starts.tolist(), (ends - starts).tolist(), strict=True)
    return [Run(*row) for row in rows]
