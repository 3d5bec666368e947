"""The figures that stand in an alert: what was seen, the limits, what is behind it."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from app.operations.alerts.deciding import Change, worst_first
from app.operations.alerts.looking import Sight
from app.operations.alerts.messages import local_iso
from app.operations.alerts.queries import Place
from app.operations.alerts.rules import Rule
from app.operations.alerts.tables import Metric, Scope
from kpi.rates import Amounts, ratio

WORST_STATIONS = 5
_Station = tuple[str | None, str | None, Amounts]
"""(code, name, cameras)"""
MOST_CAUSES = 3
OF_INTACT = {"part": "intact", "whole": "assessed", "value": "rate"}
"""What the intact rate's figures are called besides: others read them so since the first alert."""


def figures_of(
    rule: Rule, place: Place, change: Change, sight: Sight, zone: ZoneInfo
) -> dict[str, Any]:
    """JSON of an alert that opens, or of its recovery."""
    since = {"since": local_iso(change.since, zone)}
    if rule.metric is Metric.COLLECTOR_SILENT:
        return _evidence(sight, zone) | since
    if rule.metric is Metric.INCIDENT:
        return _incident(place, sight) | since
    if rule.metric is Metric.MONTH_WILL_MISS:
        return _outlook(place, sight, zone) | since
    told: dict[str, Any] = {
        "metric": rule.metric.value,
        "period": rule.period.value,
        **_reading(change),
        "target": float(rule.limits.threshold),
        "recovery": float(rule.limits.recovery),
        "tick": local_iso(change.reading.tick, zone),
    }
    if rule.metric is Metric.DISK_LOW and sight.disk is not None:
        told["path"] = sight.disk.path
    if rule.metric is Metric.COVERAGE:
        told |= _evidence(sight, zone)
    if rule.metric is Metric.INTACT_RATE:
        told |= {name: told[key] for key, name in OF_INTACT.items()}
        if place.scope is Scope.FLEET:
            told |= {"worst_stations": _worst_stations(sight), "cause": _causes(sight, zone)}
    return told | since


def _reading(change: Change) -> dict[str, Any]:
    _, part, whole, _ = change.reading
    return {"part": part, "whole": whole, "value": ratio(part, whole)}


def _worst_stations(sight: Sight) -> list[dict[str, Any]]:
    newest = sight.window.newest
    if newest is None:
        return []
    stations: list[_Station] = [
        (place.code, place.name, cameras)
        for place, cameras in newest.cameras.items()
        if place.scope is Scope.STATION
    ]
    stations.append((None, None, _without_station(newest.fleet, stations)))
    return [
        {
            "code": code,
            "name": name,
            "intact": cameras.intact,
            "assessed": cameras.assessed,
            "rate": ratio(cameras.intact, cameras.assessed),
        }
        for code, name, cameras in worst_first(stations)[:WORST_STATIONS]
    ]


def _without_station(fleet: Amounts, stations: Sequence[_Station]) -> Amounts:
    """The cameras that belong to none."""
    known = Amounts.total(cameras for _, _, cameras in stations)
    names = ("intact", "impaired", "offline", "unknown", "suspended", "exempted")
    return Amounts(*(getattr(fleet, name) - getattr(known, name) for name in names))


def _causes(sight: Sight, zone: ZoneInfo) -> list[dict[str, Any]]:
    """The incidents that last, those with the most cameras first."""
    found = sorted(sight.incidents.values(), key=lambda row: -row.failing)
    return [
        {
            "incident": row.id,
            "scope": row.scope.value,
            "code": row.code,
            "name": row.name,
            "since": local_iso(row.onset, zone),
            "failing": row.failing,
        }
        for row in found[:MOST_CAUSES]
    ]


def _incident(place: Place, sight: Sight) -> dict[str, Any]:
    row = sight.incidents.get(place)
    if row is None:
        return {}
    return {
        "incident": row.id,
        "devices": row.devices,
        "failed": row.failed,
        "failing": row.failing,
    }


def _outlook(place: Place, sight: Sight, zone: ZoneInfo) -> dict[str, Any]:
    found = sight.outlooks.budgets.get(place)
    if found is None:
        return {}
    return {
        "outlook": found.outlook.value,
        "budget_s": found.budget,
        "spent_s": found.spent,
        "left_s": found.left,
        "breaks_at": local_iso(found.breaks_at, zone),
    }


def _evidence(sight: Sight, zone: ZoneInfo) -> dict[str, Any]:
    last = sight.window.newest
    cameras = last.fleet if last else Amounts()
    return {
        "last_sweep_at": local_iso(last.finished_at if last else None, zone),
        "last_sweep_age_s": sight.now - last.finished_at if last else None,
        "stale": sight.stale,
        "assessed": cameras.assessed,
        "unknown": cameras.unknown,
        "coverage": ratio(cameras.assessed, cameras.to_be_assessed),
    }
