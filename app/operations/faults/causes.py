"""Keeps incidents: what `kpi.incidents` says of the stored faults.

Incidents follow the faults as these follow the evidence. Where faults have become others they are
replayed, from a moment at which none was open; an incident keeps its id where it is still there.
"""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy.orm import Session

from app.config import Settings
from app.evidence import revisions
from app.operations.faults import incident_queries as queries
from app.operations.faults.surroundings import District
from app.operations.faults.tables import FAULTS, INCIDENTS
from app.operations.faults.tables import Incident as Row
from kpi.incidents import Incident, Timeline


def rewind(session: Session, tick: int) -> None:
    """Have the incidents from this tick on derived anew: from where none was open before it."""
    through = revisions.lock_follower(session, INCIDENTS)
    while (opened := queries.first_opened_of_open_at(session, tick)) is not None:
        tick = opened
    revisions.set_through(session, INCIDENTS, min(tick, through))


def find_causes(session: Session, settings: Settings) -> None:
    """Take in what has become known of faults since the incidents were looked at last."""
    start = revisions.lock_follower(session, INCIDENTS)
    through = revisions.follower_through(session, FAULTS)
    if start >= through:
        return
    going_on = queries.going_on(session, start)
    stale = queries.opened_since(session, start)
    first = queries.first_onset_known(session, start, through)
    if first is not None or going_on or stale:
        faults = queries.faults_begun(session, start, through, first)
        district = District(session, settings)
        timeline = Timeline(district, faults, going_on)
        timeline.run(start, through)
        found = [*timeline.over, *timeline.open]
        _store(session, district, found, timeline.absorbed, stale, start)
    revisions.set_through(session, INCIDENTS, through)


def _store(
    session: Session,
    district: District,
    found: Sequence[Incident],
    absorbed: Sequence[Incident],
    stale: Sequence[Row],
    start: int,
) -> None:
    """Make the rows say what was found; `stale` are those of an earlier reckoning."""
    left = {row.id: row for row in stale}
    for exactly in (True, False):
        for incident in found:
            if incident.id is None:
                incident.id = _same(incident, left.values(), exactly=exactly)
                left.pop(incident.id or 0, None)
    present = queries.rows_of(session, [each.id for each in found if each.id is not None])
    for incident in found:
        row = _columns(incident, district)
        if incident.id is None:
            incident.id = queries.insert_incident(session, row)
        elif any(getattr(present[incident.id], name) != value for name, value in row.items()):
            queries.update_incident(session, incident.id, row)
    gone = [*left, *(each.id for each in absorbed if each.id is not None)]
    ids = {each.id for each in found if each.id is not None}
    _tie(session, found, queries.ties(session, ids | set(gone), start))
    queries.delete_incidents(session, gone)


def _same(incident: Incident, rows: Iterable[Row], *, exactly: bool) -> int | None:
    """The row that already stands for this incident."""
    for row in rows:
        if (row.scope, row.code) != incident.place:
            continue
        ends_later = incident.ended_at is None or row.onset <= incident.ended_at
        overlaps = ends_later and (row.ended_at is None or incident.onset <= row.ended_at)
        if row.onset == incident.onset if exactly else overlaps:
            return row.id
    return None


def _columns(incident: Incident, district: District) -> dict[str, object]:
    return {
        "scope": incident.place.scope.value,
        "code": incident.place.code,
        "name": district.name_of(incident.place),
        "onset": incident.onset,
        "opened_at": incident.opened_at,
        "ended_at": incident.ended_at,
        "closed_at": incident.closed_at,
        "devices": incident.able,
        "failed": len(incident.children),
    }


def _tie(
    session: Session,
    found: Sequence[Incident],
    present: Mapping[int, tuple[int | None, int | None]],
) -> None:
    """Put faults under the incidents found; `present` says how they were: (incident, own since)."""
    wanted: dict[int, tuple[int | None, int | None]] = dict.fromkeys(present, (None, None))
    for incident in found:
        closings = queries.closings_of(session, incident.faults)
        for fault_id, (opened_at, closed_at) in closings.items():
            own_since = None
            over = incident.closed_at
            if over is not None and (closed_at is None or closed_at > over):
                own_since = max(incident.ended_at or over, opened_at)
            wanted[fault_id] = incident.id, own_since
    changed = [
        {"id": fault_id, "incident_id": tie[0], "own_since": tie[1]}
        for fault_id, tie in wanted.items()
        if present.get(fault_id, (None, None)) != tie
    ]
    queries.tie_faults(session, changed)
