"""When in its slot each room is asked. Pure: no clock, no I/O."""

from collections.abc import Iterable


def phases(groups: Iterable[str], window_s: float) -> dict[str, float]:
    """Spread the groups evenly over `[0, window_s)`: seconds after the start of the slot, by group.

    The same groups get the same phases whatever their order and however often they are named, so
    that a room is asked at the same second of every minute, by any collector.
    """
    if window_s < 0:
        raise ValueError(f"window_s must not be negative, got {window_s}")
    ordered = sorted(set(groups))
    return {group: window_s * i / len(ordered) for i, group in enumerate(ordered)}
