"""Trying again to deliver what was given up."""

from sqlalchemy.orm import Session

from app.accounts import audit
from app.accounts.audit import Actor
from app.errors import NotFound, Refused
from app.operations.delivery import queries
from app.web.language import message


def send_again(session: Session, delivery_id: int, actor: Actor, now: int) -> None:
    """Put a dead letter back into the outbox, for another day. Raises `NotFound`, `Refused`."""
    found = queries.find_delivery(session, delivery_id)
    if found is None:
        raise NotFound("message", str(delivery_id))
    if not queries.queue_again(session, delivery_id, now):
        raise Refused(
            message("Only what was given up is sent again, and to a recipient that is enabled.")
        )
    audit.record(session, actor, "delivery.resend", str(delivery_id), now, {"to": found[1]})
