"""All SQL of what explains an outage."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.operations.faults.tables import Fault
from kpi.explained import Pieces

Stretch = tuple[int, int | None, int]
"""(from, to, incident id); an open end lasts."""


def incident_stretches(
    session: Session, device_ids: Collection[int], start: int, end: int
) -> Mapping[int, Sequence[Stretch]]:
    """Device id → when it failed under an incident within `[start, end)`."""
    query = select(Fault.device_id, Fault.onset, Fault.ended_at, Fault.incident_id).where(
        Fault.device_id.in_(device_ids),
        Fault.incident_id.is_not(None),
        Fault.onset < end,
        Fault.ended_at.is_(None) | (Fault.ended_at > start),
    )
    found: dict[int, list[Stretch]] = defaultdict(list)
    for device_id, onset, ended_at, incident_id in session.execute(query.order_by(Fault.onset)):
        if incident_id is not None:
            found[device_id].append((onset, ended_at, incident_id))
    return found


def incidents_of(session: Session, outages: Pieces) -> list[int | None]:
    """For each outage the first incident that its device failed under meanwhile."""
    if not len(outages.start):
        return []
    ids = set(outages.device.tolist())
    within = int(outages.start.min()), int(outages.end.max())
    stretches = incident_stretches(session, ids, *within)
    columns = (outages.device.tolist(), outages.start.tolist(), outages.end.tolist())
    return [
        next((incident for incident in _touching(stretches.get(device, ()), start, end)), None)
        for device, start, end in zip(*columns, strict=True)
    ]


def _touching(stretches: Sequence[Stretch], start: int, end: int) -> list[int]:
    return [
        incident
        for onset, ended_at, incident in stretches
        if onset < end and (ended_at is None or ended_at > start)
    ]
