"""Faults: from samples to when a device failed, through which statuses, and how it ended.

An *episode* is a device's failing slots (impaired or offline) that are not separated by
`closes_after` good ones in a row. It becomes a *fault* with its `opens_after`-th failing slot. One
without a sample says nothing and is skipped. A slot that is suspended, exempted or out of service
is a cut: it ends the episode, and its sample counts for nothing. So flapping is one fault, and an
outage over a gap in the evidence is one too.

The machine is fed with a device's samples in order. Good samples of a device that is clear change
nothing and may be left out: failing samples, and the first good ones after each run of them, are
enough. So the same machine follows the sweeps slot by slot and rebuilds a month from the failing
samples alone; a test holds both to a loop over all slots.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kpi.status import SlotClass

Ints = npt.NDArray[np.int64]
FAILING = (SlotClass.IMPAIRED, SlotClass.OFFLINE)


class EndReason(StrEnum):
    """How a fault ended."""

    RECOVERED = "recovered"
    SUSPENDED = "suspended"
    EXEMPTED = "exempted"
    OUT_OF_SERVICE = "out_of_service"


@dataclass(frozen=True, slots=True)
class FaultRule:
    """After how many failing slots a fault opens, after how many good ones in a row it closes."""

    opens_after: int = 3
    closes_after: int = 2


class Cut(NamedTuple):
    """Slots that are not assessed: those with `start ≤ tick < end`; `start` is a tick."""

    start: int
    end: int
    reason: EndReason


class Step(NamedTuple):
    """From this tick on the device had this status."""

    at: int
    status: int


@dataclass(slots=True)
class Episode:
    """A device that fails, from its first failing slot on; a fault once `opened_at` is set.

    All instants are ticks. `failing` counts failing slots, up to `opens_after`; `good` the good
    ones in a row since `good_since`. `status` is the last one that failed, `worst` the first of the
    worst class. `steps` are those since it was last stored, good moments included.
    """

    onset: int
    status: int
    worst: int
    failing: int = 0
    good: int = 0
    good_since: int | None = None
    opened_at: int | None = None
    ended_at: int | None = None
    closed_at: int | None = None
    reason: EndReason | None = None
    seen: int | None = None
    """The last status, good ones too."""
    steps: list[Step] = field(default_factory=list)

    def fail(self, tick: int, status: int, rule: FaultRule, classes: Sequence[int]) -> None:
        """A failing slot."""
        self.failing = min(self.failing + 1, rule.opens_after)
        if self.opened_at is None and self.failing == rule.opens_after:
            self.opened_at = tick
        self.good, self.good_since, self.status = 0, None, status
        if classes[status] > classes[self.worst]:
            self.worst = status
        self._note(tick, status)

    def pass_slot(self, tick: int, status: int, rule: FaultRule) -> None:
        """A good slot; with the last one of enough it is over."""
        self.good += 1
        if self.good_since is None:
            self.good_since = tick
        self._note(tick, status)
        if self.good >= rule.closes_after:
            self.end(self.good_since, tick, EndReason.RECOVERED)

    def end(self, ended_at: int, closed_at: int, reason: EndReason) -> None:
        self.ended_at, self.closed_at, self.reason = ended_at, closed_at, reason

    def _note(self, tick: int, status: int) -> None:
        if status != self.seen:
            self.steps.append(Step(tick, status))
            self.seen = status


def follow(
    episode: Episode | None,
    samples: Iterable[tuple[int, int]],
    cuts: Sequence[Cut],
    rule: FaultRule,
    classes: Sequence[int],
) -> tuple[list[Episode], Episode | None]:
    """Take a device from one moment to a later one: the faults that ended, and what goes on.

    `samples` are (tick, status) in order, `cuts` in order and apart from each other, both of the
    time in between; `classes` is the class of each status code.
    """
    ended: list[Episode] = []
    place = 0

    def cut(by: Cut) -> None:
        nonlocal episode
        if episode is not None:
            episode.end(by.start, by.start, by.reason)
            finish()

    def finish() -> None:
        nonlocal episode
        if episode is not None and episode.opened_at is not None:
            ended.append(episode)
        episode = None

    for tick, status in samples:
        while place < len(cuts) and cuts[place].start <= tick:
            cut(cuts[place])
            if tick < cuts[place].end:
                break
            place += 1
        if place < len(cuts) and cuts[place].start <= tick:
            continue
        slot_class = classes[status]
        if slot_class in FAILING:
            episode = episode or Episode(tick, status, status)
            episode.fail(tick, status, rule, classes)
        elif slot_class == SlotClass.INTACT and episode is not None:
            episode.pass_slot(tick, status, rule)
            if episode.closed_at is not None:
                finish()
    for rest in cuts[place:]:
        cut(rest)
    return ended, episode


def merged(cuts: Iterable[Cut]) -> list[Cut]:
    """Cuts in order and apart; where two overlap, the reason of the first stands."""
    found: list[Cut] = []
    for each in sorted(cuts):
        if found and each.start <= found[-1].end:
            found[-1] = found[-1]._replace(end=max(found[-1].end, each.end))
        else:
            found.append(each)
    return found


def needed(
    samples: Ints, fails: npt.NDArray[np.bool_], interval_s: int, rule: FaultRule
) -> npt.NDArray[np.bool_]:
    """Which samples the machine has to see: the others change nothing, if nothing is cut.

    `samples` are the columns device, tick, status in order of device and tick; `fails` tells the
    failing ones of those that are known. Once a device has failed in enough slots on end, further
    slots with the same status change nothing; once it was good often enough, neither do good ones.
    So a long outage costs its first slots only.
    """
    device, tick, status = samples
    if not len(device):
        return np.ones(0, dtype=np.bool_)
    same_device = device[1:] == device[:-1]
    next_slot = tick[1:] - tick[:-1] == interval_s
    in_outage = _places(same_device & next_slot & fails[1:] & fails[:-1])
    in_order = _places(same_device & ~fails[1:] & ~fails[:-1])
    same_status = np.zeros(len(device), dtype=np.bool_)
    same_status[1:] = status[1:] == status[:-1]
    idle = (in_outage >= rule.opens_after) & same_status
    return np.asarray(~(idle | (in_order >= rule.closes_after)), dtype=np.bool_)


def _places(follows: npt.NDArray[np.bool_]) -> Ints:
    """Of each item its place in its run, from 0; `follows` tells which ones go on with one."""
    places = np.arange(len(follows) + 1)
    starts = places.copy()
    starts[1:][follows] = 0
    return places - np.maximum.accumulate(starts)
