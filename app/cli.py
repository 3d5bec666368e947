"""The command `intact`: names the subjects' commands and decides nothing.

A command's module is loaded when the command is called: the collector then holds no web framework
in memory, and the web process no device library.
"""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from app.logs import configure_logs

COMMANDS = {
    "serve": "app.serving:serve_command",
    "collect": "app.schedule:collect_command",
    "demo": "app.demo.commands:demo_command",
    "simulate": "app.demo.commands:simulate_command",
    "import": "app.operations.city.commands:imports",
    "template": "app.evidence.template_commands:templates",
    "export": "app.fleet.commands:exports",
    "kpi": "app.availability.commands:show_kpi",
    "budget": "app.availability.commands:show_budget",
    "sweep": "app.evidence.commands:sweep_command",
    "probe": "app.evidence.commands:probe_command",
    "discover": "app.fleet.discovery_commands:discover_command",
    "archive": "app.evidence.archive.commands:archives",
    "audit": "app.evidence.auditing.commands:audit_command",
    "seal": "app.operations.seals.commands:seal_command",
    "amend": "app.operations.seals.commands:amend_command",
    "seals": "app.operations.seals.commands:seals_command",
    "workbook": "app.operations.workbook.commands:workbook_command",
    "backup": "app.evidence.backup.commands:backup_command",
    "restore": "app.evidence.backup.commands:restore_command",
    "faults": "app.operations.faults.commands:faults_group",
    "inspect": "app.evidence.inspection_commands:inspect_command",
    "accept-drift": "app.evidence.inspection_commands:accept_drift_command",
    "user": "app.accounts.commands:users_group",
    "token": "app.accounts.commands:tokens_group",
    "audit-log": "app.accounts.commands:audit_group",
    "check-config": "app.setup:check_config",
    "rotate-key": "app.setup:rotate_key_command",
    "db": "app.setup:db",
}
"""Name → module and function, or module and group of commands."""


class Commands(TyperGroup):
    """Loads a command when it is called; `--help` loads them all."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        found = getattr(import_module(module), attribute)
        if not isinstance(found, typer.Typer):
            single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            single.command(cmd_name)(found)
            found = single
        command = get_command(found)
        command.name = cmd_name
        return command


cli = typer.Typer(
    cls=Commands,
    help="Operations monitor of a camera fleet (完好率).",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@cli.callback()
def begin() -> None:
    """Operations monitor of a camera fleet (完好率)."""
    configure_logs()


def main() -> None:
    """Entry point of the command."""
    cli()


if __name__ == "__main__":
    main()
