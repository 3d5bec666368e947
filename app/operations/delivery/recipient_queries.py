"""All SQL of recipients. A session comes in; no transaction begins or ends here."""

from collections.abc import Sequence

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from app.operations.delivery.tables import WAITING, Notification, Recipient, Severity, Topics


def recipients_of(
    session: Session, wanted: Sequence[int] | None, severity: Severity, topic: Topics
) -> list[int]:
    """Ids of whom to tell: those of `wanted` that are enabled, or all that want such a message.

    They stay as they are until the transaction ends: nobody is deleted or disabled meanwhile.
    """
    query = select(Recipient).where(Recipient.enabled).order_by(Recipient.id)
    if wanted is not None:
        query = query.where(Recipient.id.in_(wanted))
    found = session.scalars(query.with_for_update(read=True))
    return [each.id for each in found if wanted is not None or _wants(each, severity, topic)]


def _wants(recipient: Recipient, severity: Severity, topic: Topics) -> bool:
    wants_topic = recipient.topics in (Topics.ALL, topic)
    return wants_topic and Severity(recipient.min_severity).rank <= severity.rank


_LISTED = or_(Recipient.enabled, Recipient.from_settings.is_(False))
"""The recipient of the settings shows while there is one."""


def count_recipients(session: Session) -> int:
    return session.scalar(select(func.count(Recipient.id)).where(_LISTED)) or 0


def read_recipients(session: Session, skip: int, count: int) -> list[Recipient]:
    """Recipients by name."""
    query = select(Recipient).where(_LISTED).order_by(Recipient.name)
    return list(session.scalars(query.offset(skip).limit(count)))


def recipient_names(session: Session) -> dict[int, str]:
    """Id → name of all that show in the list, by name."""
    query = select(Recipient.id, Recipient.name).where(_LISTED).order_by(Recipient.name)
    return dict(session.execute(query).all())


def name_is_taken(session: Session, name: str, but_id: int | None) -> bool:
    query = select(Recipient.id).where(
        Recipient.name == name, Recipient.id.is_distinct_from(but_id)
    )
    return session.scalar(query) is not None


def read_recipient(session: Session, recipient_id: int) -> Recipient | None:
    """One that shows in the list."""
    return session.scalar(select(Recipient).where(Recipient.id == recipient_id, _LISTED))


def lock_recipient(session: Session, recipient_id: int) -> Recipient | None:
    """A recipient that nobody else changes, and nobody writes to, until the transaction ends."""
    query = select(Recipient).where(Recipient.id == recipient_id, _LISTED)
    return session.scalar(query.with_for_update())


def delete_recipient(session: Session, recipient_id: int) -> None:
    """Its messages stay, without a recipient."""
    theirs = Notification.recipient_id == recipient_id
    session.execute(update(Notification).where(theirs).values(recipient_id=None))
    session.execute(delete(Recipient).where(Recipient.id == recipient_id))


def claim_test(session: Session, recipient_id: int, now: int, every_s: int) -> bool:
    """Note a test; False where the last one was less than so many seconds ago."""
    last = Recipient.tested_at
    claimed = (
        update(Recipient)
        .where(Recipient.id == recipient_id, or_(last.is_(None), last <= now - every_s))
        .values(tested_at=now)
        .returning(Recipient.id)
    )
    return session.connection().execute(claimed).scalar() is not None


def stored_addresses(session: Session) -> list[Recipient]:
    """The recipients whose address is stored, locked."""
    query = select(Recipient).where(Recipient.address_encrypted.is_not(None))
    return list(session.scalars(query.with_for_update()))


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
