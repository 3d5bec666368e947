"""The video results that hold, kept in memory for whoever records the sweeps."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from app.evidence.video_queries import VideoRow, results_since

OVERLAP_S = 300
"""A check is stored within so many seconds after the instant that it is stored under."""


class VideoResults:
    """Read once as a whole, then followed: a sweep reads what the last minutes brought."""

    def __init__(self) -> None:
        self._rows: dict[int, VideoRow] = {}
        self._followed = 0

    def at(self, session: Session, tick: int) -> Mapping[int, VideoRow]:
        """The results that hold at a tick, by device."""
        fresh = results_since(session, self._followed - OVERLAP_S)
        self._rows |= {row.device_id: row for row in fresh}
        self._followed = max([self._followed, *(row.checked_at for row in fresh)])
        return {
            device_id: row for device_id, row in self._rows.items() if row.start <= tick < row.end
        }
