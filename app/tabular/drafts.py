"""A file that is there whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from app.errors import BadParameter


@contextmanager
def whole_file(file: Path, *, mode: int = 0o666) -> Iterator[BinaryIO]:
    """Write under another name; the file gets its own, and replaces a former one, at the end.

    `mode` is narrowed by the umask. Raises `BadParameter` where it cannot be written.
    """
    draft = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
        with os.fdopen(descriptor, "wb") as target:
            yield target
        draft.replace(file)
    except OSError as error:
        reason = f"{file} cannot be written ({error.strerror}); check folder and rights"
        raise BadParameter("FILE", reason) from error
    finally:
        draft.unlink(missing_ok=True)
