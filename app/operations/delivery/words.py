"""What the pages of recipients and messages call things."""

from collections.abc import Mapping

from app.operations.delivery.tables import Channel, DeliveryState, Severity, Topics
from app.web.language import message

CHANNEL_WORDS: Mapping[Channel, str] = {
    Channel.APPRISE: message("mail or chat"),
    Channel.ALERTMANAGER: message("webhook (Alertmanager)"),
    Channel.WEBHOOK: message("webhook (our own)"),
}
STATE_WORDS: Mapping[DeliveryState, str] = {
    DeliveryState.WAITING: message("waiting"),
    DeliveryState.DELIVERED: message("delivered"),
    DeliveryState.GIVEN_UP: message("given up"),
}
STATE_CLASSES: Mapping[DeliveryState, str] = {
    DeliveryState.WAITING: "impaired",
    DeliveryState.DELIVERED: "intact",
    DeliveryState.GIVEN_UP: "offline",
}
LEAST_WORDS: Mapping[Severity, str] = {
    Severity.INFO: message("all messages"),
    Severity.WARNING: message("warnings and worse"),
    Severity.CRITICAL: message("severe ones only"),
}
TOPIC_WORDS: Mapping[Topics, str] = {
    Topics.ALL: message("alerts and seals"),
    Topics.ALERTS: message("alerts"),
    Topics.SEALS: message("sealed months"),
}
EVENT_WORDS: Mapping[str, str] = {
    "opened": message("began"),
    "resolved": message("over"),
    "sealed": message("month sealed"),
    "amended": message("month amended"),
}
