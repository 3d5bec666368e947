"""What alerts and their rules are called; all are texts of the catalogue."""

from collections.abc import Mapping

from app.operations.alerts.tables import AlertEvent, Metric, Period, Scope
from app.operations.delivery.tables import Severity
from app.web.language import message

METRIC_WORDS: Mapping[Metric, str] = {
    Metric.INTACT_RATE: message("Intact rate"),
    Metric.ONLINE_RATE: message("Online rate"),
    Metric.SUSPENDED_RATE: message("Suspended rate"),
    Metric.COVERAGE: message("Coverage"),
    Metric.ROOM_DOWN: message("Room down"),
    Metric.INCIDENT: message("Incident"),
    Metric.COLLECTOR_SILENT: message("Evidence is missing"),
    Metric.CLOCK_WRONG: message("Wrong clocks"),
    Metric.DISK_LOW: message("Disk nearly full"),
    Metric.BUDGET_BURN: message("Burn rate of the error budget"),
    Metric.MONTH_WILL_MISS: message("The month will miss its target"),
}
ALERT_WORDS: Mapping[Metric, str] = {
    **METRIC_WORDS,
    Metric.INTACT_RATE: message("Intact rate below target"),
    Metric.ONLINE_RATE: message("Online rate below target"),
    Metric.SUSPENDED_RATE: message("Suspended rate above target"),
    Metric.COVERAGE: message("Evidence is insufficient"),
    Metric.BUDGET_BURN: message("Error budget spent too fast"),
}
"""What an alert is called that has been opened."""
RULE_WORDS: Mapping[str, str] = {
    "fleet_intact_rate": message("Fleet intact rate now"),
    "fleet_intact_month": message("Fleet intact rate of the month"),
    "fleet_suspended": message("Fleet suspended rate"),
    "room_down": message("A room is down"),
    "incident": message("An incident"),
    "evidence_missing": message("Collector silent"),
    "coverage_low": message("Coverage too low"),
    "clock_wrong": message("Many clocks wrong"),
    "disk_low": message("Disk nearly full"),
    "budget_burn": message("Error budget spent too fast"),
    "month_will_miss": message("The month will miss its target"),
}
"""What a shipped rule (by its key) is called; the others are called by their keys."""
PLACE_WORDS: Mapping[Scope, str] = {
    Scope.FLEET: message("Whole fleet"),
    Scope.STATION: message("Station"),
    Scope.PROJECT: message("Project"),
    Scope.CONTRACTOR: message("Contractor"),
    Scope.ROOM: message("Room"),
    Scope.POWER_DISTRICT: message("Power district"),
}
STATE_WORDS: Mapping[str, str] = {
    "open": message("open"),
    "resolved": message("over"),
    "all": message("all"),
}
EVENT_WORDS: Mapping[str, str] = {
    AlertEvent.OPENED: message("began"),
    AlertEvent.RESOLVED: message("over"),
    AlertEvent.REPEATED: message("told again"),
    AlertEvent.ESCALATED: message("escalated"),
}
RULE_LABELS: Mapping[str, str] = {
    "key": message("Key"),
    "metric": message("Looks at"),
    "period": message("Of when"),
    "scope": message("Of whom"),
    "scope_code": message("Only this one (code)"),
    "threshold": message("Threshold"),
    "recovery": message("Over at"),
    "for_slots": message("For slots"),
    "severity": message("Severity"),
    "quiet_from": message("Quiet from"),
    "quiet_to": message("Quiet to"),
    "repeat_s": message("Told again after (minutes)"),
    "escalate_after_s": message("Escalated after (minutes)"),
    "recipients": message("Recipients"),
    "escalate_to": message("Told at an escalation"),
}
PERIOD_WORDS: Mapping[Period, str] = {
    Period.NOW: message("now"),
    Period.MONTH: message("month to date"),
}
SEVERITY_CLASSES: Mapping[Severity, str] = {
    Severity.INFO: "unknown",
    Severity.WARNING: "impaired",
    Severity.CRITICAL: "offline",
}
