"""Samples for days that the archive has begun: what a file holds already stays as it is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from app.evidence.archive import queries
from app.evidence.archive.day_files import NO_LATENCY, NO_SAMPLE, read_file
from app.evidence.archive.tables import ArchiveDay
from app.evidence.sample_queries import SampleRow


@dataclass(frozen=True, slots=True)
class Unfiled:
    """The samples that no file holds; how many of the others contradict what it holds; and the
    days among them that the archive has begun, held until the transaction ends."""

    rows: Sequence[SampleRow]
    conflicts: int
    begun: Sequence[ArchiveDay]

    def count_stored(self) -> None:
        """Something was stored: the files of these days are not whole any more."""
        for day in self.begun:
            day.revision += 1


def without_filed(session: Session, rows: Sequence[SampleRow]) -> Unfiled:
    """Sort out what the archive holds already. Raises `DamagedFile`."""
    ticks = {row[0] for row in rows}
    begun = queries.held_days(session, min(ticks), max(ticks) + 1)
    conflicts = 0
    for day in begun:
        if day.is_filed:
            rows, differing = _compare(session, day, rows)
            conflicts += differing
    return Unfiled(rows, conflicts, begun)


def _compare(
    session: Session, day: ArchiveDay, rows: Sequence[SampleRow]
) -> tuple[list[SampleRow], int]:
    """The samples without those that the day's file holds, and how many of these differ."""
    of_day = [row for row in rows if day.start <= row[0] < day.end]
    others = [row for row in rows if not day.start <= row[0] < day.end]
    told = [(*row[:3], NO_LATENCY if row[3] is None else row[3]) for row in of_day]
    tick, device, status, latency = np.array(told, dtype=np.int64).reshape(-1, 4).T
    device_ids, places = np.unique(device, return_inverse=True)
    grid = read_file(queries.day_path(queries.archive_of(session), day.day), device_ids)
    columns = (tick - day.start) // day.interval_s
    filed, filed_latency = grid.statuses[places, columns], grid.latencies[places, columns]
    there = filed != NO_SAMPLE
    differs = there & ((filed != status) | (filed_latency != latency))
    fresh = [row for row, is_filed in zip(of_day, there.tolist(), strict=True) if not is_filed]
    return others + fresh, int(np.count_nonzero(differs))
