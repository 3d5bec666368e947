"""All SQL of recipients. A session comes in; no transaction begins or ends here."""

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.operations.delivery.tables import WAITING, Notification, Recipient, Severity


def recipients_of(session: Session, wanted: Sequence[int] | None, severity: Severity) -> list[int]:
    """Ids of whom to tell: those of `wanted` that are enabled, or all that want the severity.

    They stay as they are until the transaction ends: nobody is deleted or disabled meanwhile.
    """
    query = select(Recipient).where(Recipient.enabled).order_by(Recipient.id)
    if wanted is not None:
        query = query.where(Recipient.id.in_(wanted))
    found = session.scalars(query.with_for_update(read=True))
    return [
        each.id
        for each in found
        if wanted is not None or Severity(each.min_severity).rank <= severity.rank
    ]


def find_recipient(session: Session, recipient_id: int) -> Recipient | None:
    return session.get(Recipient, recipient_id)


def webhook_of_settings(session: Session) -> Recipient:
    """The recipient that is there by configuration."""
    return session.scalars(select(Recipient).where(Recipient.from_settings)).one()


def give_up_waiting(session: Session, recipient_id: int, why: str, now: int) -> None:
    """What waits for this recipient is not sent."""
    session.execute(
        update(Notification)
        .where(Notification.recipient_id == recipient_id, WAITING)
        .values(given_up_at=now, last_error=why)
    )
