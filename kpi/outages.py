"""Outages: from failing samples to from–to with their statuses.

An outage is an unbroken run of slots of one device that count as impaired or offline. A slot that
is intact, has no sample, is suspended or exempted ends it: what is not known is never an outage.
Only the failing samples are needed, so that an outage costs what it has failed and no more.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kpi.ledger import Cover
from kpi.status import SlotClass

Ints = npt.NDArray[np.int64]


class Failing(NamedTuple):
    """Samples in order of device and tick, each column of shape (n,).

    `length` is the length of the sample's slot in seconds.
    """

    device: Ints
    tick: Ints
    status: Ints
    length: Ints


class Outage(NamedTuple):
    """A device from `start` to `end` (UTC seconds, `end` exclusive); `statuses` are (status code,
    seconds), the longest first."""

    device: int
    start: int
    end: int
    statuses: tuple[tuple[int, int], ...]

    @property
    def seconds(self) -> int:
        return self.end - self.start

    @property
    def status(self) -> int:
        """The status that it had longest."""
        return self.statuses[0][0]


def outages(
    samples: Failing, class_table: npt.NDArray[np.uint8], covered: Iterable[Cover] = ()
) -> list[Outage]:
    """The outages in order of device and start.

    `class_table` gives the class of each status code; the rows of `covered`, the suspensions and
    exemptions, are devices here.
    """
    counts = np.isin(class_table[samples.status], (SlotClass.IMPAIRED, SlotClass.OFFLINE))
    for cover in covered:
        counts[_slots_of(samples, cover)] = False
    kept = Failing(*(column[counts] for column in samples))
    if not len(kept.tick):
        return []
    follows = kept.tick[1:] == kept.tick[:-1] + kept.length[:-1]
    same = kept.device[1:] == kept.device[:-1]
    starts = np.concatenate(([0], np.flatnonzero(~(follows & same)) + 1)).tolist()
    ends = [*starts[1:], len(kept.tick)]
    return [_outage(kept, start, end) for start, end in zip(starts, ends, strict=True)]


def _slots_of(samples: Failing, cover: Cover) -> slice:
    """Which samples a cover holds; they lie together."""
    begin, end = np.searchsorted(samples.device, [cover.row, cover.row + 1]).tolist()
    ticks = samples.tick[begin:end]
    first = begin + int(np.searchsorted(ticks, cover.start))
    if cover.end is None:
        return slice(first, end)
    return slice(first, begin + int(np.searchsorted(ticks, cover.end)))


def _outage(samples: Failing, start: int, end: int) -> Outage:
    codes, places = np.unique(samples.status[start:end], return_inverse=True)
    seconds = np.bincount(places, weights=samples.length[start:end]).astype(np.int64)
    found = zip(codes.tolist(), seconds.tolist(), strict=True)
    statuses = sorted(found, key=lambda each: (-each[1], each[0]))
    last = end - 1
    return Outage(
        int(samples.device[start]),
        int(samples.tick[start]),
        int(samples.tick[last] + samples.length[last]),
        tuple(statuses),
    )
