"""What stands in a cell: text that no spreadsheet takes for a formula, and days."""

import re
from datetime import date

from app.errors import Remedy

EARLIEST_YEAR, LATEST_YEAR = 1970, 2199

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_DAY = re.compile(r"([0-9]{4})([-/])([0-9]{1,2})\2([0-9]{1,2})(?:[ T]00?:00(?::00)?)?")


def harmless(text: str) -> str:
    """The text so that no spreadsheet takes it for a formula.

    Text that begins with `= + - @`, tab or carriage return gets an apostrophe before it; so does
    text that has apostrophes there already, for `restored` to give back exactly this text.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def restored(text: str) -> str:
    """The text that `harmless` was given."""
    return text[1:] if text[:1] == "'" and _FORMULA.match(text) else text


def clean(cell: str) -> str:
    """The cell without what only its writing needed."""
    stripped = cell.strip()
    return restored(stripped).strip() if stripped[:1] == "'" else stripped


def read_day(text: str) -> date:
    """Read `YYYY-MM-DD` or `YYYY/M/D`; the midnight that other programs add to it may follow.

    Raises `ValueError` with the remedy.
    """
    match = _DAY.fullmatch(text)
    if not match:
        raise ValueError(Remedy("is not a date; write it as YYYY-MM-DD"))
    year, month, day = (int(match[n]) for n in (1, 3, 4))
    if not EARLIEST_YEAR <= year <= LATEST_YEAR:
        raise ValueError(
            Remedy(
                "must be a year from %(first)d to %(last)d", first=EARLIEST_YEAR, last=LATEST_YEAR
            )
        )
    try:
        return date(year, month, day)
    except ValueError:
        raise ValueError(Remedy("is no day of the calendar; correct it")) from None
