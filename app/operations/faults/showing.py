"""Faults and incidents as pages show them: local times, words, how long."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.operations.faults.list_queries import FaultRow, IncidentRow
from app.web.words import STATUS_WORDS, class_name
from kpi.faults import EndReason
from kpi.policy import DEFAULT_POLICY
from kpi.status import Status

_CLASSES = DEFAULT_POLICY.classes


@dataclass(frozen=True, slots=True)
class FaultLine:
    """`status` is a text of the catalogue, `seconds` how long it lasted or has lasted so far."""

    row: FaultRow
    onset: datetime
    ended: datetime | None
    seconds: int
    status: str
    slot_class: str
    reason: EndReason | None
    own_since: datetime | None


@dataclass(frozen=True, slots=True)
class StepLine:
    """A status on the way, and how long it was so."""

    at: datetime
    seconds: int
    status: str
    slot_class: str


@dataclass(frozen=True, slots=True)
class IncidentLine:
    """`recovered` of the cameras under it work again."""

    row: IncidentRow
    onset: datetime
    ended: datetime | None
    seconds: int

    @property
    def recovered(self) -> int:
        return self.row.failed - self.row.failing


def fault_line(row: FaultRow, zone: ZoneInfo, now: int) -> FaultLine:
    return FaultLine(
        row=row,
        onset=datetime.fromtimestamp(row.onset, zone),
        ended=_local(row.ended_at, zone),
        seconds=max(0, (now if row.ended_at is None else row.ended_at) - row.onset),
        status=STATUS_WORDS[Status(row.worst_status)],
        slot_class=class_name(_CLASSES[Status(row.worst_status)]),
        reason=None if row.reason is None else EndReason(row.reason),
        own_since=_local(row.own_since, zone),
    )


def step_lines(
    steps: Sequence[tuple[int, int]], row: FaultRow, zone: ZoneInfo, now: int
) -> list[StepLine]:
    """The statuses of a fault, each until the next one."""
    ends = [at for at, _ in steps[1:]]
    ends.append(now if row.closed_at is None else max(row.closed_at, steps[-1][0] if steps else 0))
    return [
        StepLine(
            datetime.fromtimestamp(at, zone),
            max(0, end - at),
            STATUS_WORDS[Status(status)],
            class_name(_CLASSES[Status(status)]),
        )
        for (at, status), end in zip(steps, ends, strict=False)
    ]


def incident_line(row: IncidentRow, zone: ZoneInfo, now: int) -> IncidentLine:
    return IncidentLine(
        row=row,
        onset=datetime.fromtimestamp(row.onset, zone),
        ended=_local(row.ended_at, zone),
        seconds=max(0, (now if row.ended_at is None else row.ended_at) - row.onset),
    )


def _local(instant: int | None, zone: ZoneInfo) -> datetime | None:
    return None if instant is None else datetime.fromtimestamp(instant, zone)
