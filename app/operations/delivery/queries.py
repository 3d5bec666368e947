"""All SQL of the outbox. A session comes in; no transaction begins or ends here."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, exists, func, select, update
from sqlalchemy.orm import Session, aliased

from app.operations.delivery.recipient_queries import recipients_of
from app.operations.delivery.tables import (
    WAITING,
    DeliveryState,
    Notification,
    Recipient,
    Severity,
    Topics,
)


class Claimed(NamedTuple):
    """A message that is ours to send; `attempts` counts this one."""

    id: int
    alert_id: int | None
    event: str
    severity: str
    body: dict[str, Any]
    queued_at: int
    attempts: int


def enqueue(
    session: Session,
    alert_id: int | None,
    event: str,
    recipients: Sequence[int] | None,
    body: dict[str, Any],
    now: int,
    severity: str = Severity.CRITICAL,
    topic: Topics = Topics.ALERTS,
) -> int:
    """Put a message for each recipient into the outbox, in the transaction of the decision.

    `recipients`: ids, of which those are told that are enabled; None: all that are enabled and want
    the severity and the topic. `body`: what is sent as it is to a webhook; in it `summary` holds
    language → text, `path` (optional) the page to look at, `kind` a name, `since` and `resolved_at`
    ISO 8601 instants. `event`: `resolved`, or what has happened. `now`: UTC seconds.

    Messages of one alert reach a recipient in the order of these calls. To be called once for each
    decision. Returns how many messages there are.
    """
    told = recipients_of(session, recipients, Severity(severity), topic)
    session.add_all(
        Notification(
            alert_id=alert_id,
            recipient_id=recipient_id,
            severity=severity,
            event=event,
            body=body,
            created_at=now,
            queued_at=now,
            next_attempt_at=now,
        )
        for recipient_id in told
    )
    session.flush()
    return len(told)


def notifications_of(session: Session, alert_ids: Collection[int]) -> dict[int, list[Notification]]:
    """Alert id → its messages, oldest first."""
    found: dict[int, list[Notification]] = {alert_id: [] for alert_id in alert_ids}
    query = select(Notification).where(Notification.alert_id.in_(alert_ids))
    for notification in session.scalars(query.order_by(Notification.id)):
        if notification.alert_id is not None:
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


# The list


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages of the outbox; None: all of them."""

    state: DeliveryState | None = None
    recipient_id: int | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        chosen = [] if self.state is None else [_STATES[self.state]]
        if self.recipient_id is not None:
            chosen.append(Notification.recipient_id == self.recipient_id)
        return chosen


_STATES = {
    DeliveryState.WAITING: WAITING,
    DeliveryState.DELIVERED: Notification.delivered_at.is_not(None),
    DeliveryState.GIVEN_UP: Notification.given_up_at.is_not(None),
}


def count_deliveries(session: Session, wanted: Wanted) -> int:
    return session.scalar(select(func.count(Notification.id)).where(*wanted.conditions())) or 0


def read_deliveries(
    session: Session, wanted: Wanted, skip: int, count: int
) -> list[tuple[Notification, str | None]]:
    """Messages, newest first, each with the name of its recipient (None: deleted)."""
    query = (
        select(Notification, Recipient.name)
        .outerjoin(Recipient, Recipient.id == Notification.recipient_id)
        .where(*wanted.conditions())
        .order_by(Notification.id.desc())
    )
    return [(row[0], row[1]) for row in session.execute(query.offset(skip).limit(count))]


def find_delivery(session: Session, delivery_id: int) -> tuple[Notification, str | None] | None:
    query = select(Notification, Recipient.name).outerjoin(Recipient)
    row = session.execute(query.where(Notification.id == delivery_id)).one_or_none()
    return None if row is None else (row[0], row[1])


def queue_again(session: Session, delivery_id: int, now: int) -> bool:
    """Make a message due that had been given up; False where it is none, or has no recipient."""
    enabled = select(Recipient.id).where(Recipient.enabled)
    due_again = (
        update(Notification)
        .where(
            Notification.id == delivery_id,
            Notification.delivered_at.is_(None),
            Notification.given_up_at.is_not(None),
            Notification.recipient_id.in_(enabled),
        )
        .values(given_up_at=None, queued_at=now, next_attempt_at=now)
        .returning(Notification.id)
    )
    return session.connection().execute(due_again).scalar() is not None


# Sending


def due_recipients(session: Session, now: int) -> list[int]:
    """Who has a message that is to be sent now; those whose messages have failed least come first,
    so that who cannot be reached holds up nobody."""
    tried = func.min(Notification.attempts)
    query = (
        select(Notification.recipient_id)
        .join(Recipient, Recipient.id == Notification.recipient_id)
        .where(Recipient.enabled, _due(now))
        .group_by(Notification.recipient_id)
        .order_by(tried, Notification.recipient_id)
    )
    return [recipient_id for recipient_id in session.scalars(query) if recipient_id is not None]


def due_notification(session: Session, recipient_id: int, now: int) -> Notification | None:
    """The recipient's oldest message that is to be sent now."""
    query = select(Notification).where(Notification.recipient_id == recipient_id, _due(now))
    return session.scalar(query.order_by(Notification.id).limit(1))


def _due(now: int) -> ColumnElement[bool]:
    """Its time has come, and nothing older of the same alert waits for the same recipient."""
    earlier = aliased(Notification)
    waits = exists().where(
        earlier.alert_id == Notification.alert_id,
        earlier.recipient_id == Notification.recipient_id,
        earlier.id < Notification.id,
        earlier.delivered_at.is_(None),
        earlier.given_up_at.is_(None),
    )
    return and_(WAITING, Notification.next_attempt_at <= now, ~waits)


def claim_notification(
    session: Session, seen: Notification, now: int, lease_s: int
) -> Claimed | None:
    """Take a due message for `lease_s`; None where another process was faster."""
    taken = (
        update(Notification)
        .where(
            Notification.id == seen.id,
            Notification.attempts == seen.attempts,
            Notification.next_attempt_at <= now,
            WAITING,
        )
        .values(attempts=seen.attempts + 1, next_attempt_at=now + lease_s)
        .returning(Notification.id)
    )
    if session.connection().execute(taken).scalar() is None:
        return None
    attempts = seen.attempts + 1
    return Claimed(
        seen.id, seen.alert_id, seen.event, seen.severity, seen.body, seen.queued_at, attempts
    )


def mark_delivered(session: Session, claimed: Claimed, now: int) -> None:
    session.execute(
        update(Notification)
        .where(Notification.id == claimed.id, Notification.delivered_at.is_(None))
        .values(delivered_at=now, given_up_at=None, last_error=None)
    )


def mark_failed(
    session: Session, claimed: Claimed, error: str, next_attempt_at: int, given_up_at: int | None
) -> None:
    """Note a failed attempt, unless another process has taken the message over."""
    session.execute(
        update(Notification)
        .where(Notification.id == claimed.id, Notification.attempts == claimed.attempts, WAITING)
        .values(last_error=error, next_attempt_at=next_attempt_at, given_up_at=given_up_at)
    )
