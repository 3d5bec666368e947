"""Commands that save the database with its archive, and put them back."""

import time
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from app.config import load_settings
from app.console import errors_for_people, notices, opened
from app.evidence.backup.backing_up import back_up
from app.evidence.backup.restoring import restore
from app.fleet.secrets import KEY_FILE


def backup_command(
    folder: Annotated[Path, typer.Argument(help="A new folder.", metavar="DIR")],
) -> None:
    """Save the database and the archive as they are at this moment; a running server goes on.

    The key of the stored passwords is not saved with them: keep it elsewhere.
    """
    with errors_for_people(), opened() as (settings, database):
        manifest = back_up(database, settings, folder, int(time.time()))
    size = sum(entry.size_bytes for entry in manifest.files.values())
    notices.print(f"{folder}: {len(manifest.files)} file(s), {size / 1e6:,.1f} MB.")
    if manifest.key is not None:
        notices.print(
            f"The passwords in it need the key {manifest.key} ({KEY_FILE} or INTACT_SECRET_KEY): "
            "keep it apart from the backup."
        )


def restore_command(
    folder: Annotated[Path, typer.Argument(help="The folder of a backup.", metavar="DIR")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Put aside what is there already.")
    ] = False,
) -> None:
    """Put a backup back, whole or not at all; the server must not run meanwhile."""
    with errors_for_people():
        settings = load_settings()
        done = restore(settings, folder, int(time.time()), replace=replace)
    made = datetime.fromtimestamp(done.manifest.created_at, settings.zone)
    notices.print(f"Restored as of {made:%Y-%m-%d %H:%M:%S}; `intact audit` holds months to it.")
    if done.aside is not None:
        notices.print(f"What was there before lies in {done.aside}.")
    if done.key_fits is False:
        notices.print(
            f"The stored passwords need the key {done.manifest.key}, which is not the present one: "
            f"put {KEY_FILE} back or set INTACT_SECRET_KEY."
        )
