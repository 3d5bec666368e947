"""Keeps what happened to the host that collects: each thing once, with beginning and end."""

import structlog
from sqlalchemy.orm import Session

from app.evidence import host_queries
from app.evidence.judging import HostFact, HostReport
from app.evidence.tables import HostEvent

log = structlog.get_logger()


def note_host(session: Session, report: HostReport, now: int) -> None:
    """Record the facts of a report; what lasts is opened once, and closed when it is over."""
    lasting = {event.kind: event for event in host_queries.open_host_events(session)}
    for fact in report.facts:
        event = lasting.get(fact.kind)
        if event is None:
            note_fact(session, fact)
        elif fact.until is not None:
            _end(session, lasting.pop(fact.kind), fact.until)
    for kind in report.over & lasting.keys():
        _end(session, lasting[kind], now)


def note_fact(session: Session, fact: HostFact) -> None:
    """Record one fact."""
    session.add(HostEvent(**fact._asdict()))
    seconds = round(fact.seconds, 1)
    log.warning("host event", kind=fact.kind.value, seconds=seconds, detail=fact.detail)


def _end(session: Session, event: HostEvent, until: int) -> None:
    host_queries.end_host_event(session, event.id, until)
    log.info("host event is over", kind=event.kind, lasted_s=until - event.at)
