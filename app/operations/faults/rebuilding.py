"""Derives the faults of single devices anew, from a moment at which they were clear."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import chain

import numpy as np
from sqlalchemy.orm import Session

from app.config import Settings
from app.evidence.samples import read_statuses
from app.operations.faults import queries
from app.operations.faults.tables import Fault
from app.operations.faults.windows import Devices, Window, days_before, go_through, windows
from kpi.calendar import Slots, day_start, local_day
from kpi.faults import FAILING, Episode, FaultRule
from kpi.policy import DEFAULT_POLICY
from kpi.status import SlotClass

LOOK_BACK_SLOTS = 15
"""So much of the day before nearly always shows that a device was clear."""
COLUMNS = (
    "device_id",
    "day",
    "onset",
    "opened_at",
    "ended_at",
    "closed_at",
    "reason",
    "status",
    "worst_status",
)
_CLASSES = DEFAULT_POLICY.class_table()


def rebuild(
    session: Session,
    settings: Settings,
    rule: FaultRule,
    since: Mapping[int, int],
    first: date,
    through: int,
) -> int:
    """Make the faults of devices anew up to `through`; the earliest tick that it began from.

    `since` (device id → start of a local day): what is before has not changed. `first` is the first
    day of all evidence.
    """
    starts = _clear_points(session, settings, rule, since, first)
    old: dict[int, list[Fault]] = defaultdict(list)
    for fault in queries.faults_reaching(session, sorted(starts), min(starts.values())):
        old[fault.device_id].append(fault)
    for device_id, faults in old.items():
        for fault in faults:
            if fault.onset < starts[device_id] and _reaches(fault, starts[device_id]):
                starts[device_id] = fault.onset
    begin = min(starts.values())
    ids = np.array(sorted(starts), dtype=np.int64)
    devices = Devices(settings.zone, ids, {}, starts)
    for window in windows(session, settings, begin, through):
        go_through(session, window, devices, rule)
    new: dict[int, list[Episode]] = defaultdict(list)
    open_faults = ((d, each) for d, each in devices.episodes.items() if each.opened_at is not None)
    for device_id, episode in chain(devices.ended, open_faults):
        new[device_id].append(episode)
    present = {d: [each for each in old[d] if each.onset >= starts[d]] for d in starts}
    _exchange(session, settings, present, new)
    for episodes in new.values():
        for episode in episodes:
            episode.steps.clear()
    queries.drop_watches(session, starts.keys())
    queries.put_watches(session, devices.episodes)
    return min(begin, *since.values())


def _reaches(fault: Fault, tick: int) -> bool:
    return fault.closed_at is None or fault.closed_at >= tick


# Where to begin


def _clear_points(
    session: Session,
    settings: Settings,
    rule: FaultRule,
    since: Mapping[int, int],
    first: date,
) -> dict[int, int]:
    """Device id → a tick before its `since` from which it can be followed as if it were clear.

    Looking back from `since`, that is where it was good often enough, or where it has failed so
    often that what is no fault by `since` must have begun later. (What is a fault by then is found
    among the stored ones.)
    """
    starts: dict[int, int] = {}
    by_day: dict[int, list[int]] = defaultdict(list)
    for device_id, tick in since.items():
        by_day[tick].append(device_id)
    for tick, device_ids in by_day.items():
        looking = {device_id: [0, 0] for device_id in sorted(device_ids)}
        for window in _parts(days_before(session, settings, tick, first)):
            starts |= _found(session, window, looking, rule)
            if not looking:
                break
        starts |= dict.fromkeys(looking, min(tick, day_start(first, settings.zone)))
    return starts


def _parts(days: Iterator[Window]) -> Iterator[Window]:
    """Each day from its end: the last slots, then the others."""
    for window in days:
        slots = window.slots
        last = min(LOOK_BACK_SLOTS, slots.count)
        split = slots.end - last * slots.interval_s
        yield Window(window.day, Slots(split, slots.interval_s, last), has_evidence=True)
        rest = Slots(slots.start, slots.interval_s, slots.count - last)
        yield Window(window.day, rest, has_evidence=True)


def _found(
    session: Session, window: Window, looking: dict[int, list[int]], rule: FaultRule
) -> dict[int, int]:
    """The devices that need not be looked back at any further; they are taken out of `looking`.

    `looking` holds by device how many good samples in a row and how many failing ones were seen.
    """
    device_ids = np.array(list(looking), dtype=np.int64)
    slots, found = window.slots, {}
    classes = _CLASSES[read_statuses(session, device_ids, slots)]
    for device_id, row in zip(device_ids.tolist(), classes, strict=True):
        counts = looking[device_id]
        known = np.flatnonzero(np.isin(row, (*FAILING, SlotClass.INTACT)))[::-1]
        for place in known.tolist():
            if row[place] == SlotClass.INTACT:
                counts[0] += 1
            else:
                counts[0], counts[1] = 0, counts[1] + 1
            if counts[0] >= rule.closes_after or counts[1] >= rule.opens_after:
                found[device_id] = slots.start + place * slots.interval_s
                break
    for device_id in found:
        del looking[device_id]
    return found


# What is other now


def _exchange(
    session: Session,
    settings: Settings,
    old: Mapping[int, Sequence[Fault]],
    new: Mapping[int, Sequence[Episode]],
) -> None:
    """Put new faults in the place of old ones; a row keeps its id, and is written if it differs."""
    kept: list[tuple[Fault, Episode]] = []
    added: list[tuple[int, Episode]] = []
    dropped: list[Fault] = []
    for device_id, faults in old.items():
        pairs, without, gone = pair(faults, new.get(device_id, ()))
        kept += pairs
        added += [(device_id, episode) for episode in without]
        dropped += gone
    queries.delete_faults(session, [fault.id for fault in dropped])
    changed = [
        {"id": fault.id, **row}
        for fault, episode in kept
        if (row := row_of(fault.device_id, episode, settings)) != _told(fault)
    ]
    queries.update_faults(session, changed)
    ids = queries.insert_faults(session, [row_of(d, each, settings) for d, each in added])
    steps = {fault.id: episode.steps for fault, episode in kept}
    present = queries.steps_of(session, sorted(steps))
    queries.replace_steps(session, {f: each for f, each in steps.items() if each != present[f]})
    queries.add_steps(
        session,
        [(f, step) for f, (_, each) in zip(ids, added, strict=True) for step in each.steps],
    )


def pair(
    old: Sequence[Fault], new: Sequence[Episode]
) -> tuple[list[tuple[Fault, Episode]], list[Episode], list[Fault]]:
    """Which old fault each new one is (same onset, or they overlap), those without, the rest."""
    free = {fault.onset: fault for fault in old}
    pairs = [(free.pop(each.onset), each) for each in new if each.onset in free]
    paired = {each.onset for _, each in pairs}
    without = []
    for episode in new:
        if episode.onset in paired:
            continue
        same = next((fault for fault in free.values() if _overlap(fault, episode)), None)
        if same is None:
            without.append(episode)
        else:
            pairs.append((free.pop(same.onset), episode))
    return pairs, without, list(free.values())


def _overlap(fault: Fault, episode: Episode) -> bool:
    ends_later = episode.closed_at is None or fault.onset <= episode.closed_at
    return ends_later and (fault.closed_at is None or episode.onset <= fault.closed_at)


def row_of(device_id: int, episode: Episode, settings: Settings) -> dict[str, object]:
    """The columns of a fault that follow from its episode."""
    values = (
        device_id,
        local_day(episode.onset, settings.zone),
        episode.onset,
        episode.opened_at,
        episode.ended_at,
        episode.closed_at,
        episode.reason,
        episode.status,
        episode.worst,
    )
    return dict(zip(COLUMNS, values, strict=True))


def _told(fault: Fault) -> dict[str, object]:
    return {name: getattr(fault, name) for name in COLUMNS}
