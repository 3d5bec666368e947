"""Puts a backup back, whole or not at all.

1. Every file is compared with the manifest; nothing is touched before all are right.
2. What is there goes aside (`replace`), into a folder of its own that nobody deletes.
3. The day files are put beside their place, then the archive gets its name.
4. The database comes last: while it is not there nothing was restored, and the same command begins
   anew. On PostgreSQL it is filled in one transaction.

Where 3 or 4 fails, what went aside comes back.
"""

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import migrations
from app.config import Settings
from app.database import Database
from app.errors import Refused
from app.evidence.backup.contents import (
    ARCHIVE,
    NAMES,
    BadBackup,
    Manifest,
    damages,
    fingerprint,
    read_manifest,
)
from app.evidence.backup.databases import load_postgres
from app.evidence.leadership import leadership

UNFINISHED = ".restoring"
"""Ends the name of what is being put in place; what bears it is thrown away at the next try."""
MOST_TOLD = 20


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back. `aside`: where the former state lies. `key_fits`: None where no key is
    needed."""

    manifest: Manifest
    aside: Path | None
    key_fits: bool | None


def restore(settings: Settings, source: Path, now: int, *, replace: bool = False) -> Restored:
    """Put the backup `source` in the place that the settings name.

    Raises `BadBackup` for one that is damaged, of another kind of database, of another time zone or
    newer than this program; `Refused` where something is there already (without `replace`) or a
    collector runs; `ToolFailed`.
    """
    manifest = read_manifest(source)
    _require_whole(source, manifest)
    database = Database(settings.sqlalchemy_url, settings.archive_folder)
    try:
        _require_fit(settings, database, manifest)
        _require_free(settings, database, replace=replace)
        aside = _put_aside(settings, database, now) if replace else None
        try:
            _put_in_place(settings, database, source, replace=replace)
        except Exception:
            _take_back(settings, database, aside)
            raise
    finally:
        database.close()
    key_fits = None if manifest.key is None else fingerprint(settings) == manifest.key
    return Restored(manifest, aside, key_fits)


def _require_whole(source: Path, manifest: Manifest) -> None:
    wrong = list(damages(source, manifest))
    if wrong:
        more = [f"{len(wrong) - MOST_TOLD} more"] if len(wrong) > MOST_TOLD else []
        raise BadBackup("\n".join([*wrong[:MOST_TOLD], *more, "Use another backup."]))


def _require_fit(settings: Settings, database: Database, manifest: Manifest) -> None:
    kind = database.engine.dialect.name
    if manifest.database != kind:
        raise BadBackup(
            f"The backup is of {manifest.database}, the settings name {kind}: set `database_url`."
        )
    if manifest.timezone != settings.timezone:
        raise BadBackup(
            f"The backup's days are days of {manifest.timezone}: set `timezone` to that."
        )
    if manifest.schema > migrations.HEAD:
        raise BadBackup(
            f"The backup's database is at version {manifest.schema}, this program knows "
            f"{migrations.HEAD}: restore it with {manifest.program} or newer."
        )


def _require_free(settings: Settings, database: Database, *, replace: bool) -> None:
    """Nothing is there, or it may be replaced; no collector runs."""
    is_there = _database_file(database).exists() if database.is_sqlite else bool(database.version())
    if not is_there:
        if _has_files(settings.archive_folder) and not replace:
            raise Refused(
                f"{settings.archive_folder} holds files, but there is no database; move them away."
            )
        return
    if not replace:
        raise Refused(
            "There is a database already; --replace puts it aside and the backup in its place."
        )
    with leadership(database) as claim:
        if not claim.renew():
            raise Refused("A collector runs on this database: stop Intact first.")


def _has_files(folder: Path) -> bool:
    return folder.exists() and any(folder.iterdir())


def _put_aside(settings: Settings, database: Database, now: int) -> Path:
    """Move what is there into `replaced-…`; a database server's own data is replaced within it."""
    moment = datetime.fromtimestamp(now, settings.zone)
    aside = settings.data_dir / f"replaced-{moment:%Y%m%d-%H%M%S}"
    aside.mkdir(parents=True, mode=0o700)
    if database.is_sqlite:
        file = _database_file(database)
        for path in (file, *(Path(f"{file}{end}") for end in ("-wal", "-shm"))):
            if path.exists():
                path.rename(aside / path.name)
    if settings.archive_folder.exists():
        shutil.move(settings.archive_folder, aside / ARCHIVE)
    return aside


def _put_in_place(settings: Settings, database: Database, source: Path, *, replace: bool) -> None:
    _put_archive(source / ARCHIVE, settings.archive_folder)
    if database.is_sqlite:
        _put_file(source / NAMES["sqlite"], _database_file(database))
    else:
        load_postgres(database, source / NAMES["postgresql"], replace=replace)


def _take_back(settings: Settings, database: Database, aside: Path | None) -> None:
    """As if nothing had been tried."""
    shutil.rmtree(settings.archive_folder, ignore_errors=True)
    if aside is None:
        return
    if (aside / ARCHIVE).exists():
        shutil.move(aside / ARCHIVE, settings.archive_folder)
    for path in aside.iterdir():
        path.rename(_database_file(database).with_name(path.name))
    aside.rmdir()


def _put_archive(source: Path, target: Path) -> None:
    draft = target.with_name(target.name + UNFINISHED)
    shutil.rmtree(draft, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(source, draft)
    if target.exists():
        target.rmdir()
    draft.rename(target)


def _put_file(source: Path, target: Path) -> None:
    draft = target.with_name(target.name + UNFINISHED)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, draft)
    draft.chmod(0o600)
    draft.rename(target)


def _database_file(database: Database) -> Path:
    return Path(str(database.engine.url.database))
