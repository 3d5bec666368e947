"""Who is told: what may be asked of a recipient, and the way to each of them."""

from sqlalchemy.orm import Session

from app.config import Settings
from app.fleet.secrets import Secrets
from app.operations.delivery import recipient_queries as queries
from app.operations.delivery.channels import Way
from app.operations.delivery.tables import Channel, Recipient
from app.web.language import Language


def follow_settings(session: Session, settings: Settings, now: int) -> None:
    """The recipient of `INTACT_WEBHOOK_URL` is enabled while that is set; at each start."""
    recipient = queries.webhook_of_settings(session)
    wanted = settings.webhook_url is not None
    if recipient.enabled == wanted:
        return
    recipient.enabled, recipient.changed_at = wanted, now
    session.flush()
    if not wanted:
        queries.give_up_waiting(session, recipient.id, "INTACT_WEBHOOK_URL is not set", now)


def way_to(recipient: Recipient, settings: Settings) -> Way:
    """How to reach a recipient. Raises `WrongKey` or `ConfigurationError` for its address."""
    if recipient.address_encrypted is not None:
        address = Secrets(settings).decrypt(recipient.address_encrypted)
    else:
        address = settings.webhook_url.get_secret_value() if settings.webhook_url else ""
    return Way(recipient.name, Channel(recipient.channel), Language(recipient.language), address)
