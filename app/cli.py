"""The command `intact`: puts the subjects' commands together and decides nothing."""

from typing import Annotated

import typer

from app.availability.commands import show_kpi
from app.config import config_file, load_settings
from app.console import errors_for_people, opened
from app.database import Database
from app.demo.commands import demo_command, simulate_command
from app.evidence.commands import (
    import_devices_command,
    import_samples_command,
    import_suspensions_command,
    probe_command,
    sweep_command,
)
from app.fleet.commands import export_devices
from app.logs import configure_logs
from app.schedule import run_collector
from app.serving import require_closed, serve

cli = typer.Typer(
    help="Operations monitor of a camera fleet (完好率).",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
imports = typer.Typer(help="Take over files: register, suspensions, samples.", no_args_is_help=True)
exports = typer.Typer(help="Write files that can be taken over again.", no_args_is_help=True)
db = typer.Typer(help="The database.", no_args_is_help=True)
cli.add_typer(imports, name="import")
cli.add_typer(exports, name="export")
cli.add_typer(db, name="db")

imports.command("devices")(import_devices_command)
imports.command("suspensions")(import_suspensions_command)
imports.command("samples")(import_samples_command)
exports.command("devices")(export_devices)
cli.command("kpi")(show_kpi)
cli.command("sweep")(sweep_command)
cli.command("probe")(probe_command)
cli.command("simulate")(simulate_command)
cli.command("demo")(demo_command)


@cli.command("serve")
def serve_command(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65_535, help="Port.")] = None,
    insecure_open: Annotated[
        bool,
        typer.Option("--insecure-open", help="Allow an address that others reach: no sign-in yet!"),
    ] = False,
) -> None:
    """Serve pages and REST, and run the collector as a child."""
    with errors_for_people():
        if not insecure_open:
            require_closed(load_settings(host=host, port=port))
        with opened(host=host, port=port) as (settings, database):
            serve(database, settings)


@cli.command("collect")
def collect_command(
    with_parent: Annotated[
        bool, typer.Option("--with-parent", hidden=True, help="End when standard input closes.")
    ] = False,
) -> None:
    """Collect: a sweep each slot, the ledger beside it. `intact serve` runs this by itself."""
    with errors_for_people(), opened() as (settings, database):
        run_collector(database, settings, with_parent=with_parent)


@cli.command("check-config")
def check_config() -> None:
    """Check the settings and list every problem at once."""
    with errors_for_people():
        settings = load_settings()
    print(f"The configuration is right (file: {config_file() or 'none'}).")
    for name, value in settings.model_dump().items():
        print(f"  {name} = {'(not set)' if value is None else value}")


@db.command("upgrade")
def upgrade_database() -> None:
    """Bring the schema to the newest version."""
    with errors_for_people():
        database = Database(load_settings().sqlalchemy_url)
        try:
            database.upgrade()
        finally:
            database.close()
    print("The database is at the newest version.")


def main() -> None:
    """Entry point of the command."""
    configure_logs()
    cli()


if __name__ == "__main__":
    main()
