"""Files that were uploaded to be imported: kept for their preview, taken once, then gone.

Each has a folder of its own in the data directory that its owner alone may read, with what was said
of it beside it. What nobody has confirmed within the hour is dropped at the next upload, and by the
night's upkeep.
"""

import json
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from app.config import Settings
from app.errors import NotFound

LARGEST_UPLOAD = 16 << 20
"""Bytes."""
KEPT_S = 3_600
ID_PATTERN = r"^[A-Za-z0-9_-]{22}$"

_ABOUT = ".about.json"
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
_NAME_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file: whose it is, what it is to be imported as, when it came (UTC seconds).

    `effective`: the first day of new assignments as the form said it, empty for tomorrow.
    """

    id: str
    owner: str
    what: str
    name: str
    effective: str
    at: int


def keep(
    settings: Settings, source: BinaryIO, owner: str, what: str, name: str, effective: str, now: int
) -> Upload:
    """Store an upload; the name is kept without anything that a path could be made of."""
    drop_expired(settings, now)
    upload = Upload(secrets.token_urlsafe(16), owner, what, _harmless_name(name), effective, now)
    folder = _folder(settings) / upload.id
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.mkdir(mode=0o700)
    with _private(folder / upload.name) as target:
        shutil.copyfileobj(source, target)
    with _private(folder / _ABOUT) as about:
        about.write(json.dumps(asdict(upload)).encode())
    return upload


def find(settings: Settings, upload_id: str, owner: str, now: int) -> tuple[Upload, Path]:
    """The upload and its file. Raises `NotFound` for one that is gone, or is somebody else's."""
    folder = _folder(settings) / upload_id
    try:
        upload = Upload(**json.loads((folder / _ABOUT).read_bytes()))
    except OSError:
        raise NotFound("upload", upload_id) from None
    if upload.owner != owner or upload.at < now - KEPT_S:
        raise NotFound("upload", upload_id)
    return upload, folder / upload.name


@contextmanager
def taken(
    settings: Settings, upload_id: str, owner: str, now: int
) -> Iterator[tuple[Upload, Path]]:
    """The upload for the one time that it is used; nothing of it is left afterwards.

    Raises `NotFound` as `find`, for the second of two who take it too.
    """
    find(settings, upload_id, owner, now)
    folder, own = _folder(settings) / upload_id, f".{secrets.token_urlsafe(16)}"
    try:
        folder.rename(folder.with_name(own))
    except OSError:
        raise NotFound("upload", upload_id) from None
    try:
        yield find(settings, own, owner, now)
    finally:
        shutil.rmtree(folder.with_name(own), ignore_errors=True)


def drop(settings: Settings, upload_id: str) -> None:
    """Nothing of it is left."""
    shutil.rmtree(_folder(settings) / upload_id, ignore_errors=True)


def drop_expired(settings: Settings, now: int) -> None:
    """Drop what nobody has confirmed in time."""
    for folder in _folder(settings).glob("*"):
        with suppress(FileNotFoundError):  # somebody else was quicker
            if folder.stat().st_mtime < now - KEPT_S:
                shutil.rmtree(folder, ignore_errors=True)


def _folder(settings: Settings) -> Path:
    return settings.data_dir / "uploads"


def _harmless_name(name: str) -> str:
    kept = _UNSAFE.sub("_", name).strip(". ")
    return kept[-_NAME_LENGTH:].strip(". ") or "upload"


@contextmanager
def _private(path: Path) -> Iterator[BinaryIO]:
    path.touch(mode=0o600, exist_ok=False)
    with path.open("wb") as target:
        yield target
