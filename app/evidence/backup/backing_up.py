"""Makes a backup while the server runs.

1. Write the database to a draft beside the target, as it is at one moment.
2. Copy the day files that this moment's database speaks of. Where one is not as the database says,
   late samples were just merged into it: begin anew with 1; files that fit are kept.
3. Write the manifest with every file's SHA-256; give the draft its name.

Broken off anywhere, there is a draft and no backup; the next one throws the draft away.
"""

import os
import shutil
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.config import Settings
from app.database import Database
from app.errors import Refused
from app.evidence.archive.day_files import sha256_of
from app.evidence.archive.queries import day_path
from app.evidence.archive.tables import ArchiveDay
from app.evidence.backup.contents import (
    ARCHIVE,
    MANIFEST,
    NAMES,
    BadBackup,
    Manifest,
    entry_of,
    fingerprint,
)
from app.evidence.backup.databases import dump

DRAFT = ".draft"
ATTEMPTS = 5
Hashes = Mapping[Path, tuple[str, ...]]


def back_up(database: Database, settings: Settings, target: Path, now: int) -> Manifest:
    """Make the backup `target`, a folder that is not there yet.

    Raises `Refused` where it is, `BadBackup` for a damaged day file, `ToolFailed`.
    """
    target = target.absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise Refused(f"{target} is there already; name a new folder.")
    draft = target.with_name(target.name + DRAFT)
    shutil.rmtree(draft, ignore_errors=True)
    (draft / ARCHIVE).mkdir(parents=True, mode=0o700)
    draft.chmod(0o700)
    schema = _fill(database, settings.archive_folder, draft)
    files = {
        str(path.relative_to(draft)): entry_of(path)
        for path in sorted(draft.rglob("*"))
        if path.is_file()
    }
    manifest = Manifest(
        created_at=now,
        database=database.engine.dialect.name,
        schema=schema,
        timezone=settings.timezone,
        program=version("intact-monitor"),
        key=fingerprint(settings),
        files=files,
    )
    manifest.write(draft)
    _to_disk([*(draft / name for name in files), draft / MANIFEST, draft])
    if target.exists():
        target.rmdir()
    draft.rename(target)
    _to_disk([target.parent])
    return manifest


def _fill(database: Database, archive: Path, draft: Path) -> str:
    """Database and day files that fit together; the schema's version."""
    seen: dict[str, str] = {}
    expected: dict[Path, tuple[str, ...]] = {}

    def read(session: Session) -> None:
        seen["schema"] = str(session.scalar(text("SELECT version_num FROM alembic_version")))
        expected.clear()
        for row in session.scalars(select(ArchiveDay).where(ArchiveDay.sha256.is_not(None))):
            hashes = tuple(each for each in (row.sha256, row.next_sha256) if each)
            expected[day_path(Path(), row.day)] = hashes

    for _attempt in range(ATTEMPTS):
        dump(database, draft / NAMES[database.engine.dialect.name], read)
        wrong = _copy(archive, draft / ARCHIVE, expected)
        if not wrong:
            return seen["schema"]
    raise BadBackup(
        f"{archive / wrong[0]}: it is not the file that the database speaks of; see "
        "`intact archive verify`."
    )


def _copy(archive: Path, target: Path, expected: Hashes) -> list[Path]:
    """Copy the files of the days and those of former seals; the ones that do not fit."""
    wrong = []
    for name, hashes in expected.items():
        if _fits(target / name, hashes):
            continue
        _copy_file(archive / name, target / name)
        if not _fits(target / name, hashes):
            wrong.append(name)
    for former in archive.glob("*/*.v*.parquet"):
        _copy_file(former, target / former.relative_to(archive))
    return wrong


def _copy_file(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copyfile(source, target)
    except FileNotFoundError:
        target.unlink(missing_ok=True)  # whoever compares it will say so


def _fits(path: Path, hashes: tuple[str, ...]) -> bool:
    return path.is_file() and sha256_of(path) in hashes


def _to_disk(paths: list[Path]) -> None:
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
