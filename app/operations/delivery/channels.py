"""The ways to a recipient: what is sent by each, and what came of it."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from app.operations.delivery.alertmanager import alertmanager_body
from app.operations.delivery.apprising import check_address, send_by_apprise
from app.operations.delivery.posting import post
from app.operations.delivery.tables import ERROR_LENGTH, Channel
from app.operations.delivery.wording import Message, text_of, title_of
from app.web.language import Language, message


@dataclass(frozen=True, slots=True)
class Way:
    """How one recipient is reached. The address stays out of what is logged."""

    name: str
    channel: Channel
    language: Language
    address: str = field(repr=False)


def send(way: Way, told: Message) -> str | None:
    """Send one message; returns what went wrong, None where the receiver accepted it."""
    if way.channel is Channel.APPRISE:
        title, text = title_of(told, way.language), text_of(told, way.language)
        error = send_by_apprise(way.address, title, text, told.event, told.severity)
    elif way.channel is Channel.ALERTMANAGER:
        error = post(way.address, alertmanager_body(way.name, way.language, told))
    else:
        error = post(way.address, told.body)
    return None if error is None else error[:ERROR_LENGTH]


def problem_of(channel: Channel, address: str) -> str | None:
    """What is wrong with an address; nothing is sent to it."""
    if channel is Channel.APPRISE:
        return check_address(address)
    try:
        parts = urlsplit(address)
        is_right = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # brackets or a port that are none
        is_right = False
    return None if is_right else message("must be http://HOST/PATH or https://HOST/PATH")
