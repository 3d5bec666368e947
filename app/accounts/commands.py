"""Commands of users, tokens and the audit log.

Who has the shell has the database: the commands act as the system itself, and say so in the log.
"""

import time
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from app.accounts import audit, queries, tokens, users
from app.accounts.audit import shell_actor
from app.accounts.audit_queries import AuditSelection, read_audit
from app.accounts.permissions import Permission, Role
from app.accounts.tokens import DEFAULT_DAYS, LONGEST_DAYS, Scope, wall_link
from app.console import (
    Format,
    asked_password,
    errors_for_people,
    notices,
    opened,
    print_json,
    print_table,
)

EVERY = 1_000_000
"""How many rows a list shows."""

Name = Annotated[str, typer.Argument(help="The name.")]
RoleOption = Annotated[Role, typer.Option(help="What it may do.")]
Station = Annotated[
    str | None, typer.Option(help="For the role station (or a wall in one): its code.")
]
Contractor = Annotated[
    str | None, typer.Option(help="For the role contractor (or its wall): its code.")
]
Generate = Annotated[bool, typer.Option("--generate", help="Make a password up; print it once.")]
ListFormat = Annotated[Format, typer.Option("--format", help="How to print (table or json).")]

users_group = typer.Typer(help="Users.", no_args_is_help=True)
tokens_group = typer.Typer(help="Tokens of other systems.", no_args_is_help=True)
audit_group = typer.Typer(help="The log of who did what.", no_args_is_help=True)


@users_group.command("add")
def add_user(
    name: Name,
    role: RoleOption,
    station: Station = None,
    contractor: Contractor = None,
    generate: Generate = False,
) -> None:
    """Add a user. The password is asked for (or read from a pipe); it is changed at first sign-in.

    Without one (or with --generate) it is made up and printed once, on standard output.
    """
    with errors_for_people(), opened() as (_, database):
        reach = users.reach_of(role, station, contractor)
        password = None if generate else asked_password(f"Password of {name}: ", twice=True)
        with database.write() as session:
            user, told = users.add_user(
                session, name, role, reach, password or None, shell_actor(), int(time.time())
            )
    notices.print(f"{user.name} ({role.value}) may sign in.", markup=False)
    _tell_once(told)


@users_group.command("list")
def list_users(form: ListFormat = Format.TABLE) -> None:
    """All users, by name."""
    with errors_for_people(), opened() as (settings, database), database.read() as session:
        rows: list[dict[str, object]] = [
            {
                "name": user.name,
                "role": user.role,
                "of": user.station or user.contractor,
                "state": "disabled" if user.disabled_at else "enabled",
                "signed_in_at": _local(user.signed_in_at, settings.zone),
            }
            for user in queries.read_users(session, None, 0, EVERY)
        ]
    _print_rows(rows, form)


@users_group.command("disable")
def disable_user(name: Name) -> None:
    """Let nobody sign in under this name; its sessions end."""
    _set_disabled(name, True)


@users_group.command("enable")
def enable_user(name: Name) -> None:
    """Let the name sign in again."""
    _set_disabled(name, False)


@users_group.command("reset-password")
def reset_password(name: Name, generate: Generate = False) -> None:
    """Give another password, to be changed at the next sign-in; a locked name is free again."""
    with errors_for_people(), opened() as (_, database):
        password = None if generate else asked_password(f"Password of {name}: ", twice=True)
        with database.write() as session:
            user = users.find_user(session, name)
            told = users.reset_password(
                session, user, password or None, shell_actor(), int(time.time())
            )
    notices.print(f"{user.name} has another password.", markup=False)
    _tell_once(told)


@tokens_group.command("add")
def add_token(
    name: Name,
    role: RoleOption,
    station: Station = None,
    contractor: Contractor = None,
    permission: Annotated[
        list[Permission] | None,
        typer.Option(help="Only this of what the role may do (may be said again)."),
    ] = None,
    days: Annotated[
        int, typer.Option(min=1, max=LONGEST_DAYS, help="It ends after so many days.")
    ] = DEFAULT_DAYS,
) -> None:
    """Add a token. It is printed once, on standard output, and sent as Authorization: Bearer."""
    with errors_for_people(), opened() as (settings, database):
        scope = Scope(role, users.reach_of(role, station, contractor), permission or None)
        with database.write() as session:
            token, text = tokens.add_token(
                session, name, scope, days, shell_actor(), int(time.time())
            )
        ends = _local(token.expires_at, settings.zone)
    notices.print(f"Token {token.id} ({role.value}) ends at {ends}.", markup=False)
    if role is Role.WALL:
        place = "ADDRESS" + wall_link("TOKEN")
        notices.print(f"The screen opens {place}, with the server's address.", markup=False)
    _tell_once(text)


@tokens_group.command("list")
def list_tokens(form: ListFormat = Format.TABLE) -> None:
    """All tokens, newest first; their texts are not kept."""
    with errors_for_people(), opened() as (settings, database), database.read() as session:
        rows: list[dict[str, object]] = [
            {
                "id": token.id,
                "name": token.name,
                "role": token.role,
                "of": token.station or token.contractor,
                "expires_at": _local(token.expires_at, settings.zone),
                "used_at": _local(token.used_at, settings.zone),
                "revoked_at": _local(token.revoked_at, settings.zone),
            }
            for token in queries.read_tokens(session, 0, EVERY)
        ]
    _print_rows(rows, form)


@tokens_group.command("revoke")
def revoke_token(token_id: Annotated[int, typer.Argument(min=1, help="Its id.")]) -> None:
    """Revoke a token."""
    with errors_for_people(), opened() as (_, database), database.write() as session:
        token = tokens.revoke_token(session, token_id, shell_actor(), int(time.time()))
    notices.print(f"Token {token.id} ({token.name}) is revoked.", markup=False)


@audit_group.command("verify")
def verify_log() -> None:
    """Check the chain of hashes from its first entry to the last."""
    with errors_for_people(), opened() as (_, database), database.read() as session:
        checked = audit.verify(session)
    print(f"{checked.entries} entries from {checked.first_id} on, unbroken.")
    print(f"Newest hash: {checked.last_hash}")


@audit_group.command("list")
def list_log(
    action: Annotated[str | None, typer.Option(help="Only these, by their beginning.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 50,
    form: ListFormat = Format.TABLE,
) -> None:
    """The newest entries."""
    with errors_for_people(), opened() as (settings, database), database.read() as session:
        rows: list[dict[str, object]] = [
            {
                "id": entry.id,
                "at": _local(entry.at, settings.zone),
                "actor": entry.actor,
                "address": entry.address,
                "action": entry.action,
                "subject": entry.subject,
                "details": entry.details,
            }
            for entry in read_audit(session, AuditSelection(action=action), 0, limit)
        ]
    _print_rows(rows, form)


def _set_disabled(name: str, disabled: bool) -> None:
    with errors_for_people(), opened() as (_, database), database.write() as session:
        user = users.find_user(session, name)
        users.set_disabled(session, user, disabled, shell_actor(), int(time.time()))
    notices.print(f"{user.name} is {'disabled' if disabled else 'enabled'}.", markup=False)


def _tell_once(secret: str | None) -> None:
    if secret is not None:
        print(secret)


def _print_rows(rows: list[dict[str, object]], form: Format) -> None:
    if form is Format.CSV:
        raise typer.BadParameter("use table or json", param_hint="--format")
    if form is Format.JSON:
        print_json(rows)
    else:
        print_table(rows)


def _local(instant: int | None, zone: ZoneInfo) -> str | None:
    return None if instant is None else datetime.fromtimestamp(instant, zone).isoformat()
