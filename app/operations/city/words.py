"""What pages and REST call the reasons of a difference; texts of the catalogue."""

from collections.abc import Mapping, Sequence

from app.web.language import Language, message, translations
from kpi.second_count import Reason

REASON_WORDS: Mapping[Reason, str] = {
    Reason.AGREES: message("agrees"),
    Reason.SUSPENDED: message("suspended here, counted by the city"),
    Reason.UNKNOWN: message("without evidence here, counted by the city"),
    Reason.EXEMPTED: message("exempted here, counted by the city"),
    Reason.OUTAGES: message("the seconds of outage differ"),
    Reason.NOT_LISTED: message("not in the city's file"),
    Reason.NOT_IN_SERVICE: message("not in service here in this month"),
    Reason.PART_OF_MONTH: message("belonged elsewhere for a part of the month"),
}


def in_words(reasons: Sequence[Reason], language: Language) -> str:
    """All of them in one line."""
    _ = translations(language).gettext
    return _("; ").join(_(REASON_WORDS[each]) for each in reasons)


def points(hundredths: int | None) -> str:
    """A difference in percentage points with its sign and two decimals; "–" for None."""
    if hundredths is None:
        return "–"
    sign = "−" if hundredths < 0 else "+" if hundredths else "±"
    return f"{sign}{abs(hundredths) // 100}.{abs(hundredths) % 100:02d}"
