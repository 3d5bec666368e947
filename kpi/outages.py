"""Outages: from failing samples to from–to with their statuses.

An outage is an unbroken run of slots of one device that count as impaired or offline. A slot that
is intact, has no sample, is suspended or exempted ends it: what is not known is never an outage.
Only the failing samples are needed, so that an outage costs what it has failed and no more.
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kpi.ledger import Cover
from kpi.status import SlotClass

Ints = npt.NDArray[np.int64]
FAILING_CLASSES = (SlotClass.IMPAIRED, SlotClass.OFFLINE)
_NO_INTS = np.empty(0, dtype=np.int64)


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


class Spans(NamedTuple):
    """Outages without their statuses, in order of device and start, each column of shape (n,)."""

    device: Ints
    start: Ints
    end: Ints

    @property
    def seconds(self) -> Ints:
        return self.end - self.start

    def take(self, places: Ints) -> "Spans":
        """Those at these places, in their order."""
        return Spans(*(column[places] for column in self))


def outages(
    samples: Failing,
    class_table: npt.NDArray[np.uint8],
    covered: Iterable[Cover] = (),
    failing: Collection[SlotClass] = FAILING_CLASSES,
) -> list[Outage]:
    """The outages in order of device and start.

    `class_table` gives the class of each status code; the rows of `covered`, the suspensions and
    exemptions, are devices here. `failing` are the classes that an outage is made of.
    """
    kept, firsts, ends = _runs(samples, class_table, covered, failing)
    pairs = zip(firsts.tolist(), ends.tolist(), strict=True)
    return [_outage(kept, first, end) for first, end in pairs]


def spans(
    samples: Failing,
    class_table: npt.NDArray[np.uint8],
    covered: Iterable[Cover] = (),
    failing: Collection[SlotClass] = FAILING_CLASSES,
) -> Spans:
    """The same without their statuses: many of them cost little."""
    kept, firsts, ends = _runs(samples, class_table, covered, failing)
    lasts = ends - 1
    return Spans(kept.device[firsts], kept.tick[firsts], kept.tick[lasts] + kept.length[lasts])


def joined_spans(parts: Iterable[Spans]) -> Spans:
    """Spans of successive stretches as one; those of a device that meet become one."""
    empty = Spans(_NO_INTS, _NO_INTS, _NO_INTS)
    device, start, end = (np.concatenate(column) for column in zip(empty, *parts, strict=True))
    order = np.lexsort((start, device))
    device, start, end = device[order], start[order], end[order]
    meets = (device[1:] == device[:-1]) & (start[1:] == end[:-1])
    firsts = np.flatnonzero(np.concatenate(([True], ~meets))[: len(device)])
    lasts = np.append(firsts[1:], len(device))[: len(firsts)] - 1
    return Spans(device[firsts], start[firsts], end[lasts])


def _runs(
    samples: Failing,
    class_table: npt.NDArray[np.uint8],
    covered: Iterable[Cover],
    failing: Collection[SlotClass],
) -> tuple[Failing, Ints, Ints]:
    """The samples that count, and from where to where (exclusive) each run of them goes."""
    counts = np.isin(class_table[samples.status], list(failing))
    for cover in covered:
        counts[slots_of(samples, cover)] = False
    kept = Failing(*(column[counts] for column in samples))
    follows = kept.tick[1:] == kept.tick[:-1] + kept.length[:-1]
    same = kept.device[1:] == kept.device[:-1]
    begins = np.concatenate(([True], ~(follows & same)))[: len(kept.tick)]
    firsts = np.flatnonzero(begins)
    return kept, firsts, np.append(firsts[1:], len(kept.tick))[: len(firsts)]


def slots_of(samples: Failing, cover: Cover) -> slice:
    """Which samples a cover holds (its row is a device); they lie together."""
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
