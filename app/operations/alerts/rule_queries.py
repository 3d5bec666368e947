"""All SQL of alert rules and silences. A session comes in; no transaction begins or ends here."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, insert, or_, select
from sqlalchemy.orm import Session

from app.operations.alerts.tables import AlertRule, RuleRecipient, Silence


def rules_stamp(session: Session) -> tuple[int, int]:
    """Differs once a rule has been added, changed or deleted."""
    row = session.execute(select(func.count(AlertRule.id), func.sum(AlertRule.version))).one()
    return int(row[0]), int(row[1] or 0)


def read_rules(session: Session) -> list[AlertRule]:
    """All rules, those that are shipped first."""
    order = (AlertRule.shipped.desc(), AlertRule.id)
    return list(session.scalars(select(AlertRule).order_by(*order)))


def find_rule(session: Session, rule_id: int) -> AlertRule | None:
    return session.get(AlertRule, rule_id)


def rule_of_key(session: Session, key: str) -> AlertRule | None:
    return session.scalar(select(AlertRule).where(AlertRule.key == key))


def recipients_by_rule(session: Session) -> dict[int, tuple[list[int], list[int]]]:
    """Rule id → recipients told at once, and at an escalation."""
    found: dict[int, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for row in session.scalars(select(RuleRecipient).order_by(RuleRecipient.recipient_id)):
        found[row.rule_id][int(row.escalates)].append(row.recipient_id)
    return dict(found)


def set_recipients(
    session: Session, rule_id: int, at_once: Sequence[int], escalated: Sequence[int]
) -> None:
    session.execute(delete(RuleRecipient).where(RuleRecipient.rule_id == rule_id))
    rows = [
        {"rule_id": rule_id, "recipient_id": recipient_id, "escalates": escalates}
        for escalates, told in ((False, at_once), (True, escalated))
        for recipient_id in sorted(set(told))
    ]
    if rows:
        session.execute(insert(RuleRecipient), rows)


def delete_rule(session: Session, rule_id: int) -> None:
    session.execute(delete(RuleRecipient).where(RuleRecipient.rule_id == rule_id))
    session.execute(delete(AlertRule).where(AlertRule.id == rule_id))


def silences_at(session: Session, now: int) -> list[Silence]:
    """The silences that hold."""
    holds = (Silence.until > now, Silence.ended_at.is_(None))
    return list(session.scalars(select(Silence).where(*holds).order_by(Silence.until)))


def read_silences(session: Session, now: int, *, past: bool, count: int) -> list[Silence]:
    """Those that hold, or those that are over, the newest first."""
    over = or_(Silence.until <= now, Silence.ended_at.is_not(None))
    query = select(Silence).where(over if past else ~over).order_by(Silence.id.desc())
    return list(session.scalars(query.limit(count)))


def find_silence(session: Session, silence_id: int) -> Silence | None:
    return session.get(Silence, silence_id)


def add_silence(session: Session, row: dict[str, Any]) -> Silence:
    silence = Silence(**row)
    session.add(silence)
    session.flush()
    return silence
