"""Receivers on loopback, and recipients that are reached there."""

from collections.abc import Iterator

import pytest

from app.accounts.audit import Actor
from app.config import Settings
from app.database import Database
from app.operations.delivery.recipients import Wish, add_recipient
from app.operations.delivery.tables import Channel, Severity
from app.web.language import Language
from tests.app.operations.delivery.receivers import Mailbox, Receiver

NOW = 1_800_000_000


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    mailbox = Mailbox()
    yield mailbox
    mailbox.close()


class Register:
    """Adds recipients."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    def add(
        self,
        name: str,
        channel: Channel,
        address: str,
        language: Language = Language.CHINESE,
        least: Severity = Severity.INFO,
    ) -> int:
        wish = Wish(name, channel, language, least, address=address)
        with self._database.write() as session:
            return add_recipient(session, self._settings, wish, Actor("somebody"), NOW).id


@pytest.fixture
def register(database: Database, settings: Settings) -> Register:
    return Register(database, settings)
