"""Root cause: which faults share one, as a room, a power district or a contractor's link failed.

A *scope* is struck when at least `FEWEST` of its cameras newly failed within two adjacent slots and
these are at least `SHARE` per cent of those that could newly fail then. Of several that hold the
one that explains the most cameras wins; with as many, the room before the power district before the
contractor. What it leaves unexplained is looked at again. A wider scope that is found while a
narrower incident of the same moment is open takes that one over: one incident, so one alert.

Cameras of the scope that fail while the incident is open come under it. It is over when fewer than
half of its cameras still fail. Time is the time at which something became known (a fault's
`opened_at` and `closed_at`), so that incidents replayed from stored faults are those that were
found at the time.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

FEWEST = 5
SHARE = 80
"""Per cent."""


class Scope(StrEnum):
    """What devices may have in common; in the order in which ties are decided."""

    ROOM = "room"
    POWER_DISTRICT = "power_district"
    CONTRACTOR = "contractor"


_RANK = {scope: number for number, scope in enumerate(Scope)}


class Place(NamedTuple):
    """One room, power district or contractor, by its code."""

    scope: Scope
    code: str


class FaultSpan(NamedTuple):
    """A fault as it is known by now; instants are ticks, None: not yet."""

    id: int
    device: int
    onset: int
    opened_at: int
    ended_at: int | None
    closed_at: int | None

    def fails_at(self, tick: int) -> bool:
        """Whether it was not known to be over at this tick."""
        return self.closed_at is None or self.closed_at > tick


@dataclass(slots=True)
class Incident:
    """One cause and the faults under it. `able`: cameras that could newly fail at its onset.

    `children` is the last fault of each camera, `faults` the ids of all. `id` is that of its row,
    None while there is none.
    """

    place: Place
    onset: int
    opened_at: int
    able: int
    children: dict[int, FaultSpan] = field(default_factory=dict)
    faults: list[int] = field(default_factory=list)
    ended_at: int | None = None
    closed_at: int | None = None
    id: int | None = None

    def take(self, faults: Iterable[FaultSpan]) -> None:
        for fault in faults:
            if fault.id not in self.faults:
                self.faults.append(fault.id)
            known = self.children.get(fault.device)
            if known is None or known.opened_at <= fault.opened_at:
                self.children[fault.device] = fault

    def failing_at(self, tick: int) -> Set[int]:
        return {device for device, fault in self.children.items() if fault.fails_at(tick)}

    def judge(self, tick: int) -> None:
        """End it where fewer than half of its cameras still fail: when they had become so few."""
        count = len(self.children)
        if 2 * len(self.failing_at(tick)) >= count:
            return
        ends = sorted(
            fault.ended_at
            for fault in self.children.values()
            if fault.ended_at is not None and not fault.fails_at(tick)
        )
        self.ended_at, self.closed_at = ends[count // 2], tick


class Surroundings(Protocol):
    """What the register and the suspensions say of the cameras at a tick."""

    def interval_at(self, tick: int) -> int:
        """The length of the slot, in seconds."""

    def places_of(self, devices: Set[int], tick: int) -> Mapping[int, Sequence[Place]]:
        """Where these cameras belong on that day; other devices are left out."""

    def able(self, place: Place, tick: int, known_at: int) -> int:
        """How many cameras of a place could newly fail at `tick`: in service, polled, not
        suspended, and in no fault that had begun before, as far as was known at `known_at`."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place of which these cameras newly failed at `since` or one slot later."""

    place: Place
    since: int
    devices: frozenset[int]


def struck(
    faults: Sequence[FaultSpan],
    starts: Iterable[int],
    places: Mapping[int, Sequence[Place]],
    interval_s: int,
) -> list[Candidate]:
    """The places where enough cameras fail at once; of several moments the one with the most."""
    found: dict[Place, Candidate] = {}
    for since in sorted(set(starts)):
        members: defaultdict[Place, set[int]] = defaultdict(set)
        for fault in faults:
            if since <= fault.onset <= since + interval_s:
                for place in places.get(fault.device, ()):
                    members[place].add(fault.device)
        for place, devices in members.items():
            known = found.get(place)
            if len(devices) >= FEWEST and (known is None or len(devices) > len(known.devices)):
                found[place] = Candidate(place, since, frozenset(devices))
    return list(found.values())


def holds(failed: int, able: int) -> bool:
    """Whether so many of those that could fail make an incident."""
    return failed >= FEWEST and 100 * failed >= SHARE * able


class Timeline:
    """Incidents from one moment on: those that are open, and those that come and go after it."""

    def __init__(
        self, around: Surroundings, faults: Sequence[FaultSpan], going_on: Sequence[Incident]
    ) -> None:
        """`faults` are those that may matter, in order of their onsets."""
        self._around = around
        self._faults = faults
        self._onsets = [fault.onset for fault in faults]
        self.open = list(going_on)
        self.over: list[Incident] = []
        self.absorbed: list[Incident] = []
        self._own: set[int] = set()
        """Faults whose incident is over: they are no part of another one."""

    def run(self, start: int, end: int) -> None:
        """What became known in the slots of `[start, end)`."""
        opened: defaultdict[int, list[FaultSpan]] = defaultdict(list)
        for fault in self._faults:
            if start <= fault.opened_at < end:
                opened[fault.opened_at].append(fault)
        children = [child for incident in self.open for child in incident.children.values()]
        closings = {fault.closed_at for fault in (*self._faults, *children)} - {None}
        ticks = opened.keys() | {tick for tick in closings if tick and start <= tick < end}
        for tick in sorted(ticks):
            if tick in opened:
                self._join(opened[tick])
                self._find(opened[tick], tick)
            self._end(tick)

    def _join(self, new: Sequence[FaultSpan]) -> None:
        """Faults of a scope that begin while its incident is open come under it."""
        for incident in self.open:
            later = [fault for fault in new if fault.onset >= incident.onset]
            places = self._around.places_of({fault.device for fault in later}, incident.onset)
            incident.take(
                fault for fault in later if incident.place in places.get(fault.device, ())
            )

    def _find(self, new: Sequence[FaultSpan], tick: int) -> None:
        """Open incidents for what these faults show together with those of the same moment."""
        interval_s = self._around.interval_at(min(fault.onset for fault in new))
        starts = {fault.onset for fault in new} | {fault.onset - interval_s for fault in new}
        pool = [
            fault
            for fault in self._begun(min(starts), max(starts) + interval_s)
            if fault.opened_at <= tick and fault.fails_at(tick) and fault.id not in self._own
        ]
        if len(pool) < FEWEST:
            return
        taken = {incident.place for incident in self.open}
        candidates = [
            each for each in self._struck(pool, starts, interval_s) if each.place not in taken
        ]
        explained: set[int] = set()
        while candidates:
            rated = [(each, self._left(each, explained, tick, interval_s)) for each in candidates]
            held = [
                (each, rest)
                for each, rest in rated
                if len(rest) >= FEWEST
                and holds(len(rest), self._around.able(each.place, each.since, tick))
            ]
            if not held:
                return
            best, devices = min(held, key=_most_first)
            self._open(best, devices, pool, tick, interval_s)
            explained |= devices
            candidates.remove(best)

    def _struck(
        self, pool: Sequence[FaultSpan], starts: Set[int], interval_s: int
    ) -> list[Candidate]:
        """Each moment with the places that the cameras had on its day."""
        devices = {fault.device for fault in pool}
        found: dict[Place, Candidate] = {}
        for since in sorted(starts):
            places = self._around.places_of(devices, since)
            for each in struck(pool, [since], places, interval_s):
                known = found.get(each.place)
                if known is None or len(each.devices) > len(known.devices):
                    found[each.place] = each
        return list(found.values())

    def _left(
        self, candidate: Candidate, explained: Set[int], tick: int, interval_s: int
    ) -> frozenset[int]:
        """What a candidate explains that nothing else does, or only what it would absorb."""
        rest = candidate.devices - explained
        for incident in self.open:
            if not _absorbs(candidate, incident, tick, interval_s):
                rest -= incident.children.keys()
        return rest

    def _begun(self, first: int, last: int) -> Sequence[FaultSpan]:
        return self._faults[bisect_left(self._onsets, first) : bisect_right(self._onsets, last)]

    def _open(
        self,
        candidate: Candidate,
        devices: Set[int],
        pool: Sequence[FaultSpan],
        tick: int,
        interval_s: int,
    ) -> None:
        narrower = [each for each in self.open if _absorbs(candidate, each, tick, interval_s)]
        able = self._around.able(candidate.place, candidate.since, tick)
        if narrower:
            incident, *others = narrower
            incident.place, incident.able = candidate.place, able
        else:
            incident, others = Incident(candidate.place, candidate.since, tick, able), []
            self.open.append(incident)
        for other in others:
            incident.take(other.children.values())
            incident.faults += [each for each in other.faults if each not in incident.faults]
            self.open.remove(other)
            self.absorbed.append(other)
        last = candidate.since + interval_s
        incident.take(
            fault
            for fault in pool
            if fault.device in devices and candidate.since <= fault.onset <= last
        )
        incident.onset = min(fault.onset for fault in incident.children.values())

    def _end(self, tick: int) -> None:
        for incident in list(self.open):
            incident.judge(tick)
            if incident.closed_at is not None:
                self.open.remove(incident)
                self.over.append(incident)
                self._own.update(incident.faults)


def _most_first(rated: tuple[Candidate, Set[int]]) -> tuple[int, int, int, str]:
    candidate, devices = rated
    place = candidate.place
    return -len(devices), _RANK[place.scope], candidate.since, place.code


def _absorbs(candidate: Candidate, incident: Incident, tick: int, interval_s: int) -> bool:
    """Whether an open incident is of the same moment, and narrower than the candidate."""
    failing = incident.failing_at(tick)
    return (
        abs(incident.onset - candidate.since) <= interval_s
        and failing < candidate.devices
        and bool(failing)
    )
