"""What is behind a percentage: failing time, cut into pieces that add up to it.

A *piece* is an unbroken run of failing slots of one device with one status under one cover. Pieces
are what the slots of a month come down to; those of an outage that count add up to its seconds,
those of all outages to the impaired and offline seconds of the ledger.
"""

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kpi.ledger import Cover
from kpi.outages import FAILING_CLASSES, Failing, Ints, slots_of

STATUSES = 256
"""Status codes are below it."""


class Excuse(IntEnum):
    """What lies over failing time; time without one counts."""

    NONE = 0
    SUSPENDED = 1
    EXEMPTED = 2


class Pieces(NamedTuple):
    """In order of device and start, each column of shape (n,); `excuse` as `Excuse`."""

    device: Ints
    start: Ints
    end: Ints
    status: Ints
    excuse: Ints

    def take(self, places: Ints) -> "Pieces":
        """Those at these places, in their order."""
        return Pieces(*(column[places] for column in self))


class Told(NamedTuple):
    """The longest outages, as many as were asked for; of all outages: how many there are, and the
    seconds of those without an excuse."""

    outages: Pieces
    total: int
    missing_s: int


def pieces(
    samples: Failing,
    class_table: npt.NDArray[np.uint8],
    suspended: Iterable[Cover],
    exempted: Iterable[Cover],
) -> Pieces:
    """The pieces of these samples; rows of the covers are devices. Suspended goes before exempted.

    Source: DESIGN §4, the first that applies.
    """
    excuse = np.zeros(len(samples.tick), dtype=np.int64)
    for kind, covers in ((Excuse.EXEMPTED, exempted), (Excuse.SUSPENDED, suspended)):
        for cover in covers:
            excuse[slots_of(samples, cover)] = kind
    fails = np.isin(class_table[samples.status], FAILING_CLASSES)
    device, tick, status, length = (column[fails] for column in samples)
    return joined_pieces([Pieces(device, tick, tick + length, status, excuse[fails])])


def joined_pieces(parts: Sequence[Pieces]) -> Pieces:
    """Pieces of successive stretches as one; those that meet and are alike become one."""
    empty = Pieces(*np.empty((5, 0), dtype=np.int64))
    found = Pieces(*(np.concatenate(column) for column in zip(empty, *parts, strict=True)))
    found = found.take(np.lexsort((found.start, found.device)))
    return _merged(found, (found.device, found.status, found.excuse))


def outages_told(found: Pieces) -> Pieces:
    """Outages: pieces that meet under one excuse, with the status that each had longest."""
    alike = (found.device, found.excuse)
    run = np.cumsum(_begins(found, alike), dtype=np.int64) * STATUSES
    keys, places = np.unique(run + found.status, return_inverse=True)
    seconds = np.bincount(places, weights=found.end - found.start).astype(np.int64)
    order = np.lexsort((keys, -seconds, keys // STATUSES))
    _runs, heads = np.unique(keys[order] // STATUSES, return_index=True)
    return _merged(found, alike)._replace(status=keys[order][heads] % STATUSES)


def tell(stretches: Iterable[tuple[Pieces, int]], most: int | None = None) -> Told:
    """The outages of successive stretches, each of which comes with its end; the longest first.

    One may last over several stretches. Held are `most` outages (None: all), the pieces of one
    stretch and of what lasts over its end.
    """
    lasting = joined_pieces([])
    told = Told(lasting, 0, 0)
    for found, end in stretches:
        found = joined_pieces([lasting, found])
        goes_on = _goes_on(found, end)
        told = _add(told, found.take(np.flatnonzero(~goes_on)), most)
        lasting = found.take(np.flatnonzero(goes_on))
    return _add(told, lasting, most)


def _goes_on(found: Pieces, end: int) -> npt.NDArray[np.bool_]:
    """Whether each piece is of an outage that reaches this end."""
    begins = _begins(found, (found.device, found.excuse))
    lasts = np.append(np.flatnonzero(begins)[1:], len(begins))[: np.count_nonzero(begins)] - 1
    reached: npt.NDArray[np.bool_] = found.end[lasts][np.cumsum(begins) - 1] == end
    return reached


def _add(told: Told, done: Pieces, most: int | None) -> Told:
    found = outages_told(done)
    missing = (found.end - found.start)[found.excuse == Excuse.NONE].sum()
    both = Pieces(*(np.concatenate(column) for column in zip(told.outages, found, strict=True)))
    order = np.lexsort((both.start, both.device, both.start - both.end))
    return Told(
        both.take(order[:most]), told.total + len(found.start), told.missing_s + int(missing)
    )


def _merged(found: Pieces, alike: tuple[Ints, ...]) -> Pieces:
    """Neighbours that meet and are alike become one; it keeps the first one's columns."""
    firsts = np.flatnonzero(_begins(found, alike))
    lasts = np.append(firsts[1:], len(found.start))[: len(firsts)] - 1
    return found.take(firsts)._replace(end=found.end[lasts])


def _begins(found: Pieces, alike: tuple[Ints, ...]) -> npt.NDArray[np.bool_]:
    """Whether each is not the continuation of the one before it."""
    begins = found.start[1:] != found.end[:-1]
    for column in alike:
        begins = begins | (column[1:] != column[:-1])
    return np.concatenate(([True], begins))[: len(found.start)]
