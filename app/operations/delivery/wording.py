"""A message in the words of its recipient: title and text for mail and chat."""

from dataclasses import dataclass
from typing import Any

from app.operations.delivery.tables import Severity
from app.web.language import Language, message, translations

RESOLVED, TEST = "resolved", "test"
"""Events that are not an alert's beginning or course."""
TITLES = {
    TEST: message("Intact: test message"),
    RESOLVED: message("Intact: over"),
    "sealed": message("Intact: month sealed"),
    "amended": message("Intact: sealed month amended"),
}

SEVERITY_WORDS = {
    Severity.INFO: message("information"),
    Severity.WARNING: message("warning"),
    Severity.CRITICAL: message("severe"),
}


@dataclass(frozen=True, slots=True)
class Message:
    """What is told; `body` as `queries.enqueue` takes it, `base_url`: where the pages are."""

    alert_id: int | None
    event: str
    severity: str
    body: dict[str, Any]
    base_url: str | None = None

    @property
    def link(self) -> str | None:
        """The page to look at: `path` of the body, else the overview."""
        return None if self.base_url is None else self.base_url + self.body.get("path", "/")


def title_of(told: Message, language: Language) -> str:
    """One line: what kind of message this is."""
    _ = translations(language).gettext
    if told.event in TITLES:
        return _(TITLES[told.event])
    severity = _(SEVERITY_WORDS[Severity(told.severity)])
    return _("Intact: alert (%(severity)s)") % {"severity": severity}


def text_of(told: Message, language: Language) -> str:
    """The summary in this language, and below it the link."""
    summary = told.body.get("summary", {})
    text = summary.get(language.value) or next(iter(summary.values()), told.event)
    return f"{text}\n{told.link}" if told.link else str(text)


def trial_message(base_url: str | None) -> Message:
    """What the button sends."""
    text = message("A test message of Intact: alerts will arrive this way.")
    summary = {each.value: translations(each).gettext(text) for each in Language}
    body = {"event": TEST, "summary": summary}
    return Message(None, TEST, Severity.INFO, body, base_url)
