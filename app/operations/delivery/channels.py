"""The ways to a recipient: what is sent by each, and what came of it."""

from dataclasses import dataclass, field
from typing import Any

from app.operations.delivery.posting import post
from app.operations.delivery.tables import ERROR_LENGTH, Channel
from app.web.language import Language


@dataclass(frozen=True, slots=True)
class Way:
    """How one recipient is reached. The address stays out of what is logged."""

    name: str
    channel: Channel
    language: Language
    address: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """What is told: `body` as `queries.enqueue` takes it."""

    event: str
    severity: str
    body: dict[str, Any]


def send(way: Way, message: Message) -> str | None:
    """Send one message; returns what went wrong, None where the receiver accepted it."""
    error = post(way.address, message.body)
    return None if error is None else error[:ERROR_LENGTH]
