"""The history of the cameras' clocks: a row where one has moved, none for one that is steady."""

from collections.abc import Iterable, Mapping

from sqlalchemy.orm import Session

from app.evidence.host_queries import add_offsets, last_offsets
from app.evidence.queries import StateRow

MOVED_S = 2
"""An offset that differs by no more is the same: cameras tell whole seconds, answers take time."""


def note_offsets(
    session: Session, tick: int, known: Mapping[int, StateRow], changed: Iterable[StateRow]
) -> None:
    """Add the offsets that moved, among the states that `changed` from what was `known`."""
    told = {
        state.device_id: state.clock_offset_s
        for state in changed
        if state.clock_offset_s is not None and not _is_known(known, state)
    }
    if not told:
        return
    last = last_offsets(session, list(told))
    moved = {
        device_id: offset_s
        for device_id, offset_s in told.items()
        if device_id not in last or abs(offset_s - last[device_id]) > MOVED_S
    }
    add_offsets(session, tick, moved)


def _is_known(known: Mapping[int, StateRow], state: StateRow) -> bool:
    before = known.get(state.device_id)
    return before is not None and before.clock_offset_s == state.clock_offset_s
