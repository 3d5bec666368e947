"""Who is told: adding, changing, testing and deleting recipients, and the way to each of them."""

from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.accounts import audit
from app.accounts.audit import Actor
from app.config import Settings
from app.database import Database
from app.errors import BadParameter, NotFound, Refused
from app.fleet.secrets import Secrets
from app.operations.delivery import recipient_queries as queries
from app.operations.delivery.channels import Way, problem_of, send
from app.operations.delivery.tables import NAME_LENGTH, Channel, Recipient, Severity, Topics
from app.operations.delivery.wording import trial_message
from app.web.language import Language, message

ADDRESS_LENGTH = 2_000
TEST_EVERY_S = 10


class TooSoon(Refused):
    """A test that follows another one at once."""

    status = 429
    title = "Too many requests"
    headers = {"Retry-After": str(TEST_EVERY_S)}  # noqa: RUF012 - as the class above declares it


@dataclass(frozen=True, slots=True)
class Wish:
    """What a recipient is to be. `address` None: as it was."""

    name: str
    channel: Channel
    language: Language
    min_severity: Severity
    enabled: bool = True
    topics: Topics = Topics.ALL
    address: str | None = field(default=None, repr=False)

    def told(self) -> dict[str, Any]:
        """What the audit log says: not the address, but that there is another."""
        another = {} if self.address is None else {"address": "set"}
        return {
            "channel": self.channel.value,
            "language": self.language.value,
            "min_severity": self.min_severity.value,
            "topics": self.topics.value,
            "enabled": self.enabled,
        } | another


def checked(wish: Wish) -> Wish:
    """The wish in its tidy form. Takes as long as apprise does: not within a transaction.

    Raises `BadParameter`.
    """
    name = wish.name.strip()
    if not 0 < len(name) <= NAME_LENGTH or not name.isprintable():
        raise BadParameter("name", message("must have 1 to 64 characters"))
    address = None if wish.address is None else wish.address.strip()
    if address is not None:
        if not 0 < len(address) <= ADDRESS_LENGTH or not address.isprintable():
            raise BadParameter("address", message("must have 1 to 2000 characters in one line"))
        problem = problem_of(wish.channel, address)
        if problem is not None:
            raise BadParameter("address", problem)
    return replace(wish, name=name, address=address)


def add_recipient(
    session: Session, settings: Settings, wish: Wish, actor: Actor, now: int
) -> Recipient:
    """A new recipient; `wish` has been `checked`. Raises `BadParameter`."""
    if wish.address is None:
        raise BadParameter("address", message("is needed"))
    recipient = Recipient(from_settings=False)
    _give(session, settings, recipient, wish, now)
    session.add(recipient)
    _flush(session)
    audit.record(session, actor, "recipient.add", wish.name, now, wish.told())
    return recipient


def change_recipient(
    session: Session, settings: Settings, recipient_id: int, wish: Wish, actor: Actor, now: int
) -> Recipient:
    """Change one; `wish` has been `checked`. What waits for one that is disabled is given up.

    Raises `NotFound`, `Refused` for the recipient of the settings, `BadParameter`.
    """
    recipient = _ours(session, recipient_id)
    if wish.address is None and wish.channel != recipient.channel:
        raise BadParameter("address", message("is needed for another channel"))
    former = recipient.name
    _give(session, settings, recipient, wish, now)
    _flush(session)
    if not wish.enabled:
        queries.give_up_waiting(session, recipient_id, "the recipient is disabled", now)
    renamed = {"was": former} if former != wish.name else {}
    audit.record(session, actor, "recipient.change", wish.name, now, wish.told() | renamed)
    return recipient


def set_enabled(
    session: Session, recipient_id: int, enabled: bool, actor: Actor, now: int
) -> Recipient:
    """Tell them, or tell them no more; what waits is given up. Raises `NotFound`, `Refused`."""
    recipient = _ours(session, recipient_id)
    recipient.enabled, recipient.changed_at = enabled, now
    session.flush()
    if not enabled:
        queries.give_up_waiting(session, recipient_id, "the recipient is disabled", now)
    action = "recipient.enable" if enabled else "recipient.disable"
    audit.record(session, actor, action, recipient.name, now)
    return recipient


def delete_recipient(session: Session, recipient_id: int, actor: Actor, now: int) -> None:
    """Delete one; its messages stay in the outbox, what waits is given up.

    Raises `NotFound`, `Refused` where it comes from the settings or something names it.
    """
    recipient = _ours(session, recipient_id)
    name = recipient.name
    queries.give_up_waiting(session, recipient_id, "the recipient was deleted", now)
    try:
        queries.delete_recipient(session, recipient_id)
    except IntegrityError as error:
        raise Refused(
            message("The recipient is named by an alert rule; take it out there, or disable it.")
        ) from error
    audit.record(session, actor, "recipient.delete", name, now)


def send_test(
    database: Database, settings: Settings, recipient_id: int, actor: Actor, now: int
) -> str | None:
    """Send a test message now, also to one that is disabled; returns what went wrong.

    Raises `NotFound`, `TooSoon`, `WrongKey` or `ConfigurationError` for the stored address.
    """
    with database.write() as session:
        recipient = _found(session, recipient_id)
        if not queries.claim_test(session, recipient_id, now, TEST_EVERY_S):
            raise TooSoon(message("A test has just been sent; wait ten seconds."))
        audit.record(session, actor, "recipient.test", recipient.name, now)
    return send(way_to(recipient, settings), trial_message(settings.public_url))


def encrypt_anew(session: Session, secrets: Secrets) -> int:
    """Put every stored address under the newest key; returns how many. Raises `WrongKey`."""
    found = queries.stored_addresses(session)
    for recipient in found:
        recipient.address_encrypted = secrets.with_newest(recipient.address_encrypted or b"")
    return len(found)


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


def find_recipient(session: Session, recipient_id: int) -> Recipient:
    """One that shows in the list. Raises `NotFound`."""
    return _known(queries.read_recipient(session, recipient_id), recipient_id)


def _found(session: Session, recipient_id: int) -> Recipient:
    return _known(queries.lock_recipient(session, recipient_id), recipient_id)


def _known(recipient: Recipient | None, recipient_id: int) -> Recipient:
    if recipient is None:
        raise NotFound("recipient", str(recipient_id))
    return recipient


def _ours(session: Session, recipient_id: int) -> Recipient:
    """One that is not there by configuration."""
    recipient = _found(session, recipient_id)
    if recipient.from_settings:
        raise Refused(message("This recipient comes from INTACT_WEBHOOK_URL; change the setting."))
    return recipient


def _give(session: Session, settings: Settings, recipient: Recipient, wish: Wish, now: int) -> None:
    if queries.name_is_taken(session, wish.name, recipient.id):
        raise BadParameter("name", message("another recipient has this name"))
    recipient.name, recipient.channel = wish.name, wish.channel.value
    recipient.language, recipient.min_severity = wish.language.value, wish.min_severity.value
    recipient.topics = wish.topics.value
    recipient.enabled, recipient.changed_at = wish.enabled, now
    if wish.address is not None:
        recipient.address_encrypted = Secrets(settings).encrypt(wish.address)


def _flush(session: Session) -> None:
    try:
        session.flush()
    except IntegrityError as error:  # somebody else took the name just now
        raise BadParameter("name", message("another recipient has this name")) from error
