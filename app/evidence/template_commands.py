"""Commands that write workbooks to be filled in and imported."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from app.console import errors_for_people, notices, opened
from app.errors import BadParameter
from app.tabular.drafts import whole_file

File = Annotated[Path, typer.Argument(help="The workbook to write (.xlsx).")]

templates = typer.Typer(help="Write workbooks to fill in and import.", no_args_is_help=True)


@templates.callback()
def about() -> None:
    """Write workbooks to fill in and import."""


@templates.command("devices")
def device_template_command(file: File) -> None:
    """Write a workbook for the register (一机一档): Chinese headers, an example, drop-downs.

    The example's code begins with 示例; an import leaves such rows out. Write over it or delete it.
    """
    from app.fleet.template import write_device_template  # openpyxl is heavy

    with errors_for_people(), opened() as (_, database):
        _write(file, lambda target: write_device_template(database, target))


@templates.command("suspensions")
def suspension_template_command(file: File) -> None:
    """Write a workbook for suspensions (报停): Chinese headers and an example.

    The example's code begins with 示例; an import leaves such rows out. Write over it or delete it.
    """
    from app.evidence.suspension_template import write_suspension_template  # openpyxl is heavy

    with errors_for_people():
        _write(file, write_suspension_template)


def _write(file: Path, write: Callable[[BinaryIO], None]) -> None:
    """Never over a file that is there: it may be one that was filled in."""
    if file.suffix.lower() != ".xlsx":
        raise BadParameter("FILE", f"{file} is to be a workbook; let its name end in .xlsx")
    if file.exists():
        raise BadParameter("FILE", f"{file} exists already; choose another name")
    with whole_file(file) as target:
        write(target)
    notices.print(f"{file} written: fill it in, then import it", markup=False, soft_wrap=True)
