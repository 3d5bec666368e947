"""A register to import into, and a look at what an import touched."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from app.config import Settings
from app.database import Database
from app.fleet.changes import Stored
from app.fleet.importing import import_devices
from app.fleet.queries import Selection, read_devices
from app.fleet.touched import DeviceDays
from app.tabular import ImportResult

TODAY = date(2026, 3, 10)


@dataclass
class Register:
    """The register of one test; the importer's clock stands at `today`."""

    database: Database
    settings: Settings
    folder: Path
    today: date = TODAY
    touched: list[DeviceDays] = field(default_factory=list)

    def load(self, content: str | bytes, **options: Any) -> ImportResult:
        """Import a file of this content."""
        path = self.folder / "register.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return self.load_file(path, **options)

    def load_file(self, path: Path, **options: Any) -> ImportResult:
        """Import a file that is there."""
        self.touched = []
        return import_devices(
            self.database,
            self.settings,
            path,
            today=self.today,
            on_touched=self._note,
            **options,
        )

    def devices(self) -> dict[str, Stored]:
        with self.database.read() as session:
            return {each.record.code: each for each in read_devices(session, Selection())}

    def _note(self, _session: Session, days: Sequence[DeviceDays]) -> None:
        self.touched += days
