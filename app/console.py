"""What every command does alike: settings, database, output, errors.

Results go to standard output; progress, logs and errors to standard error, so that with
`--format json` standard output holds the JSON alone.
"""

import getpass
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from app.config import Settings, load_settings
from app.database import Database, open_database
from app.errors import BadParameter, IntactError
from app.tabular import ReportProgress
from kpi.calendar import Month

WIDTH_OF_A_FILE = 160
results = Console(width=None if sys.stdout.isatty() else WIDTH_OF_A_FILE)
notices = Console(stderr=True)


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"


@contextmanager
def opened(**overrides: object) -> Iterator[tuple[Settings, Database]]:
    """The settings (a command's options over them) and the database they name."""
    settings = load_settings(**overrides)
    database = open_database(settings)
    try:
        yield settings, database
    finally:
        database.close()


@contextmanager
def errors_for_people() -> Iterator[None]:
    """Print an `IntactError` as its words alone and leave with exit code 1."""
    try:
        yield
    except IntactError as error:
        print(f"{error.title}: {error}", file=sys.stderr)
        raise typer.Exit(1) from error


def month_of(text: str) -> Month:
    """The month that `--month` names. Raises `BadParameter`."""
    try:
        return Month.parse(text)
    except ValueError as error:
        raise BadParameter("--month", str(error)) from error


def asked_password(prompt: str = "Password: ", *, twice: bool = False) -> str:
    """A password typed without an echo, or the first line of a pipe. Raises `BadParameter`."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass(prompt)
    if twice and password and getpass.getpass("Once more: ") != password:
        raise BadParameter("password", "is not the same the second time; begin anew")
    return password


def progress() -> Progress:
    """A progress bar on standard error; silent where that is no terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=notices,
        disable=not notices.is_terminal,
    )


@contextmanager
def reported_progress() -> Iterator[ReportProgress]:
    """A progress bar for what reports (stage, done, total)."""
    with progress() as bar:
        tasks: dict[str, TaskID] = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage)
            bar.update(tasks[stage], completed=done, total=total)

        yield report


def print_json(document: object) -> None:
    """Write one JSON document to standard output."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def print_table(rows: Sequence[Mapping[str, object]], title: str | None = None) -> None:
    """Write rows (all with the same keys) as a table."""
    table = Table(title=title)
    for name in rows[0] if rows else ():
        table.add_column(name)
    for row in rows:
        table.add_row(*("–" if value is None else str(value) for value in row.values()))
    results.print(table)
