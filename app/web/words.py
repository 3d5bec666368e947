"""Words of the screen for what the figures are made of; all are texts of the catalogue."""

from collections.abc import Mapping

from app.web.language import message
from kpi.status import SlotClass, Status

CLASS_WORDS: Mapping[str, str] = {
    "intact": message("intact"),
    "impaired": message("impaired"),
    "offline": message("offline"),
    "unknown": message("unknown"),
    "suspended": message("suspended"),
    "exempted": message("exempted"),
}
"""Class (`SlotClass` in lower case) → word."""

STATUS_WORDS: Mapping[Status, str] = {
    Status.INTACT: message("answers as it should"),
    Status.CLOCK_WRONG: message("clock wrong"),
    Status.AUTH_FAILED: message("password refused"),
    Status.SERVICE_FAULT: message("service faulty"),
    Status.NO_VIDEO: message("no video"),
    Status.IMAGE_BLACK: message("picture black"),
    Status.IMAGE_FROZEN: message("picture frozen"),
    Status.IMAGE_BLURRED: message("picture blurred"),
    Status.IMAGE_COVERED: message("lens covered"),
    Status.IMAGE_COLOUR_CAST: message("colour cast"),
    Status.IMAGE_NOISE: message("picture noisy"),
    Status.NOT_RECORDING: message("not recording"),
    Status.TIMEOUT: message("no answer in time"),
    Status.REFUSED: message("connection refused"),
    Status.UNREACHABLE: message("unreachable"),
    Status.UNKNOWN: message("not measured"),
}

ROOM_WORDS: Mapping[str, str] = {
    "up": message("up"),
    "degraded": message("degraded"),
    "down": message("down"),
    "unknown": message("unknown"),
}
"""State of a monitoring room → word."""


def class_name(slot_class: SlotClass) -> str:
    """How templates, styles and `CLASS_WORDS` name a class."""
    return slot_class.name.lower()
