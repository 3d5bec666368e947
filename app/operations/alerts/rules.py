"""The rules as the watcher uses them: read once, and again when one has changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from sqlalchemy.orm import Session

from app.operations.alerts import rule_queries
from app.operations.alerts.deciding import DIRECTIONS, NOTHING, WINDOW, Limits
from app.operations.alerts.tables import AlertRule, Metric, Period, Scope
from app.operations.alerts.window import MOST_SWEEPS
from app.operations.delivery.tables import Severity

EVIDENCE = (Metric.COLLECTOR_SILENT, Metric.COVERAGE)
"""What tells that the others cannot be trusted."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One enabled rule. `recipients` None: all who want its severity."""

    key: str
    metric: Metric
    period: Period
    scope: Scope
    scope_code: str | None
    limits: Limits
    severity: Severity
    quiet: tuple[int | None, int | None] = (None, None)
    repeat_s: int | None = None
    escalate_after_s: int | None = None
    recipients: tuple[int, ...] | None = None
    escalate_to: tuple[int, ...] = ()

    @property
    def is_about_evidence(self) -> bool:
        """Whether the rules that read sweeps rest while its alert is open."""
        of_now = self.period is Period.NOW and self.scope is Scope.FLEET
        return of_now and self.metric in EVIDENCE


class RuleBook:
    """The enabled rules, those about the evidence first."""

    def __init__(self) -> None:
        self._stamp: tuple[int, int] | None = None
        self.rules: Sequence[Rule] = ()
        self.by_key: dict[str, Rule] = {}

    def refresh(self, session: Session) -> None:
        stamp = rule_queries.rules_stamp(session)
        if stamp == self._stamp:
            return
        told = rule_queries.recipients_by_rule(session)
        rows = [row for row in rule_queries.read_rules(session) if row.enabled]
        rules = [rule_of(row, *told.get(row.id, ([], []))) for row in rows]
        self.rules = sorted(rules, key=lambda rule: not rule.is_about_evidence)
        self.by_key = {rule.key: rule for rule in rules}
        self._stamp = stamp

    @property
    def sweeps(self) -> int:
        """How many sweeps they look back at."""
        if self.look_at(Metric.BUDGET_BURN):
            return MOST_SWEEPS
        return WINDOW * max((rule.limits.for_slots for rule in self.rules), default=1)

    def look_at(self, metric: Metric, period: Period = Period.NOW) -> bool:
        """Whether any of them looks at this."""
        return any(rule.metric is metric and rule.period is period for rule in self.rules)


def rule_of(row: AlertRule, at_once: Sequence[int] = (), escalated: Sequence[int] = ()) -> Rule:
    metric = Metric(row.metric)
    threshold = NOTHING if row.threshold is None else Fraction(row.threshold)
    recovery = threshold if row.recovery is None else Fraction(row.recovery)
    return Rule(
        key=row.key,
        metric=metric,
        period=Period(row.period),
        scope=Scope(row.scope),
        scope_code=row.scope_code,
        limits=Limits(threshold, recovery, DIRECTIONS.get(metric, "at_most"), row.for_slots),
        severity=Severity(row.severity),
        quiet=(row.quiet_from, row.quiet_to),
        repeat_s=row.repeat_s,
        escalate_after_s=row.escalate_after_s,
        recipients=tuple(at_once) or None,
        escalate_to=tuple(escalated),
    )
