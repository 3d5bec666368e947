"""An alert in words, for the page, for REST and for the message that is sent."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.operations.alerts.rules import TARGET
from app.operations.alerts.tables import Alert, AlertEvent, AlertKind
from app.web.language import Language, per_cent, translations
from kpi.rates import percent


@dataclass(frozen=True, slots=True)
class AlertFacts:
    """An alert as it was at its opening or is after its end; instants in UTC seconds."""

    id: int
    kind: AlertKind
    since: int
    opened_at: int
    resolved_at: int | None
    figures: dict[str, Any]

    @classmethod
    def of(cls, alert: Alert) -> "AlertFacts":
        return cls(
            alert.id,
            AlertKind(alert.kind),
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


def body(facts: AlertFacts, zone: ZoneInfo) -> dict[str, Any]:
    """The message that is sent about an alert."""
    return {
        "event": facts.event.value,
        "alert_id": facts.id,
        "kind": facts.kind.value,
        "summary": summaries(facts, zone),
        "figures": facts.figures,
        "since": local_iso(facts.since, zone),
        "opened_at": local_iso(facts.opened_at, zone),
        "resolved_at": local_iso(facts.resolved_at, zone),
    }


def summaries(facts: AlertFacts, zone: ZoneInfo) -> dict[str, str]:
    """Language → the alert in a sentence or two."""
    return {language.value: summary(facts, zone, language) for language in Language}


def summary(facts: AlertFacts, zone: ZoneInfo, language: Language) -> str:
    """The alert in a sentence or two."""
    write = _WRITERS[facts.kind, facts.event]
    return write(facts, zone, language)


def _rate(figures: dict[str, Any], language: Language) -> str:
    return per_cent(percent(figures["intact"], figures["assessed"], TARGET), language)


def _clock(instant: int, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(instant, zone):%Y-%m-%d %H:%M}"


def _rate_missed(facts: AlertFacts, zone: ZoneInfo, language: Language) -> str:
    _ = translations(language).gettext
    figures = facts.figures
    text = _(
        "Fleet intact rate %(rate)s (target ≥ %(target)s), below target since %(since)s: "
        "%(failing)d of %(assessed)d assessed cameras are not intact."
    ) % {
        "rate": _rate(figures, language),
        "target": f"{float(TARGET * 100):g}%",
        "since": _clock(facts.since, zone),
        "failing": figures["assessed"] - figures["intact"],
        "assessed": figures["assessed"],
    }
    worst = [
        f"{station['name'] or _('no station')} {_rate(station, language)}"
        for station in figures["worst_stations"][:3]
    ]
    return text + (_(" Worst: %(stations)s.") % {"stations": _(", ").join(worst)} if worst else "")


def _rate_recovered(facts: AlertFacts, zone: ZoneInfo, language: Language) -> str:
    _ = translations(language).gettext
    return _(
        "Fleet intact rate %(rate)s again at %(now)s; it was below target since %(since)s."
    ) % {
        "rate": _rate(facts.figures["recovered"], language),
        "now": _clock(facts.resolved_at or facts.opened_at, zone),
        "since": _clock(facts.since, zone),
    }


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
        "now": _clock(facts.resolved_at or facts.opened_at, zone),
        "since": _clock(facts.since, zone),
    }


_WRITERS = {
    (AlertKind.FLEET_INTACT_RATE, AlertEvent.OPENED): _rate_missed,
    (AlertKind.FLEET_INTACT_RATE, AlertEvent.RESOLVED): _rate_recovered,
    (AlertKind.EVIDENCE_MISSING, AlertEvent.OPENED): _evidence_missing,
    (AlertKind.EVIDENCE_MISSING, AlertEvent.RESOLVED): _evidence_back,
}
