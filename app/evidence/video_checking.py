"""One round of video checks: the cameras that are due, asked, and what follows from it stored.

1. Due are ONVIF cameras whose stream is known and which answered at the minute's last look: each at
   its own time of the interval, those that fail again after a few minutes. A camera that was never
   checked is due at once; a round takes four times its share at most, so that a whole fleet that is
   new is worked off within a quarter of the interval.
2. They are asked in the collector's own loop, some at a time.
3. States and spans are stored in one transaction (`video_rules` says what holds).
"""

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from app.config import Settings
from app.database import Database
from app.evidence import video_queries
from app.evidence.tables import VideoState
from app.evidence.video_rules import Held, Rhythm, Span, after_check, changed_spans
from app.fleet.targets import sweep_targets
from collectors.onvif.credentials import CredentialMemory
from collectors.probe import Observation, Target
from collectors.snapshot import Snapshot
from collectors.video import Media, VideoCheck, VideoChecker, video_checker
from kpi.calendar import local_day
from kpi.status import Status

log = structlog.get_logger()
ROUND_S = 60
CONCURRENCY = 32
LEAST = 32
"""Cameras that a round may ask however few there are."""
TIMEOUT_S = 10.0
LONGEST_DETAIL = 256
DEFECT = Observation(Status.UNKNOWN, detail="not measured: a defect of the collector, see its log")


@dataclass(frozen=True, slots=True)
class Round:
    """How many cameras a round asked, and how many of them failed or could not be measured."""

    checked: int = 0
    failed: int = 0
    unmeasured: int = 0


class VideoChecking:
    """Rounds of checks. `memory` is the one that the ONVIF prober learns in."""

    def __init__(self, database: Database, settings: Settings, memory: CredentialMemory) -> None:
        self._database = database
        self._settings = settings
        self._memory = memory
        self._rhythm = Rhythm(settings.video_check_interval, settings.video_ttl)

    async def round(self) -> Round:
        """Check the cameras that are due now."""
        due = await asyncio.to_thread(self._due, int(time.time()))
        if not due:
            return Round()
        free = asyncio.Semaphore(CONCURRENCY)
        async with video_checker(self._memory, TIMEOUT_S) as checker:
            checks = await asyncio.gather(
                *(_check(checker, free, target, media) for target, media in due)
            )
        outcomes = {target.key: check for (target, _), check in zip(due, checks, strict=True)}
        await asyncio.to_thread(self.store, outcomes, int(time.time()))
        by_status = [check.stream.status for check in checks]
        unmeasured = by_status.count(Status.UNKNOWN)
        failed = len(checks) - unmeasured - by_status.count(Status.INTACT)
        return Round(len(checks), failed, unmeasured)

    def store(self, checks: Mapping[int, VideoCheck], now: int) -> None:
        """Store the outcomes of checks, by device, that ended at `now`."""
        states: list[dict[str, Any]] = []
        spans: list[tuple[int, Span]] = []
        with self._database.write() as session:
            known = video_queries.video_states(session, checks)
            for device_id, check in checks.items():
                before = known.get(device_id)
                held = _held(before)
                after = after_check(held, check.stream.status, device_id, now, self._rhythm)
                spans += ((device_id, span) for span in changed_spans(held, after))
                states.append(_state(device_id, before, held, after, check, now))
            video_queries.put_video_states(session, states)
            video_queries.put_video_spans(session, spans)

    def _due(self, now: int) -> Sequence[tuple[Target, Media]]:
        day = local_day(now, self._settings.zone)
        with self._database.read() as session:
            share = video_queries.streams_known(session) * ROUND_S / self._rhythm.interval_s
            cameras = video_queries.due_cameras(session, day, now, LEAST + math.ceil(4 * share))
            media = {device_id: Media(stream, picture) for device_id, stream, picture in cameras}
            targets = sweep_targets(session, self._settings, day, only=media) if media else []
        return [(target, media[target.key]) for target in targets]


async def _check(
    checker: VideoChecker, free: asyncio.Semaphore, target: Target, media: Media
) -> VideoCheck:
    try:
        async with free:
            return await checker.check(target, media)
    except Exception:
        log.exception("a video check raised an error; its camera has no result")
        return VideoCheck(DEFECT)


def _held(state: VideoState | None) -> Held:
    if state is None:
        return Held()
    return Held(Status(state.status), state.start, state.end, state.doubted, state.next_at)


def _state(
    device_id: int,
    before: VideoState | None,
    held: Held,
    after: Held,
    check: VideoCheck,
    now: int,
) -> dict[str, Any]:
    """The row of a camera after a check."""
    seen, picture = check.stream, check.snapshot or Snapshot()
    counts = after.end != held.end or after.start != held.start
    kept = before.detail if before is not None else ""
    return {
        "device_id": device_id,
        "status": int(after.status),
        "start": after.start,
        "end": after.end,
        "detail": seen.detail[:LONGEST_DETAIL] if counts else kept,
        "doubted": after.doubted,
        "next_at": after.next_at,
        "checked_at": now,
        "outcome": int(seen.status),
        "outcome_detail": seen.detail[:LONGEST_DETAIL],
        "latency_ms": None if seen.latency_ms is None else round(seen.latency_ms),
        "picture_width": picture.width,
        "picture_height": picture.height,
        "picture_bytes": picture.size_bytes,
        "picture_detail": picture.detail[:LONGEST_DETAIL],
    }
