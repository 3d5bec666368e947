"""Keeps faults: forward with the sweeps, and anew where the evidence has changed behind them.

Each step is one transaction, and any number of them may be interrupted and gone on with:

1. Repair: of devices that are marked (`app.evidence.revisions`) all is derived anew, from a moment
   before the change at which they were clear. A fault keeps its id where the new one overlaps it.
2. Forward: the slots from where the faults have come to, up to the newest recorded sweep, a day at
   most. Only failing samples and those of devices that are not clear are read.
3. Causes: the incidents follow (`app.operations.faults.causes`).

Both ways feed the same machine (`kpi.faults`), so that faults that were followed and faults that
are rebuilt are the same.
"""

import time
from collections.abc import Iterable
from datetime import date

import numpy as np
from sqlalchemy.orm import Session

from app.config import Settings
from app.database import Database
from app.evidence import revisions
from app.evidence.store import require_zone
from app.operations.faults import queries
from app.operations.faults.causes import find_causes, rewind
from app.operations.faults.rebuilding import rebuild, row_of
from app.operations.faults.tables import FAULTS, INCIDENTS
from app.operations.faults.windows import Devices, Window, go_through, windows
from kpi.calendar import day_bounds, day_start, existing_end, local_day
from kpi.faults import Episode, FaultRule

DEVICES_A_STEP = 500
LONG_STEP_S, PAUSE_S = 0.1, 0.15
"""After a step that took so long others may write."""


def rule_of(settings: Settings) -> FaultRule:
    return FaultRule(settings.fault_opens_after, settings.fault_closes_after)


def keep_faults(
    database: Database, settings: Settings, now: int, within_s: float | None = None
) -> bool:
    """Bring faults and incidents up to the newest evidence; False where it takes longer.

    To be called after each sweep. After `within_s` seconds no further step is begun. Raises
    `Refused` where the evidence has another time zone.
    """
    deadline = None if within_s is None else time.monotonic() + within_s
    begun = time.monotonic()
    while _step(database, settings, now):
        if time.monotonic() - begun > LONG_STEP_S:
            time.sleep(PAUSE_S)  # SQLite serves whoever asks first, not who has waited longest
        begun = time.monotonic()
        if deadline is not None and time.monotonic() > deadline:
            return False
    return True


def _step(database: Database, settings: Settings, now: int) -> bool:
    """One transaction; whether there was anything to do."""
    with database.read() as session:
        require_zone(session, settings.timezone)
        marked = revisions.count_revised(session)
        through = revisions.follower_through(session, FAULTS)
        is_behind = _next_window(session, settings, through, now) is not None
        is_unexplained = revisions.follower_through(session, INCIDENTS) < through
    if not (marked or is_behind or is_unexplained):
        return False
    with database.write() as session:
        if marked and (again_from := _repair(session, settings)) is not None:
            rewind(session, again_from)
            return True
        if not _forward(session, settings, now):
            find_causes(session, settings)
        return True


def _repair(session: Session, settings: Settings) -> int | None:
    """Rebuild some marked devices; the tick from which incidents may be others, None: none."""
    through = revisions.lock_follower(session, FAULTS)
    days = queries.evidence_days(session)
    marks = revisions.take_revised(session, DEVICES_A_STEP)
    if days is None:
        return None
    since = {
        device_id: day_start(max(day, days[0]), settings.zone)
        for device_id, day in marks.items()
        if day <= local_day(through, settings.zone)
    }
    since = {device_id: tick for device_id, tick in since.items() if tick < through}
    if not since:
        return None
    return rebuild(session, settings, rule_of(settings), since, days[0], through)


def _forward(session: Session, settings: Settings, now: int) -> bool:
    """Take in the next slots; False where there are none."""
    through = revisions.lock_follower(session, FAULTS)
    window = _next_window(session, settings, through, now)
    if window is None:
        return False
    watches = queries.read_watches(session)
    before = {device_id: _state(episode) for device_id, episode in watches.items()}
    opened = {d: episode.onset for d, episode in watches.items() if episode.opened_at is not None}
    devices = Devices(
        settings.zone, np.array(queries.all_devices(session), dtype=np.int64), watches
    )
    go_through(session, window, devices, rule_of(settings))
    _write(session, settings, devices, before, queries.open_fault_ids(session, opened))
    revisions.set_through(session, FAULTS, window.slots.end)
    find_causes(session, settings)
    return True


def _next_window(session: Session, settings: Settings, through: int, now: int) -> Window | None:
    """The slots to take in next; days without any evidence are passed over."""
    days = queries.evidence_days(session)
    if days is None:
        return None
    start = max(through, day_start(days[0], settings.zone))
    end = _reach(session, settings, days[1], now)
    return next(windows(session, settings, start, end), None)


def _reach(session: Session, settings: Settings, last: date, now: int) -> int:
    """The end of the newest sweep; of evidence that was imported after it, of its slots."""
    swept = queries.newest_sweep_end(session)
    start, end = day_bounds(last, settings.zone)
    if swept > start:
        return swept
    return max(swept, min(end, existing_end(now, settings.poll_interval)))


def _state(episode: Episode) -> tuple[object, ...]:
    return tuple(getattr(episode, name) for name in queries.WATCHED)


def _write(
    session: Session,
    settings: Settings,
    devices: Devices,
    before: dict[int, tuple[object, ...]],
    fault_ids: dict[int, int],
) -> None:
    """Store what the window has changed; `fault_ids` are the faults that were open before it."""
    going_on = [
        (device_id, episode)
        for device_id, episode in devices.episodes.items()
        if before.get(device_id) != _state(episode)
    ]
    told = [*devices.ended, *((d, each) for d, each in going_on if each.opened_at is not None)]
    known = [(d, each) for d, each in told if _is_known(d, each, before, fault_ids)]
    new = [(d, each) for d, each in told if not _is_known(d, each, before, fault_ids)]
    ids = queries.insert_faults(session, [row_of(d, each, settings) for d, each in new])
    queries.update_faults(
        session, [{"id": fault_ids[d], **row_of(d, each, settings)} for d, each in known]
    )
    pairs = [*zip(ids, new, strict=True), *((fault_ids[d], (d, each)) for d, each in known)]
    queries.add_steps(session, [(fault, step) for fault, (_, each) in pairs for step in each.steps])
    for _, episode in told:
        episode.steps.clear()  # they are the fault's now
    queries.drop_watches(session, before.keys() - devices.episodes.keys())
    queries.put_watches(session, dict(going_on))


def _is_known(
    device_id: int,
    episode: Episode,
    before: dict[int, tuple[object, ...]],
    fault_ids: dict[int, int],
) -> bool:
    return device_id in fault_ids and before[device_id][0] == episode.onset


def mark_for_rebuild(
    session: Session, settings: Settings, first: date, last: date, device_ids: Iterable[int]
) -> int:
    """Mark devices to be rebuilt from a day on; how many.

    Those that have a fault on the days `first` to `last` as well as those of `device_ids`.
    """
    start, end = day_bounds(first, settings.zone)[0], day_bounds(last, settings.zone)[1]
    marked = queries.devices_failing_between(session, start, end) | set(device_ids)
    revisions.mark_revised(session, dict.fromkeys(marked, first))
    return len(marked)
