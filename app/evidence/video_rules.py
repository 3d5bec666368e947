"""When a video check counts, how long it holds, and when the next one is due. Pure.

- A good check counts at once and holds until the next is overdue (the TTL).
- A failing check of a camera that was good, or of which nothing was known, must be confirmed: it is
  repeated soon, and only the second failure counts.
- While a camera fails it is checked again every few minutes, so that a repair shows soon.
- A check that could not be measured says nothing: what holds goes on holding, to its end.

What held when is kept as spans: a span covers the slots with `start ≤ slot start < end`, is
extended while the status stays, and cut short when another takes its place. Every change concerns
the time from `now` on only, which no ledger has reached. Source: DESIGN §5.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

from kpi.status import Status

CONFIRM_S = 30
RETRY_S = 180
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often a camera is checked, and how long a result holds, in seconds."""

    interval_s: int
    ttl_s: int

    def next_regular(self, device_id: int, now: int) -> int:
        """The device's own time of the interval, the first one after `now`.

        Multiples of the golden ratio spread any run of ids evenly over the interval.
        """
        own_s = int(device_id * _GOLDEN % 1 * self.interval_s)
        return now - (now - own_s) % self.interval_s + self.interval_s


@dataclass(frozen=True, slots=True)
class Held:
    """What holds of a camera from `start` to `end`; UNKNOWN: nothing ever did.

    `doubted`: the last check failed and is not confirmed yet. `next_at` is when the next is due.
    """

    status: Status = Status.UNKNOWN
    start: int = 0
    end: int = 0
    doubted: bool = False
    next_at: int = 0


class Span(NamedTuple):
    """A stretch of time in which a check held."""

    start: int
    end: int
    status: Status


def after_check(held: Held, outcome: Status, device_id: int, now: int, rhythm: Rhythm) -> Held:
    """What holds after a check that ended at `now` with `outcome`."""
    regular = rhythm.next_regular(device_id, now)
    if outcome is Status.UNKNOWN:
        return replace(held, next_at=regular)
    valid = held.status if now < held.end else Status.UNKNOWN
    if outcome is Status.INTACT:
        return _held(held, valid, outcome, now, rhythm, regular)
    if valid in (Status.INTACT, Status.UNKNOWN) and not held.doubted:
        return replace(held, doubted=True, next_at=now + min(CONFIRM_S, rhythm.interval_s))
    return _held(held, valid, outcome, now, rhythm, now + min(RETRY_S, rhythm.interval_s))


def _held(
    held: Held, valid: Status, outcome: Status, now: int, rhythm: Rhythm, next_at: int
) -> Held:
    start = held.start if outcome is valid else now
    return Held(outcome, start, now + rhythm.ttl_s, doubted=False, next_at=next_at)


def changed_spans(before: Held, after: Held) -> list[Span]:
    """The spans that a check begins, extends or cuts short."""
    if (before.start, before.end, before.status) == (after.start, after.end, after.status):
        return []
    spans = [Span(after.start, after.end, after.status)]
    if before.start < after.start < before.end:
        spans.append(Span(before.start, after.start, before.status))
    return spans
