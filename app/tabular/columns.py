"""The columns of a file: which header stands for which field, and which row is the header."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.errors import Remedy
from app.tabular.problems import WHOLE_ROW, Problems

SAVE_AS = Remedy("save it as “CSV UTF-8 (comma delimited)” / “CSV UTF-8(逗号分隔)” or as XLSX")
HEADER_WITHIN = 10
"""A header stands in one of so many first rows; above it there may be titles."""

REASON = "未导入原因"
"""Header of the column that says why a row was set aside."""

_LEFT_OUT = ("序号", REASON)


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns a file may have: header → field, and the fields it must have.

    `key` is the field whose cell marks a row as an example; what `secret` ones say is never shown.
    """

    names: Mapping[str, str]
    required: frozenset[str]
    key: str | None = None
    secret: frozenset[str] = frozenset()

    def field(self, header: str) -> str | None:
        """The field a header stands for; case and blanks do not matter."""
        wanted = _folded(header)
        return next((name for known, name in self.names.items() if _folded(known) == wanted), None)

    def resembling(self, header: str) -> str:
        """Known headers to put in place of an unknown one."""
        near = difflib.get_close_matches(header, self.names, n=3)
        return " or ".join(near) if near else ", ".join(dict.fromkeys(self.names.values()))

    def known(self, cells: Sequence[str]) -> int:
        """How many of the cells are headers."""
        return sum(self.field(cell) is not None for cell in cells if cell)

    def is_header(self, cells: Sequence[str]) -> bool:
        """Whether a row has every required header, and headers in most of its cells."""
        fields = [self.field(cell) for cell in cells if cell]
        found = [field for field in fields if field]
        return self.required.issubset(found) and 2 * len(found) > len(fields)


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a file: row, number of cells, field → place of its cell, field → title."""

    row: int
    width: int
    places: Mapping[str, int]
    titles: Mapping[str, str]


def read_header(row: int, cells: Sequence[str], file: str, columns: Columns) -> Header:
    """Raises `ImportRefused` naming what is unknown, twice or missing."""
    problems = Problems(file)
    if not any(cells):
        problems.add(
            row, WHOLE_ROW, "", Remedy("there is no header; put the columns' names into row 1")
        )
    elif len(cells) == 1 and re.search("[;\t，]", cells[0]):
        problems.add(
            row, WHOLE_ROW, "", Remedy("the file is not separated by commas; %(how)s", how=SAVE_AS)
        )
    problems.refuse()
    titles: dict[str, str] = {}
    places: dict[str, int] = {}
    for place, title in enumerate(cells):
        field = columns.field(title)
        if not title:
            problems.add(
                row, f"column {place + 1}", "", Remedy("has no header; name it or take it out")
            )
        elif field is None and title in _LEFT_OUT:
            continue
        elif field is None:
            likely = columns.resembling(title)
            problems.add(
                row,
                title,
                "",
                Remedy("unknown header; take it out or use %(likely)s", likely=likely),
            )
        elif field in titles:
            problems.add(
                row,
                title,
                "",
                Remedy("is the same column as %(other)s; keep one of them", other=titles[field]),
            )
        else:
            titles[field], places[field] = title, place
    for field in sorted(columns.required - places.keys()):
        problems.add(row, field, "", Remedy("this column is missing; add it"))
    problems.refuse()
    return Header(row, len(cells), places, titles)


def _folded(header: str) -> str:
    return "".join(header.split()).casefold()
