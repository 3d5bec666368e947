"""What a cell of a workbook says, as the text that a CSV would hold.

Excel keeps 15 digits of a number: a longer code typed into a column of numbers is lost for good,
and is refused rather than read as another code.
"""

import re
from datetime import date, datetime, time, timedelta
from typing import Any

from openpyxl.utils.datetime import from_excel

from app.tabular.records import Cell, Unreadable
from app.tabular.values import clean

_SAFE_BELOW = 10**15
_DIGITS_LOST = "has more digits than Excel keeps of a number; format the column as text, type anew"
_ERROR = "is an error of the spreadsheet; correct the formula or type the value"
_LEADING_ZEROS = re.compile("0{2,}")
_QUOTED = re.compile(r'"[^"]*"|\[\$[^\]]*\]|\\.')
_HALF_SECOND = timedelta(milliseconds=500)

_DATE_FORMATS = frozenset({*range(27, 37), *range(50, 59)})
"""Numbers of the built-in date formats of Chinese Excel, which openpyxl does not know."""

_TIME_FORMATS = frozenset({32, 33, 34, 35, 55, 56})
"""Those of them that show the time of day."""


def read_cell(cell: Any) -> Cell:
    """The text of a read-only cell of openpyxl, or why there is none."""
    value = cell.value
    if value is None or isinstance(value, str):
        if cell.data_type == "e":
            return Unreadable(str(value), _ERROR)
        return clean(value or "")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        kind = cell.style_array.numFmtId
        if kind in _DATE_FORMATS:
            return _chinese_date(value, cell.parent.parent.epoch, kind in _TIME_FORMATS)
        return _number(value, cell.number_format)
    return _moment(value, "h" in _QUOTED.sub("", cell.number_format).lower())


def _number(value: float, number_format: str) -> Cell:
    if not abs(value) < _SAFE_BELOW:
        return Unreadable(f"{value:.15g}", _DIGITS_LOST)
    if "%" in _QUOTED.sub("", number_format):  # 0.9741 is shown as 97.41%
        return f"{100 * value:.12g}%"
    if value != int(value):
        return repr(value)
    if _LEADING_ZEROS.fullmatch(number_format):  # 00000 shows 42 as 00042
        return f"{int(value):0{len(number_format)}}"
    return str(int(value))


def _chinese_date(value: float, epoch: datetime, shows_time: bool) -> Cell:
    try:
        return _moment(from_excel(value, epoch), shows_time)
    except (OverflowError, ValueError):
        return Unreadable(f"{value:.15g}", "is no date of a calendar; write it as YYYY-MM-DD")


def _moment(value: datetime | date | time | timedelta, shows_time: bool) -> Cell:
    """A midnight is a day unless the cell shows hours; moments are whole seconds."""
    if not isinstance(value, datetime):
        return str(value)
    whole = (value + _HALF_SECOND).replace(microsecond=0)
    if shows_time or whole.time() != time.min:
        return whole.isoformat(sep=" ")
    return whole.date().isoformat()
