"""What an import tells while it runs and when it is done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.errors import RowProblem

CHANGES_SHOWN = 100
ReportProgress = Callable[[str, int, int], None]
"""(what is being done, how much of it is done, how much there is)"""


def unreported(_stage: str, _done: int, _total: int) -> None:
    """Report progress to nobody."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field of the register and what it says before and after; secrets are left out."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class RowChange:
    """What a row of the file changes about the device with this code."""

    row: int
    code: str
    is_new: bool
    fields: Sequence[FieldChange]


@dataclass(frozen=True, slots=True)
class SetAside:
    """How many rows were bad, why (the first hundred reasons), the file that now holds them.

    `total` counts all reasons. There is no file where nothing was to be written.
    """

    rows: int
    problems: Sequence[RowProblem]
    total: int
    file: Path | None


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did, or with `--dry-run` would do, in rows.

    `examples` were left out; `set_aside` are the bad ones where these were to be skipped;
    `changes` are the first hundred rows that change something.
    """

    inserted: int
    updated: int
    unchanged: int
    examples: int = 0
    set_aside: SetAside | None = None
    changes: Sequence[RowChange] = field(default=(), compare=False)

    @property
    def counts(self) -> dict[str, int]:
        """Rows by what became of them, as the audit log says it."""
        return {
            "inserted": self.inserted,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "refused": self.set_aside.rows if self.set_aside else 0,
        }
