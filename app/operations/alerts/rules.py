"""What opens an alert and what resolves it: figures in, changes out; no clock, no SQL.

A sweep *has evidence* when it assessed cameras and its coverage keeps the policy's least coverage.
One without evidence neither helps nor hurts the fleet's alert; three slots without any are an
alert of their own, and while that one is open the fleet's is neither opened nor resolved.
Source: DESIGN §2 and §4.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import takewhile

from app.operations.alerts.tables import AlertEvent, AlertKind
from kpi.calendar import floor_to_slot
from kpi.policy import DEFAULT_POLICY
from kpi.rates import Amounts, reaches

TARGET = DEFAULT_POLICY.intact_target
RECOVERY = Fraction(982, 1000)
"""The fleet's alert stays open until this is reached, so that it does not flap at the target."""
MISSED_SLOTS = 5
WINDOW_SLOTS = 10
SILENT_SLOTS = 3


@dataclass(frozen=True, slots=True)
class SweepFigures:
    """One finished sweep: start of its slot, and the fleet's cameras by class at that tick."""

    tick: int
    interval_s: int
    finished_at: int
    cameras: Amounts

    @property
    def has_evidence(self) -> bool:
        seen, all_of_them = self.cameras.assessed, self.cameras.to_be_assessed
        return seen > 0 and bool(
            reaches(seen, all_of_them, DEFAULT_POLICY.min_coverage, "at_least")
        )

    @property
    def misses_target(self) -> bool:
        return not self._reaches(TARGET)

    @property
    def recovered(self) -> bool:
        return self._reaches(RECOVERY)

    def _reaches(self, target: Fraction) -> bool:
        return bool(reaches(self.cameras.intact, self.cameras.assessed, target, "at_least"))


@dataclass(frozen=True, slots=True)
class Window:
    """All that a decision is made of.

    `sweeps` are the newest ones, newest first; `stale`: the first of them is too old to say
    anything about now; `expected`: there are devices in service to be polled.
    """

    now: int
    interval_s: int
    watching_since: int
    sweeps: Sequence[SweepFigures]
    stale: bool
    expected: bool
    open_kinds: Collection[AlertKind] = frozenset()


@dataclass(frozen=True, slots=True)
class Change:
    """An alert to be opened or resolved; `since` is when its cause (or its end) began."""

    kind: AlertKind
    event: AlertEvent
    since: int


def decide(window: Window) -> list[Change]:
    """The changes that follow from the window, in the order in which they happen.

    1. Without evidence for three slots: open `evidence_missing`, unless it is open; no more.
    2. With `evidence_missing` open and the newest sweep without evidence: nothing.
    3. With evidence again: resolve `evidence_missing`, and go on.
    4. The fleet's alert: resolve it when the newest evidence shows the recovery, open it when the
       newest five sweeps with evidence, all within ten slots, miss the target.
    """
    changes = []
    missing = AlertKind.EVIDENCE_MISSING
    if missing in window.open_kinds:
        if window.stale or not (window.sweeps and window.sweeps[0].has_evidence):
            return []
        changes.append(Change(missing, AlertEvent.RESOLVED, window.sweeps[0].tick))
    else:
        silent_since = _silent_since(window)
        if silent_since is not None:
            return [Change(missing, AlertEvent.OPENED, silent_since)]
    return changes if window.stale else changes + _about_the_fleet(window)


def _about_the_fleet(window: Window) -> list[Change]:
    kind = AlertKind.FLEET_INTACT_RATE
    evidence = recent_evidence(window)
    if kind in window.open_kinds:
        if evidence and evidence[0].recovered:
            return [Change(kind, AlertEvent.RESOLVED, evidence[0].tick)]
        return []
    missed = list(takewhile(lambda sweep: sweep.misses_target, evidence))
    if len(missed) < MISSED_SLOTS:
        return []
    return [Change(kind, AlertEvent.OPENED, missed[-1].tick)]


def recent_evidence(window: Window) -> list[SweepFigures]:
    """The sweeps with evidence of the last ten slots, newest first."""
    oldest = floor_to_slot(window.now, window.interval_s) - (WINDOW_SLOTS - 1) * window.interval_s
    return [sweep for sweep in window.sweeps if sweep.has_evidence and sweep.tick >= oldest]


def _silent_since(window: Window) -> int | None:
    """Since when there is no evidence, where that lasts three slots; None: all is well.

    After a start the collector has three slots to bring its first evidence.
    """
    if not window.expected or window.now - window.watching_since <= _slots(window, SILENT_SLOTS):
        return None
    if window.stale:
        last = next((sweep for sweep in window.sweeps if sweep.has_evidence), None)
        return last.finished_at if last else window.watching_since
    return _blind_since(window)


def _blind_since(window: Window) -> int | None:
    """Since when the collector sweeps and cannot measure; nothing to be assessed is no fault."""
    blind = list(takewhile(lambda sweep: not sweep.has_evidence, window.sweeps))
    if not blind or not blind[0].cameras.to_be_assessed:
        return None
    seeing = window.sweeps[len(blind)] if len(blind) < len(window.sweeps) else None
    begin = seeing.tick + seeing.interval_s if seeing else blind[-1].tick
    silent_s = blind[0].tick + window.interval_s - begin
    return begin if silent_s >= _slots(window, SILENT_SLOTS) else None


def _slots(window: Window, count: int) -> int:
    return count * window.interval_s
