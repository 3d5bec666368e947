"""Where the long outages are, told from the ledger alone.

The ledger knows how much a device lost on which day. An outage lies within a run of successive
days on which its device lost anything. It is no longer than what was lost on the days it touches,
of which all but the first and the last are lost as a whole; of such a day no sample need be read.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kpi.outages import Ints


class Losses(NamedTuple):
    """Device-days that lost time, in order of device and day, each column of shape (n,).

    `start`, `end`: the slots of the day's ledger, in UTC seconds; `lost`: seconds.
    """

    device: Ints
    start: Ints
    end: Ints
    lost: Ints

    @property
    def whole(self) -> npt.NDArray[np.bool_]:
        """Whether all of the day was lost."""
        found: npt.NDArray[np.bool_] = self.lost == self.end - self.start
        return found


class Stretches(NamedTuple):
    """Runs of successive device-days, each column of shape (m,).

    Those of a run stand from `first` to `last` (exclusive) among the losses; `longest`: seconds
    that no outage in it exceeds.
    """

    first: Ints
    last: Ints
    longest: Ints


def in_order(losses: Losses) -> Losses:
    """By device and day."""
    order = np.lexsort((losses.start, losses.device))
    return Losses(*(column[order] for column in losses))


def stretches(losses: Losses) -> Stretches:
    """The runs, in the order of the losses."""
    count = len(losses.device)
    if not count:
        none = np.empty(0, dtype=np.int64)
        return Stretches(none, none, none)
    places = np.arange(count)
    begins = np.ones(count, dtype=np.bool_)
    begins[1:] = (losses.device[1:] != losses.device[:-1]) | (losses.start[1:] != losses.end[:-1])
    first = np.flatnonzero(begins)
    reaches_back = np.maximum.accumulate(np.where(begins | ~losses.whole, places, 0))
    earliest = places.copy()
    earliest[1:] = np.where(begins[1:], places[1:], reaches_back[:-1])
    summed = np.cumsum(losses.lost)
    until_here = summed - (summed[earliest] - losses.lost[earliest])
    return Stretches(first, np.append(first[1:], count), np.maximum.reduceat(until_here, first))
