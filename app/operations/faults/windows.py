"""Follows devices through a run of slots of one local day: evidence in, episodes out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from app.config import Settings
from app.evidence.covers import covers_of
from app.evidence.queries import slot_lengths
from app.evidence.turning import turning_samples
from app.operations.faults.queries import in_service_among
from kpi.calendar import Slots, day_bounds, local_day
from kpi.faults import FAILING, Cut, EndReason, Episode, FaultRule, follow, merged, needed
from kpi.ledger import Cover
from kpi.policy import DEFAULT_POLICY
from kpi.status import SlotClass

Ints = npt.NDArray[np.int64]
_CLASS_TABLE = DEFAULT_POLICY.class_table()
_CLASSES: list[int] = _CLASS_TABLE.tolist()
_KNOWN = (*FAILING, SlotClass.INTACT)


@dataclass(frozen=True, slots=True)
class Window:
    """A run of slots of one local day; without evidence nothing is read of it."""

    day: date
    slots: Slots
    has_evidence: bool


@dataclass(slots=True)
class Devices:
    """Devices on their way: the episodes of those that are not clear, and what has ended.

    `since` (tick by device id) is where a device begins, clear; the others begin with the window.
    `ended` are episodes that were faults, in order.
    """

    zone: ZoneInfo
    ids: Ints
    episodes: dict[int, Episode]
    since: Mapping[int, int] = field(default_factory=dict)
    ended: list[tuple[int, Episode]] = field(default_factory=list)


def windows(session: Session, settings: Settings, start: int, end: int) -> Iterator[Window]:
    """The slots of `[start, end)` day by day."""
    while start < end:
        day = local_day(start, settings.zone)
        length = slot_lengths(session, day, day).get(day)
        interval_s = length or settings.poll_interval
        reached = min(end, day_bounds(day, settings.zone)[1])
        yield Window(day, Slots.between(start, reached, interval_s), length is not None)
        start = reached


def days_before(session: Session, settings: Settings, tick: int, first: date) -> Iterator[Window]:
    """The days with evidence before a midnight, the newest first."""
    day = local_day(tick, settings.zone) - timedelta(days=1)
    while day >= first:
        length = slot_lengths(session, day, day).get(day)
        if length is not None:
            start, end = day_bounds(day, settings.zone)
            yield Window(day, Slots.between(start, end, length), has_evidence=True)
        day -= timedelta(days=1)


def go_through(session: Session, window: Window, devices: Devices, rule: FaultRule) -> None:
    """Take the devices from the window's start to its end."""
    watched = np.array(sorted(devices.episodes), dtype=np.int64)
    samples = _samples(session, window, devices, watched, rule)
    concerned = sorted({*samples[0].tolist(), *devices.episodes})
    cuts = _cuts(session, devices.zone, window, concerned)
    samples = _without_idle(samples, window, cuts, rule)
    rows = _by_device(samples)
    for device_id in concerned:
        since = devices.since.get(device_id, 0)
        ended, episode = follow(
            devices.episodes.pop(device_id, None),
            rows.get(device_id, ()),
            [cut._replace(start=max(cut.start, since)) for cut in cuts.get(device_id, ())],
            rule,
            _CLASSES,
        )
        devices.ended += [(device_id, each) for each in ended]
        if episode is not None:
            devices.episodes[device_id] = episode


def _samples(
    session: Session, window: Window, devices: Devices, watched: Ints, rule: FaultRule
) -> Ints:
    """Columns device, tick, status of what may turn the devices."""
    if not window.has_evidence:
        return np.empty((3, 0), dtype=np.int64)
    found = turning_samples(
        session, window.slots, devices.ids, watched, rule.closes_after, _CLASS_TABLE
    )
    found = found[:, np.isin(_CLASS_TABLE[found[2]], _KNOWN)]
    if devices.since and found.size:
        begins = np.array([devices.since.get(each, 0) for each in found[0].tolist()])
        found = found[:, found[1] >= begins]
    return found


def _without_idle(
    samples: Ints, window: Window, cuts: Mapping[int, Sequence[Cut]], rule: FaultRule
) -> Ints:
    """Leave out what changes nothing, of devices that are not cut."""
    fails = np.isin(_CLASS_TABLE[samples[2]], FAILING)
    keep = needed(samples, fails, window.slots.interval_s, rule)
    return samples[:, keep | np.isin(samples[0], list(cuts))]


def _by_device(samples: Ints) -> dict[int, list[tuple[int, int]]]:
    ids, starts = np.unique(samples[0], return_index=True)
    pairs = list(zip(samples[1].tolist(), samples[2].tolist(), strict=True))
    bounds = [*starts.tolist(), len(pairs)]
    return {
        device_id: pairs[bounds[place] : bounds[place + 1]]
        for place, device_id in enumerate(ids.tolist())
    }


def _cut(slots: Slots, cover: Cover, reason: EndReason) -> Cut | None:
    """The slots that a cover holds; None where it falls between two."""
    first = slots.index_from(cover.start)
    last = slots.count if cover.end is None else slots.index_from(cover.end)
    if first >= last:
        return None
    begin, end = (slots.start + place * slots.interval_s for place in (first, last))
    return Cut(begin, end, reason)


def _cuts(
    session: Session, zone: ZoneInfo, window: Window, device_ids: Sequence[int]
) -> dict[int, list[Cut]]:
    """Device id → the slots of the window in which it is not assessed; without one: not there."""
    slots = window.slots
    cuts: dict[int, list[Cut]] = {}
    serving = in_service_among(session, window.day, device_ids)
    for device_id in device_ids:
        if device_id not in serving:
            cuts[device_id] = [Cut(slots.start, slots.end, EndReason.OUT_OF_SERVICE)]
    both = covers_of(session, zone, device_ids, slots.start, slots.end)
    for reason, covers in zip((EndReason.SUSPENDED, EndReason.EXEMPTED), both, strict=True):
        for cover in covers:
            device_id = device_ids[cover.row]
            cut = _cut(slots, cover, reason)
            if cut is not None and device_id in serving:
                cuts.setdefault(device_id, []).append(cut)
    return {device_id: merged(each) for device_id, each in cuts.items()}
