"""What an import tells while it runs and when it is done."""

from collections.abc import Callable
from dataclasses import dataclass

ReportProgress = Callable[[str, int, int], None]
"""(what is being done, how much of it is done, how much there is)"""


def unreported(_stage: str, _done: int, _total: int) -> None:
    """Report progress to nobody."""


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did, or with `--dry-run` would do, in rows."""

    inserted: int
    updated: int
    unchanged: int
