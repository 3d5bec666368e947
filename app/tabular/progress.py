"""What an import tells while it runs and when it is done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.errors import RowProblem

ReportProgress = Callable[[str, int, int], None]
"""(what is being done, how much of it is done, how much there is)"""


def unreported(_stage: str, _done: int, _total: int) -> None:
    """Report progress to nobody."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """How many rows were bad, why (the first hundred reasons), the file that now holds them.

    There is no file where nothing was to be written.
    """

    rows: int
    problems: Sequence[RowProblem]
    file: Path | None


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did, or with `--dry-run` would do, in rows.

    `examples` were left out; `set_aside` are the bad ones where these were to be skipped.
    """

    inserted: int
    updated: int
    unchanged: int
    examples: int = 0
    set_aside: SetAside | None = None
