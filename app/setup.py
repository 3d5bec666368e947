"""Commands of the installation itself: settings, schema and key."""

import typer

from app.availability.map_outline import read_outline
from app.config import config_file, load_settings
from app.console import errors_for_people, opened
from app.database import open_database
from app.fleet.key_rotation import rotate_key

db = typer.Typer(help="The database.", no_args_is_help=True)


def check_config() -> None:
    """Check the settings and list every problem at once."""
    with errors_for_people():
        settings = load_settings()
        if settings.map_outline is not None:
            read_outline(settings.map_outline)
    print(f"The configuration is right (file: {config_file() or 'none'}).")
    for name, value in settings.model_dump().items():
        print(f"  {name} = {'(not set)' if value is None else value}")


def rotate_key_command() -> None:
    """Encrypt what is stored encrypted with a new key. A running server goes on meanwhile."""
    from app.operations.delivery.recipients import encrypt_anew  # which other commands do without

    with errors_for_people(), opened() as (settings, database):
        count = rotate_key(database, settings, [encrypt_anew])
    print(f"{count} passwords and addresses are stored under a new key.")


@db.callback()
def about() -> None:
    """The database."""


@db.command("upgrade")
def upgrade_database() -> None:
    """Bring the schema to the newest version."""
    with errors_for_people():
        open_database(load_settings(), upgrade=True).close()
    print("The database is at the newest version.")
