"""What an audit finds."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Difference:
    """What does not agree: of which `subject` (a device's code, a file, a fact) on which day.

    `recorded` is what the ledger, the archive or the manifest says, `found` what there is.
    """

    day: date | None
    subject: str
    what: str
    recorded: str
    found: str
