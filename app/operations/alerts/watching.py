"""Watches the figures: opens and resolves alerts, and writes what is to be sent about them.

Reading, deciding and writing are one transaction, the notification included: a decision that was
made is sent, whatever happens to the process in between (see `app.operations.delivery`). A glance
without a lock goes before it.
"""

from typing import Any

import structlog
from sqlalchemy.orm import Session

from app.availability.instant import is_stale
from app.config import Settings
from app.database import Database
from app.evidence.queries import last_sweep
from app.operations.alerts import queries
from app.operations.alerts.messages import AlertFacts, body, local_iso
from app.operations.alerts.queries import StationFigures
from app.operations.alerts.rules import (
    RECOVERY,
    TARGET,
    WINDOW_SLOTS,
    Change,
    SweepFigures,
    Window,
    decide,
    recent_evidence,
)
from app.operations.alerts.tables import Alert, AlertEvent, AlertKind
from app.operations.delivery.queries import enqueue
from kpi.calendar import local_day
from kpi.rates import Amounts, ratio

WORST_STATIONS = 5

log = structlog.get_logger()


def watch(database: Database, settings: Settings, now: int, watching_since: int) -> None:
    """Open and resolve what the newest sweeps call for. Safe to be run twice, or by two at once.

    `now` and `watching_since` (the start of the collector, or of whoever watches it) are UTC
    seconds. To be called after each sweep and, for a collector that is silent, once a slot.
    """
    with database.read() as session:
        alerts = queries.open_alerts(session)
        if not decide(_window(session, settings, now, watching_since, alerts)):
            return  # as nearly always: no sweep has to wait for a lock that changes nothing
    with database.write() as session:
        alerts = queries.open_alerts(session)
        open_alerts = {AlertKind(alert.kind): alert for alert in alerts}
        window = _window(session, settings, now, watching_since, alerts)
        for change in decide(window):
            figures = _figures(session, settings, window, change)
            if change.event is AlertEvent.OPENED:
                facts = _open(session, change, now, figures)
            else:
                facts = _resolve(session, open_alerts[change.kind], now, figures)
            if facts is not None:
                _announce(session, settings, facts, now)


def _window(
    session: Session, settings: Settings, now: int, watching_since: int, alerts: list[Alert]
) -> Window:
    sweeps = queries.newest_sweeps(session, WINDOW_SLOTS)
    return Window(
        now=now,
        interval_s=sweeps[0].interval_s if sweeps else settings.poll_interval,
        watching_since=watching_since,
        sweeps=sweeps,
        stale=is_stale(last_sweep(session), now),
        expected=queries.any_in_service(session, local_day(now, settings.zone)),
        open_kinds=frozenset(AlertKind(alert.kind) for alert in alerts),
    )


def _open(session: Session, change: Change, now: int, figures: dict[str, Any]) -> AlertFacts | None:
    """Store an alert; None where another process has opened it meanwhile."""
    row = {
        "kind": change.kind.value,
        "opened_at": now,
        "since": change.since,
        "figures": figures,
    }
    alert_id = queries.insert_alert(session, row)
    if alert_id is None:
        return None
    return AlertFacts(alert_id, change.kind, change.since, now, None, figures)


def _resolve(
    session: Session, alert: Alert, now: int, recovered: dict[str, Any]
) -> AlertFacts | None:
    """Close an alert; its figures stay, those of the recovery stand beside them."""
    figures = {**alert.figures, "recovered": recovered}
    if not queries.resolve_alert(session, alert.id, now, figures):
        return None
    return AlertFacts(alert.id, AlertKind(alert.kind), alert.since, alert.opened_at, now, figures)


def _announce(session: Session, settings: Settings, facts: AlertFacts, now: int) -> None:
    log.warning("alert", event_=facts.event.value, kind=facts.kind.value, alert=facts.id)
    enqueue(session, facts.id, facts.event.value, None, body(facts, settings.zone), now)


# The figures that stand in an alert


def _figures(
    session: Session, settings: Settings, window: Window, change: Change
) -> dict[str, Any]:
    since = {"since": local_iso(change.since, settings.zone)}
    if change.kind is AlertKind.FLEET_INTACT_RATE:
        sweep = recent_evidence(window)[0]
        return _fleet_figures(session, settings, sweep) | since
    return _evidence_figures(settings, window) | since


def _fleet_figures(session: Session, settings: Settings, sweep: SweepFigures) -> dict[str, Any]:
    worst = worst_first(queries.stations_at(session, sweep.tick))
    return {
        **_share(sweep.cameras),
        "target": float(TARGET),
        "recovery": float(RECOVERY),
        "tick": local_iso(sweep.tick, settings.zone),
        "worst_stations": [
            {"code": station.code, "name": station.name, **_share(station.cameras)}
            for station in worst[:WORST_STATIONS]
        ],
    }


def _share(cameras: Amounts) -> dict[str, Any]:
    rate = ratio(cameras.intact, cameras.assessed)
    return {"intact": cameras.intact, "assessed": cameras.assessed, "rate": rate}


def worst_first(stations: list[StationFigures]) -> list[StationFigures]:
    """The stations with cameras that are not intact, the lowest rate first."""
    failing = [each for each in stations if each.cameras.intact < each.cameras.assessed]

    def rank(station: StationFigures) -> tuple[float, int, str]:
        cameras = station.cameras
        lost = cameras.assessed - cameras.intact
        return cameras.intact / cameras.assessed, -lost, station.code or ""

    return sorted(failing, key=rank)


def _evidence_figures(settings: Settings, window: Window) -> dict[str, Any]:
    last = window.sweeps[0] if window.sweeps else None
    cameras = last.cameras if last else Amounts()
    return {
        "last_sweep_at": local_iso(last.finished_at if last else None, settings.zone),
        "last_sweep_age_s": window.now - last.finished_at if last else None,
        "stale": window.stale,
        "assessed": cameras.assessed,
        "unknown": cameras.unknown,
        "coverage": ratio(cameras.assessed, cameras.to_be_assessed),
    }
