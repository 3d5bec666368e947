"""An alert in words, for the page, for REST and for the message that is sent."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from app.operations.alerts.deciding import DIRECTIONS
from app.operations.alerts.tables import Alert, AlertEvent, Metric, Scope
from app.operations.alerts.words import ALERT_WORDS, METRIC_WORDS, PLACE_WORDS
from app.web.language import Language, per_cent, translations
from kpi.rates import percent


@dataclass(frozen=True, slots=True)
class AlertFacts:
    """An alert as it was at its opening or is after its end; instants in UTC seconds."""

    id: int
    kind: str
    metric: Metric
    scope: Scope
    scope_code: str
    scope_name: str
    severity: str
    since: int
    opened_at: int
    resolved_at: int | None
    figures: dict[str, Any]

    @classmethod
    def of(cls, alert: Alert) -> "AlertFacts":
        return cls(
            alert.id,
            alert.kind,
            Metric(alert.metric),
            Scope(alert.scope),
            alert.scope_code,
            alert.scope_name,
            alert.severity,
            alert.since,
            alert.opened_at,
            alert.resolved_at,
            alert.figures,
        )

    @property
    def event(self) -> AlertEvent:
        return AlertEvent.OPENED if self.resolved_at is None else AlertEvent.RESOLVED


def local_iso(instant: int | None, zone: ZoneInfo) -> str | None:
    """An instant as ISO 8601 with the zone's offset."""
    return None if instant is None else datetime.fromtimestamp(instant, zone).isoformat()


def body(facts: AlertFacts, zone: ZoneInfo, event: AlertEvent | None = None) -> dict[str, Any]:
    """The message that is sent about an alert."""
    return {
        "event": (event or facts.event).value,
        "alert_id": facts.id,
        "kind": facts.kind,
        "severity": facts.severity,
        "scope": facts.scope.value,
        "scope_code": facts.scope_code or None,
        "summary": summaries(facts, zone),
        "figures": facts.figures,
        "since": local_iso(facts.since, zone),
        "opened_at": local_iso(facts.opened_at, zone),
        "resolved_at": local_iso(facts.resolved_at, zone),
        "path": f"/alerts/{facts.id}",
    }


def summaries(facts: AlertFacts, zone: ZoneInfo) -> dict[str, str]:
    """Language → the alert in a sentence or two."""
    return {language.value: summary(facts, zone, language) for language in Language}


def summary(facts: AlertFacts, zone: ZoneInfo, language: Language) -> str:
    """The alert in a sentence or two."""
    write = _WRITERS.get((facts.metric, facts.event), _BY_EVENT[facts.event])
    if facts.metric is Metric.INTACT_RATE and facts.scope is Scope.FLEET:
        write = _FLEET[facts.event]
    return write(facts, zone, language)


def title(facts: AlertFacts, language: Language) -> str:
    """What it is about, in a few words."""
    _ = translations(language).gettext
    what = _(ALERT_WORDS[facts.metric])
    if facts.scope is Scope.FLEET:
        return what
    return _("%(what)s: %(where)s") % {"what": what, "where": _where(facts, language)}


def _where(facts: AlertFacts, language: Language) -> str:
    _ = translations(language).gettext
    if facts.scope is Scope.FLEET:
        return _(PLACE_WORDS[facts.scope])
    return f"{_(PLACE_WORDS[facts.scope])} {facts.scope_name or facts.scope_code}"


def _clock(instant: int, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(instant, zone):%Y-%m-%d %H:%M}"


def _now(facts: AlertFacts, zone: ZoneInfo) -> str:
    return _clock(facts.resolved_at or facts.opened_at, zone)


def _share(figures: Mapping[str, Any], facts: AlertFacts, language: Language) -> str:
    """The figure as a percentage: never at its limit where it is beyond."""
    part, whole = figures.get("part"), figures.get("whole")
    if part is None or whole is None:  # an alert of before there were rules
        part, whole = figures.get("intact", 0), figures.get("assessed", 0)
    limit = Fraction(str(facts.figures.get("target", 0.98)))
    return per_cent(percent(part, whole, limit, DIRECTIONS[facts.metric]), language)


def _limit(facts: AlertFacts) -> str:
    sign = "≥" if DIRECTIONS[facts.metric] == "at_least" else "≤"
    return f"{sign} {float(facts.figures.get('target', 0.98)) * 100:g}%"


# Rates


def _fleet_missed(facts: AlertFacts, zone: ZoneInfo, language: Language) -> str:
    _ = translations(language).gettext
    figures = facts.figures
    if figures.get("period") == "month":
        return _rate_missed(facts, zone, language)
    text = _(
        "Fleet intact rate %(rate)s (target ≥ %(target)s), below target since %(since)s: "
        "%(failing)d of %(assessed)d assessed cameras are not intact."
    ) % {
        "rate": _share(figures, facts, language),
        "target": f"{float(figures.get('target', 0.98)) * 100:g}%",
        "since": _clock(facts.since, zone),
        "failing": figures["assessed"] - figures["intact"],
        "assessed": figures["assessed"],
    }
    return text + _cause(facts, zone, language) + _worst(facts, language)


def _cause(facts: AlertFacts, zone: ZoneInfo, language: Language) -> str:
    _ = translations(language).gettext
    causes = [
        _("%(where)s, %(failing)d cameras since %(since)s")
        % {
            "where": f"{_(PLACE_WORDS[Scope(each['scope'])])} {each['name']}",
            "failing": each["failing"],
            "since": f"{datetime.fromisoformat(each['since']):%H:%M}",
        }
        for each in facts.figures.get("cause", ())
    ]
    return _(" Cause: %(causes)s.") % {"causes": _("; ").join(causes)} if causes else ""


def _worst(facts: AlertFacts, language: Language) -> str:
    _ = translations(language).gettext
    worst = [
        f"{station['name'] or _('no station')} {_station_rate(station, language)}"
        for station in facts.figures.get("worst_stations", ())[:3]
    ]
    return _(" Worst: %(stations)s.") % {"stations": _(", ").join(worst)} if worst else ""


def _station_rate(station: Mapping[str, Any], language: Language) -> str:
    target = Fraction(98, 100)
    return per_cent(percent(station["intact"], station["assessed"], target), language)


def _fleet_recovered(facts: AlertFacts, zone: ZoneInfo, language: Language) -> str:
    if facts.figures.get("period") == "month":
        return _rate_recovered(facts, zone, language)
    _ = translations(language).gettext
    return _(
        "Fleet intact rate %(rate)s again at %(now)s; it was below target since %(since)s."
    ) % {
        "rate": _share(facts.figures.get("recovered", {}), facts, language),
        "now": _now(facts, zone),
        "since": _clock(facts.since, zone),
    }


def _what(facts: AlertFacts, language: Language) -> str:
    _ = translations(language).gettext
    what = _(METRIC_WORDS[facts.metric])
    if facts.figures.get("period") == "month":
        return _("%(what)s of the month so far") % {"what": what}
    return what


def _rate_missed(facts: AlertFacts, zone: ZoneInfo, language: Language) -> str:
    _ = translations(language).gettext
    return _("%(where)s: %(what)s %(rate)s (target %(target)s), since %(since)s.") % {
        "where": _where(facts, language),
        "what": _what(facts, language),
        "rate": _share(facts.figures, facts, language),
        "target": _limit(facts),
        "since": _clock(facts.since, zone),
    }


def _rate_recovered(facts: AlertFacts, zone: ZoneInfo, language: Language) -> str:
    _ = translations(language).gettext
    return _("%(where)s: %(what)s %(rate)s again at %(now)s; it missed since %(since)s.") % {
        "where": _where(facts, language),
        "what": _what(facts, language),
        "rate": _share(facts.figures.get("recovered", {}), facts, language),
        "now": _now(facts, zone),
        "since": _clock(facts.since, zone),
    }


# Evidence


def _evidence_missing(facts: AlertFacts, zone: ZoneInfo, language: Language) -> str:
    _ = translations(language).gettext
    figures, since = facts.figures, _clock(facts.since, zone)
    if figures["last_sweep_at"] is None:
        why = _("no sweep has finished yet")
    elif figures["stale"]:
        last = datetime.fromisoformat(figures["last_sweep_at"])
        why = _("the last sweep finished at %(time)s") % {"time": f"{last:%Y-%m-%d %H:%M}"}
    else:
        why = _("the collector sweeps, but %(unknown)d of %(cameras)d cameras are unknown") % {
            "unknown": figures["unknown"],
            "cameras": figures["assessed"] + figures["unknown"],
        }
    return _(
        "No sufficient evidence since %(since)s: %(why)s. Until it is back no target counts as "
        "met or missed; check the collector."
    ) % {"since": since, "why": why}


def _evidence_back(facts: AlertFacts, zone: ZoneInfo, language: Language) -> str:
    _ = translations(language).gettext
    return _("Evidence is back at %(now)s; it was missing since %(since)s.") % {
        "now": _now(facts, zone),
        "since": _clock(facts.since, zone),
    }


def _coverage_low(facts: AlertFacts, zone: ZoneInfo, language: Language) -> str:
    if facts.scope is Scope.FLEET:
        return _evidence_missing(facts, zone, language)
    return _rate_missed(facts, zone, language)


# What is or is not


def _room_down(facts: AlertFacts, zone: ZoneInfo, language: Language) -> str:
    _ = translations(language).gettext
    return _("%(where)s is down since %(since)s: none of its critical equipment answers.") % {
        "where": _where(facts, language),
        "since": _clock(facts.since, zone),
    }


def _room_back(facts: AlertFacts, zone: ZoneInfo, language: Language) -> str:
    _ = translations(language).gettext
    return _("%(where)s answers again at %(now)s; it was down since %(since)s.") % {
        "where": _where(facts, language),
        "now": _now(facts, zone),
        "since": _clock(facts.since, zone),
    }


def _incident_begun(facts: AlertFacts, zone: ZoneInfo, language: Language) -> str:
    _ = translations(language).gettext
    return _(
        "%(where)s: %(failed)d of %(devices)d cameras failed at once (known at %(now)s); they "
        "have a cause in common."
    ) % {
        "where": _where(facts, language),
        "failed": facts.figures.get("failed", 0),
        "devices": facts.figures.get("devices", 0),
        "now": _clock(facts.opened_at, zone),
    }


def _incident_over(facts: AlertFacts, zone: ZoneInfo, language: Language) -> str:
    _ = translations(language).gettext
    return _("%(where)s: most of its cameras work again at %(now)s.") % {
        "where": _where(facts, language),
        "now": _now(facts, zone),
    }


def _clocks_wrong(facts: AlertFacts, zone: ZoneInfo, language: Language) -> str:
    _ = translations(language).gettext
    return _(
        "The clocks of %(part)d of %(whole)d cameras are wrong (%(rate)s, limit %(target)s), since "
        "%(since)s. The rates do not suffer; check the time server."
    ) % {
        "part": facts.figures["part"],
        "whole": facts.figures["whole"],
        "rate": _share(facts.figures, facts, language),
        "target": _limit(facts),
        "since": _clock(facts.since, zone),
    }


def _disk_low(facts: AlertFacts, zone: ZoneInfo, language: Language) -> str:
    _ = translations(language).gettext
    return _(
        "Only %(rate)s of the disk under %(path)s is free (limit %(target)s); make room, or the "
        "evidence stops."
    ) % {
        "rate": _share(facts.figures, facts, language),
        "path": facts.figures.get("path", ""),
        "target": _limit(facts),
    }


def _burns(facts: AlertFacts, zone: ZoneInfo, language: Language) -> str:
    _ = translations(language).gettext
    return _(
        "%(where)s: the last hour spent the error budget %(burn)s times as fast as it may (limit "
        "%(limit)s), since %(since)s."
    ) % {
        "where": _where(facts, language),
        "burn": f"{facts.figures['value']:.1f}",
        "limit": f"{facts.figures['target']:g}",
        "since": _clock(facts.since, zone),
    }


def _burns_less(facts: AlertFacts, zone: ZoneInfo, language: Language) -> str:
    _ = translations(language).gettext
    return _("%(where)s: the error budget is no longer spent too fast at %(now)s.") % {
        "where": _where(facts, language),
        "now": _now(facts, zone),
    }


def _will_miss(facts: AlertFacts, zone: ZoneInfo, language: Language) -> str:
    _ = translations(language).gettext
    breaks_at = facts.figures.get("breaks_at")
    if breaks_at is None:
        return _("%(where)s: the month has missed its intact target, whatever comes.") % {
            "where": _where(facts, language)
        }
    return _(
        "%(where)s: at the present rate the error budget of the month is spent on %(at)s; %(left)s "
        "of %(budget)s camera-hours are left."
    ) % {
        "where": _where(facts, language),
        "at": f"{datetime.fromisoformat(breaks_at):%Y-%m-%d %H:%M}",
        "left": f"{facts.figures['left_s'] / 3600:,.0f}",
        "budget": f"{facts.figures['budget_s'] / 3600:,.0f}",
    }


def _will_keep(facts: AlertFacts, zone: ZoneInfo, language: Language) -> str:
    _ = translations(language).gettext
    return _("%(where)s: at the present rate the month keeps its target again at %(now)s.") % {
        "where": _where(facts, language),
        "now": _now(facts, zone),
    }


Writer = Callable[[AlertFacts, ZoneInfo, Language], str]
_BY_EVENT: Mapping[AlertEvent, Writer] = {
    AlertEvent.OPENED: _rate_missed,
    AlertEvent.RESOLVED: _rate_recovered,
}
_FLEET: Mapping[AlertEvent, Writer] = {
    AlertEvent.OPENED: _fleet_missed,
    AlertEvent.RESOLVED: _fleet_recovered,
}
_WRITERS: Mapping[tuple[Metric, AlertEvent], Writer] = {
    (Metric.COLLECTOR_SILENT, AlertEvent.OPENED): _evidence_missing,
    (Metric.COLLECTOR_SILENT, AlertEvent.RESOLVED): _evidence_back,
    (Metric.COVERAGE, AlertEvent.OPENED): _coverage_low,
    (Metric.ROOM_DOWN, AlertEvent.OPENED): _room_down,
    (Metric.ROOM_DOWN, AlertEvent.RESOLVED): _room_back,
    (Metric.INCIDENT, AlertEvent.OPENED): _incident_begun,
    (Metric.INCIDENT, AlertEvent.RESOLVED): _incident_over,
    (Metric.CLOCK_WRONG, AlertEvent.OPENED): _clocks_wrong,
    (Metric.DISK_LOW, AlertEvent.OPENED): _disk_low,
    (Metric.BUDGET_BURN, AlertEvent.OPENED): _burns,
    (Metric.BUDGET_BURN, AlertEvent.RESOLVED): _burns_less,
    (Metric.MONTH_WILL_MISS, AlertEvent.OPENED): _will_miss,
    (Metric.MONTH_WILL_MISS, AlertEvent.RESOLVED): _will_keep,
}
