"""How quickly one device answered over the last 24 hours, and when there is no sample of it.

A slot without a sample is a gap; one with a sample but without an answer is none: that is what the
strips show. Percentiles are by nearest rank.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.config import Settings
from app.evidence.samples import device_samples
from app.evidence.store import slot_length
from kpi.calendar import Slots, day_bounds, existing_end, local_day

DAY_S = 86_400
PIECE_S = 1_800
"""What a point of the chart stands for; each slot length divides half of it."""
MOST_GAPS = 10


class Answers(NamedTuple):
    """Milliseconds, null where nothing was answered, and how many slots were."""

    median_ms: int | None
    p95_ms: int | None
    answered: int


@dataclass(frozen=True, slots=True)
class Piece:
    """Half an hour: of `slots` that exist `sampled` have a sample."""

    start: datetime
    answers: Answers
    sampled: int
    slots: int


@dataclass(frozen=True, slots=True)
class LatencyCourse:
    """The last 24 hours; `gaps` are the newest stretches without a sample, `gaps_s` all of them."""

    pieces: Sequence[Piece]
    whole: Answers
    unanswered: int
    gaps: Sequence[tuple[datetime, datetime]]
    gaps_left_out: int
    gaps_s: int


class _Slot(NamedTuple):
    tick: int
    length_s: int
    is_sampled: bool
    latency_ms: int | None


def latency_course(
    session: Session, settings: Settings, device_id: int, shows: Callable[[date], bool], now: int
) -> LatencyCourse | None:
    """The 24 hours up to the newest slot, of the days that `shows` names; None without a slot."""
    slots = _slots(session, settings, device_id, shows, now)
    if not slots:
        return None
    gaps = _gaps(slots)
    newest = gaps[: -MOST_GAPS - 1 : -1]
    return LatencyCourse(
        pieces=_pieces(settings, slots),
        whole=_answers(slots),
        unanswered=sum(each.is_sampled and each.latency_ms is None for each in slots),
        gaps=[(_local(settings, start), _local(settings, end)) for start, end in newest],
        gaps_left_out=len(gaps) - len(newest),
        gaps_s=sum(end - start for start, end in gaps),
    )


def _slots(
    session: Session, settings: Settings, device_id: int, shows: Callable[[date], bool], now: int
) -> list[_Slot]:
    today = local_day(now, settings.zone)
    end = existing_end(now, slot_length(session, today, settings.poll_interval))
    found = []
    for day in (today - timedelta(days=1), today):
        interval_s = slot_length(session, day, settings.poll_interval)
        first, last = day_bounds(day, settings.zone)
        day_slots = Slots.between(first, max(first, min(last, end)), interval_s)
        if not shows(day):
            continue
        told = {tick: ms for tick, _, ms in device_samples(session, device_id, day_slots)}
        ticks = range(first, first + day_slots.count * interval_s, interval_s)
        found += [
            _Slot(tick, interval_s, tick in told, told.get(tick))
            for tick in ticks
            if tick >= end - DAY_S
        ]
    return found


def _pieces(settings: Settings, slots: Sequence[_Slot]) -> list[Piece]:
    by_start: dict[int, list[_Slot]] = {}
    for each in slots:
        by_start.setdefault(each.tick - each.tick % PIECE_S, []).append(each)
    return [
        Piece(_local(settings, start), _answers(part), sum(s.is_sampled for s in part), len(part))
        for start, part in by_start.items()
    ]


def _answers(slots: Sequence[_Slot]) -> Answers:
    ordered = sorted(each.latency_ms for each in slots if each.latency_ms is not None)
    return Answers(_percentile(ordered, 50), _percentile(ordered, 95), len(ordered))


def _percentile(ordered: Sequence[int], percent: int) -> int | None:
    return ordered[math.ceil(percent * len(ordered) / 100) - 1] if ordered else None


def _gaps(slots: Sequence[_Slot]) -> list[tuple[int, int]]:
    """Stretches of slots without a sample, the oldest first."""
    gaps: list[tuple[int, int]] = []
    for each in slots:
        if each.is_sampled:
            continue
        end = each.tick + each.length_s
        if gaps and gaps[-1][1] == each.tick:
            gaps[-1] = (gaps[-1][0], end)
        else:
            gaps.append((each.tick, end))
    return gaps


def _local(settings: Settings, instant: int) -> datetime:
    return datetime.fromtimestamp(instant, settings.zone)
