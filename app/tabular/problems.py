"""The mistakes of a file, by row and column."""

from collections import defaultdict
from collections.abc import Mapping

from app.errors import ImportRefused, RowProblem

WHOLE_ROW = "whole row"
_SHOWN_LENGTH = 80


class Problems:
    """The mistakes of one file: the first hundred are kept, all are counted.

    Where bad rows are to be set aside (`by_row`), each row's reasons are kept too.
    """

    def __init__(
        self, file: str, titles: Mapping[str, str] | None = None, *, by_row: bool = False
    ) -> None:
        """`titles` gives each field's header as the file spells it."""
        self.file = file
        self.total = 0
        self.reasons: defaultdict[int, list[str]] = defaultdict(list)
        self._titles = titles or {}
        self._by_row = by_row
        self._kept: list[RowProblem] = []

    def __bool__(self) -> bool:
        return self.total > 0

    def add(self, row: int, field: str, value: str, remedy: str) -> None:
        """Note a mistake; `field` is the field's name, `value` what the cell says."""
        self.total += 1
        title = self._titles.get(field, field)
        if self._by_row:
            self.reasons[row].append(f"{title}: {remedy}")
        if len(self._kept) < ImportRefused.shown:
            shown = value if len(value) <= _SHOWN_LENGTH else value[:_SHOWN_LENGTH] + "…"
            self._kept.append(RowProblem(row, title, shown, remedy))

    def in_order(self) -> list[RowProblem]:
        """Those that were kept, by row."""
        return sorted(self._kept, key=lambda problem: problem.row)

    def refuse(self) -> None:
        """Raises `ImportRefused` where there is any mistake."""
        if self:
            raise ImportRefused(self.file, self.in_order(), self.total)
