"""What a sweep is worth, and what it tells of ourselves. Pure: no clock, no database.

- A sweep that did not end inside its slot (paused, the clock jumped) measured nothing.
- When most cameras are off alike, this host's clock is the suspect: those that are off like most
  are not CLOCK_WRONG in that sweep, those that are off otherwise are. Suspicion takes the flag away
  and never sets it: a camera that is right by our clock stays so.
- Pauses, and times without an answering canary, become facts about the host.

Source: DESIGN §2 and §3.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from app.evidence.tables import HostEventKind
from collectors.outage import Lapse, LapseKind
from collectors.probe import Observation
from collectors.sweep import SweepResult
from kpi.clocks import FEWEST, CommonOffset, common_offset
from kpi.status import Status

OVERRUN = Observation(Status.UNKNOWN, detail="not measured: the sweep overran its slot")
OFF_LIKE_MOST = "off like most cameras: the clock of the collector's host is suspected"


class HostFact(NamedTuple):
    """What happened: from `at` to `until` (UTC seconds; None while it lasts).

    `seconds`: how far the clock jumped or seems to be off (sign: ahead is positive), else how long.
    """

    kind: HostEventKind
    at: int
    until: int | None
    seconds: float
    detail: str


@dataclass(frozen=True, slots=True)
class HostReport:
    """What a sweep tells of the host: facts in order of time, and kinds that are over by now."""

    facts: tuple[HostFact, ...] = ()
    over: frozenset[HostEventKind] = field(default_factory=frozenset)


def judge(
    result: SweepResult, finished_at: int, *, in_slot: bool, whole_fleet: bool, tolerance_s: float
) -> tuple[SweepResult, HostReport]:
    """What is left of a sweep that ended at `finished_at`, and what it tells of this host."""
    facts = lapse_facts(result.lapses, result.wall_s, finished_at)
    over = {HostEventKind.CUT_OFF} - {fact.kind for fact in facts if fact.until is None}
    if not in_slot:
        unmeasured = dict.fromkeys(result.observations, OVERRUN)
        return replace(result, observations=unmeasured), HostReport(tuple(facts), frozenset(over))
    if whole_fleet:
        told = offsets_told(result)
        common = common_offset(told, tolerance_s)
        if common is not None:
            facts.append(suspicion(common, finished_at))
            result = without_blame(result, common, tolerance_s)
        elif len(told) >= FEWEST:
            over.add(HostEventKind.CLOCK_SUSPECTED)
    return result, HostReport(tuple(facts), frozenset(over))


def offsets_told(result: SweepResult) -> list[float]:
    """By how much the clocks differ from ours, of those that told their time."""
    offsets = (seen.clock_offset_s for seen in result.observations.values())
    return [offset for offset in offsets if offset is not None]


def without_blame(result: SweepResult, common: CommonOffset, tolerance_s: float) -> SweepResult:
    """The cameras that are off like most are intact: it is the host's clock that is in doubt."""
    return replace(
        result,
        observations={
            key: replace(seen, status=Status.INTACT, detail=OFF_LIKE_MOST)
            if _is_off_alike(seen, common, tolerance_s)
            else seen
            for key, seen in result.observations.items()
        },
    )


def _is_off_alike(seen: Observation, common: CommonOffset, tolerance_s: float) -> bool:
    offset_s = seen.clock_offset_s
    return (
        seen.status is Status.CLOCK_WRONG
        and offset_s is not None
        and common.shares(offset_s, tolerance_s)
    )


def suspicion(common: CommonOffset, at: int) -> HostFact:
    """That this host's clock is in doubt, as a fact that lasts."""
    side = "behind" if common.offset_s > 0 else "ahead"
    detail = (
        f"{common.alike} of {common.told} cameras are off alike: "
        f"this host seems to be {abs(common.offset_s):.0f} s {side}"
    )
    return HostFact(HostEventKind.CLOCK_SUSPECTED, at, None, -common.offset_s, detail)


def lapse_facts(lapses: Iterable[Lapse], wall_s: float, finished_at: int) -> list[HostFact]:
    """The pauses and silences of a sweep that took `wall_s` seconds, in order of time."""
    began_at = finished_at - wall_s
    facts = [_lapse_fact(lapse, began_at, finished_at) for lapse in lapses]
    return sorted(facts, key=lambda fact: fact.at)


def _lapse_fact(lapse: Lapse, began_at: float, finished_at: int) -> HostFact:
    until = None if lapse.end is None else int(began_at + lapse.end)
    at = began_at + lapse.start
    lasted_s = (finished_at if lapse.end is None else began_at + lapse.end) - at
    return HostFact(_KINDS[lapse.kind], int(at), until, round(lasted_s, 1), _DETAILS[lapse.kind])


_KINDS = {
    LapseKind.PAUSED: HostEventKind.PAUSED,
    LapseKind.CUT_OFF: HostEventKind.CUT_OFF,
}
_DETAILS = {
    LapseKind.PAUSED: "the collector did not run",
    LapseKind.CUT_OFF: "no canary address answered",
}
