"""All SQL of notifications. A session comes in; no transaction begins or ends here."""

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, exists, func, select, update
from sqlalchemy.orm import Session, aliased

from app.operations.delivery.tables import Notification


class Claimed(NamedTuple):
    """A notification that is ours to send; `attempts` counts this one."""

    id: int
    body: dict[str, Any]
    created_at: int
    attempts: int


def add_notification(
    session: Session, alert_id: int, event: str, body: dict[str, Any], now: int
) -> None:
    session.add(
        Notification(alert_id=alert_id, event=event, body=body, created_at=now, next_attempt_at=now)
    )


def notifications_of(session: Session, alert_ids: Collection[int]) -> dict[int, list[Notification]]:
    """Alert id → its notifications, oldest first."""
    found: dict[int, list[Notification]] = {alert_id: [] for alert_id in alert_ids}
    query = select(Notification).where(Notification.alert_id.in_(alert_ids))
    for notification in session.scalars(query.order_by(Notification.id)):
        found[notification.alert_id].append(notification)
    return found


def count_unsent(session: Session, now: int) -> int:
    """Messages of the last week that have failed so far, those given up included."""
    failed = (
        Notification.delivered_at.is_(None),
        Notification.last_error.is_not(None),
        Notification.created_at > now - 7 * 86_400,
    )
    return session.scalar(select(func.count(Notification.id)).where(*failed)) or 0


def due_notification(session: Session, now: int) -> Notification | None:
    """The oldest notification that is to be sent now; those of one alert go out in order."""
    earlier = aliased(Notification)
    waits = exists().where(
        earlier.alert_id == Notification.alert_id,
        earlier.id < Notification.id,
        earlier.delivered_at.is_(None),
        earlier.given_up_at.is_(None),
    )
    due = and_(_unsent(), Notification.next_attempt_at <= now, ~waits)
    return session.scalar(select(Notification).where(due).order_by(Notification.id).limit(1))


def claim_notification(
    session: Session, seen: Notification, now: int, lease_s: int
) -> Claimed | None:
    """Take a due notification for `lease_s`; None where another process was faster."""
    taken = (
        update(Notification)
        .where(
            Notification.id == seen.id,
            Notification.attempts == seen.attempts,
            Notification.next_attempt_at <= now,
            _unsent(),
        )
        .values(attempts=seen.attempts + 1, next_attempt_at=now + lease_s)
        .returning(Notification.id)
    )
    if session.connection().execute(taken).scalar() is None:
        return None
    return Claimed(seen.id, seen.body, seen.created_at, seen.attempts + 1)


def mark_delivered(session: Session, claimed: Claimed, now: int) -> None:
    session.execute(
        update(Notification)
        .where(Notification.id == claimed.id, Notification.delivered_at.is_(None))
        .values(delivered_at=now, given_up_at=None, last_error=None)
    )


def mark_failed(
    session: Session, claimed: Claimed, error: str, next_attempt_at: int, given_up_at: int | None
) -> None:
    """Note a failed attempt, unless another process has taken the notification over."""
    session.execute(
        update(Notification)
        .where(Notification.id == claimed.id, Notification.attempts == claimed.attempts, _unsent())
        .values(last_error=error, next_attempt_at=next_attempt_at, given_up_at=given_up_at)
    )


def _unsent() -> ColumnElement[bool]:
    return and_(Notification.delivered_at.is_(None), Notification.given_up_at.is_(None))
