"""What people do about alerts: acknowledge, escalate, silence. Each is noted in the audit log."""

from sqlalchemy.orm import Session

from app.accounts.audit import Actor, record
from app.accounts.reach import Reach
from app.config import Settings
from app.errors import BadParameter, NotFound, Refused, Remedy
from app.operations.alerts import queries, rule_queries
from app.operations.alerts.rules import RuleBook
from app.operations.alerts.tables import Alert, Scope, Silence
from app.operations.alerts.telling import Teller

LONGEST_SILENCE_S = 90 * 86_400


def find_alert(session: Session, alert_id: int, reach: Reach) -> Alert:
    """Raises `NotFound`."""
    alert = queries.find_alert(session, alert_id, reach)
    if alert is None:
        raise NotFound("alert", str(alert_id))
    return alert


def acknowledge(session: Session, alert: Alert, note: str, actor: Actor, now: int) -> None:
    """Somebody has seen it: it is not told again, nor to others.

    Raises `Refused` where it is over or acknowledged already.
    """
    if alert.resolved_at is not None:
        raise Refused(Remedy("The alert is over; there is nothing to acknowledge."))
    seen = {"acknowledged_at": None}
    done = queries.change_alert(
        session,
        alert.id,
        seen,
        acknowledged_at=now,
        acknowledged_by=actor.name[:96],
        note=note or None,
    )
    if not done:
        raise Refused(Remedy("The alert has been acknowledged already."))
    record(session, actor, "alert.acknowledge", str(alert.id), now, {"note": note} if note else {})


def escalate(
    session: Session, settings: Settings, book: RuleBook, alert: Alert, actor: Actor, now: int
) -> None:
    """Tell those now who would be told later. Raises `Refused` where that has been done."""
    if alert.resolved_at is not None:
        raise Refused(Remedy("The alert is over; there is nobody to be told."))
    if alert.escalated_at is not None or not Teller(session, settings, book, now).escalate(alert):
        raise Refused(Remedy("The alert has been escalated already."))
    record(session, actor, "alert.escalate", str(alert.id), now)


def silence(
    session: Session,
    *,
    kind: str | None,
    scope: Scope | None,
    scope_code: str | None,
    reason: str,
    until: int,
    actor: Actor,
    now: int,
) -> Silence:
    """Keep alerts of a rule, of a place, or of a rule at a place, untold until then.

    Raises `BadParameter`.
    """
    if kind is None and scope is None:
        raise BadParameter("kind", Remedy("name a rule, a place, or both"))
    if kind is not None and rule_queries.rule_of_key(session, kind) is None:
        raise BadParameter("kind", Remedy("there is no such rule"))
    if scope_code is not None and scope is None:
        raise BadParameter("scope", Remedy("must be given with scope_code"))
    if not reason.strip():
        raise BadParameter("reason", Remedy("must not be empty: say why"))
    if not now < until <= now + LONGEST_SILENCE_S:
        raise BadParameter("until", Remedy("must lie ahead, at most 90 days"))
    row = {
        "kind": kind,
        "scope": None if scope is None else scope.value,
        "scope_code": scope_code,
        "reason": reason.strip(),
        "created_by": actor.name[:96],
        "created_at": now,
        "until": until,
    }
    added = rule_queries.add_silence(session, row)
    about = " ".join(part for part in (kind, scope and scope.value, scope_code) if part)
    record(session, actor, "alert.silence", about, now, {"until": until, "reason": reason})
    return added


def end_silence(session: Session, silence_id: int, actor: Actor, now: int) -> Silence:
    """What is still open is told then. Raises `NotFound`, `Refused` where it is over."""
    found = rule_queries.find_silence(session, silence_id)
    if found is None:
        raise NotFound("silence", str(silence_id))
    if found.ended_at is not None or found.until <= now:
        raise Refused(Remedy("The silence is over already."))
    found.ended_at, found.ended_by = now, actor.name[:96]
    record(session, actor, "alert.end_silence", str(silence_id), now)
    session.flush()
    return found
