"""Deep inspections: whose turn it is, inspecting, and keeping what was observed.

Each device has a time of day of its own, at which it is inspected once. One that was never
inspected is due at once, and so is one that refused us and has other credentials now. Whom the
sweeps cannot get through to waits until they can: it would tell nothing. What the sweeps learnt of
passwords holds here, and the other way round (`app.fleet.password_memory`).
"""

import asyncio
import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from app.config import Settings
from app.database import Database
from app.evidence.inspection_queries import Candidate
from app.fleet.observed_queries import store_observed
from app.fleet.password_memory import shared_memory
from app.fleet.targets import sweep_targets
from app.tabular import ReportProgress, unreported
from collectors.onvif.inspection import Inspection
from collectors.onvif.inspector import Inspector
from collectors.probe import Target
from kpi.calendar import local_day
from kpi.status import Status

DAY_S = 86_400
AT_A_TIME = 16
MOST_DUE = 250
"""How many of those that are due one run takes: a new fleet of thousands is spread over hours."""
INSPECTION_S = 30.0
_KEPT_TOGETHER = 32
_FEW = 1_000  # that a query can name
_NOT_ANSWERING = frozenset(
    {Status.TIMEOUT, Status.REFUSED, Status.UNREACHABLE, Status.UNKNOWN, Status.AUTH_FAILED}
)


@dataclass(frozen=True, slots=True)
class Inspected:
    """One device and what came of its inspection; `at` in UTC seconds."""

    code: str
    at: int
    inspection: Inspection


def due(candidates: Sequence[Candidate], now: int, most: int = MOST_DUE) -> list[Candidate]:
    """Those whose turn it is, the longest waiting first, `most` of them."""
    waiting = [each for each in candidates if _answers(each) and _is_due(each, now)]
    return sorted(waiting, key=lambda each: (each.asked_at or 0, each.id))[:most]


def _answers(candidate: Candidate) -> bool:
    return candidate.state is not None and candidate.state not in _NOT_ANSWERING


def _is_due(candidate: Candidate, now: int) -> bool:
    if candidate.asked_at is None or candidate.asked_at < last_turn(candidate.id, now):
        return True
    refused_us = candidate.outcome == Status.AUTH_FAILED
    return refused_us and candidate.refused != candidate.credentials


def last_turn(device_id: int, now: int) -> int:
    """The latest instant, up to `now`, that is the device's time of day."""
    digest = hashlib.blake2b(str(device_id).encode(), digest_size=4).digest()
    return now - (now - int.from_bytes(digest) % DAY_S) % DAY_S


def inspect_devices(
    database: Database,
    settings: Settings,
    chosen: Sequence[Candidate],
    progress: ReportProgress = unreported,
) -> list[Inspected]:
    """Inspect devices, several at a time, and keep what was observed; in the order chosen."""
    targets = _targets(database, settings, chosen)
    with (
        shared_memory(database, settings) as passwords,
        Inspector(passwords.memory) as inspector,
    ):
        round_ = _Round(database, chosen, inspector, progress)
        return asyncio.run(round_.inspect(targets))


def _targets(
    database: Database, settings: Settings, chosen: Sequence[Candidate]
) -> dict[int, Target]:
    ids = {each.id for each in chosen}
    day = local_day(int(time.time()), settings.zone)
    with database.read() as session:
        found = sweep_targets(session, settings, day, only=ids if len(ids) <= _FEW else None)
    return {target.key: target for target in found if target.key in ids}


class _Round:
    """One round of inspections."""

    def __init__(
        self,
        database: Database,
        chosen: Sequence[Candidate],
        inspector: Inspector,
        progress: ReportProgress,
    ) -> None:
        self._database, self._inspector, self._progress = database, inspector, progress
        self._chosen = {each.id: each for each in chosen}
        self._done: dict[int, Inspected] = {}
        self._unkept: list[Mapping[str, Any]] = []

    async def inspect(self, targets: Mapping[int, Target]) -> list[Inspected]:
        at_a_time = asyncio.Semaphore(AT_A_TIME)
        async with asyncio.TaskGroup() as group:
            for target in targets.values():
                await at_a_time.acquire()
                task = group.create_task(self._inspect(target))
                task.add_done_callback(lambda _: at_a_time.release())
        await self._keep(at_least=1)
        return [self._done[device_id] for device_id in self._chosen if device_id in self._done]

    async def _inspect(self, target: Target) -> None:
        deadline = asyncio.get_running_loop().time() + INSPECTION_S
        inspection = await self._inspector(target, deadline)
        candidate, now = self._chosen[target.key], int(time.time())
        self._done[target.key] = Inspected(candidate.code, now, inspection)
        self._unkept.append(_row(candidate, inspection, now))
        self._progress("inspecting", len(self._done), len(self._chosen))
        await self._keep(at_least=_KEPT_TOGETHER)

    async def _keep(self, at_least: int) -> None:
        """Store what has come in; a round that is ended before its end has kept nearly all."""
        if len(self._unkept) < at_least:
            return
        rows, self._unkept = self._unkept, []
        await asyncio.to_thread(self._store, rows)

    def _store(self, rows: Sequence[Mapping[str, Any]]) -> None:
        with self._database.write() as session:
            store_observed(session, rows)


def _row(candidate: Candidate, inspection: Inspection, now: int) -> dict[str, Any]:
    """What is kept; where nothing was learnt, what was observed before stays."""
    row: dict[str, Any] = {
        "device_id": candidate.id,
        "asked_at": now,
        "outcome": int(inspection.status),
        "detail": inspection.detail,
        "refused": candidate.credentials if inspection.status is Status.AUTH_FAILED else None,
    }
    if inspection.learnt:
        row |= {**asdict(inspection.facts), "inspected_at": now}
    return row
