"""What a backup holds.

    DIR/manifest.json      what follows, with size and SHA-256 of every file
    DIR/database.sqlite    the database, or database.dump (pg_dump, custom format)
    DIR/archive/…          the day files that this database speaks of, and those of former seals

The key of the stored passwords is not in it: whoever finds a backup cannot read them. A fingerprint
says which key it needs.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from app.config import Settings
from app.errors import Refused
from app.evidence.archive.day_files import sha256_of
from app.fleet.secrets import Secrets

FORMAT = 1
MANIFEST = "manifest.json"
ARCHIVE = "archive"
NAMES = {"sqlite": "database.sqlite", "postgresql": "database.dump"}
KEY_PURPOSE = "fingerprint in backups"


class BadBackup(Refused):
    """A folder that is no whole backup."""

    title = "Backup not usable"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the backup."""

    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """`created_at`: UTC seconds. `schema`: the version that the database is at. `files`: path
    within the backup → what it has to be. `key`: fingerprint of the key, None: there was none."""

    created_at: int
    database: str
    schema: str
    timezone: str
    program: str
    key: str | None
    files: Mapping[str, Entry]
    format: int = FORMAT

    def write(self, folder: Path) -> None:
        text = json.dumps(asdict(self), indent=2, sort_keys=True)
        (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """Raises `BadBackup`."""
    path = folder / MANIFEST
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        files = {name: Entry(**entry) for name, entry in known.pop("files").items()}
        manifest = Manifest(**known, files=files)
    except OSError as error:
        raise BadBackup(f"{path}: {error.strerror}; name the folder of a backup.") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadBackup(f"{path}: this is no manifest of a backup.") from error
    if manifest.format != FORMAT:
        raise BadBackup(f"{path}: format {manifest.format}; this program reads {FORMAT}.")
    return manifest


def entry_of(path: Path) -> Entry:
    return Entry(path.stat().st_size, sha256_of(path))


def damages(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Every file that is not what it was when the backup was made."""
    for name, entry in sorted(manifest.files.items()):
        path = folder / name
        if not path.is_file():
            yield f"{path}: is missing"
        elif path.stat().st_size != entry.size_bytes or sha256_of(path) != entry.sha256:
            yield f"{path}: is not as it was written (SHA-256 {entry.sha256})"


def fingerprint(settings: Settings) -> str | None:
    """Of the newest key: it tells keys apart and opens nothing. None while there is no key."""
    derived = Secrets(settings).derived_key(KEY_PURPOSE)
    return None if derived is None else hashlib.sha256(derived).hexdigest()[:16]
