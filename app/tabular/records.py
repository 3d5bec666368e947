"""What the readers of CSV and of XLSX have in common: records, row by row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.errors import IntactError


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A cell that does not hold what was meant: what it shows, and what to do."""

    shown: str
    remedy: str


Cell = str | Unreadable


@dataclass(frozen=True, slots=True)
class Record:
    """A row of the file: its number, its cells stripped, what is wrong with the row as a whole.

    `raw` is the row as its reader found it, for another file of that kind.
    """

    row: int
    cells: Sequence[Cell]
    raw: Sequence[Any]
    fault: str = ""

    @property
    def texts(self) -> list[str]:
        return [cell if isinstance(cell, str) else cell.shown for cell in self.cells]


class CannotRead(IntactError):
    """The rest of the file, from this row on."""

    def __init__(self, row: int, remedy: str) -> None:
        super().__init__(remedy)
        self.row = row
        self.remedy = remedy


class Records(Protocol):
    """An open file."""

    exact: bool
    """Whether a row with fewer cells than the header is a mistake (else those are empty)."""

    def __iter__(self) -> Iterator[Record]:
        """The rows, once. Raises `CannotRead`."""
        ...

    def progress(self) -> tuple[int, int]:
        """How much of the file was read, and how much there is."""
        ...
