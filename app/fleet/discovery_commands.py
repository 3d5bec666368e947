"""The command that searches for devices that the register lacks."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
import uvloop

from app.console import errors_for_people, notices, opened, reported_progress
from app.errors import BadParameter
from app.fleet.discovering import Discovery, proposals, search_by_announcement, search_subnet
from app.tabular.drafts import whole_file
from app.tabular.writing import write_rows
from collectors.discovery.looking import USUAL_PORTS


def discover_command(
    subnet: Annotated[
        str | None,
        typer.Option(
            metavar="CIDR",
            help="Ask each address of this network (default: of all discovery_networks).",
        ),
    ] = None,
    ws_discovery: Annotated[
        bool,
        typer.Option(
            "--ws-discovery",
            help="Ask by multicast, on interfaces with an address in discovery_networks.",
        ),
    ] = False,
    port: Annotated[
        list[int] | None,
        typer.Option(
            min=1, max=65_535, help="Ask on this port, 443 by TLS; repeatable (default: 80, 8080)."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write this file, XLSX where it ends so, else CSV.")
    ] = None,
) -> None:
    """Search for ONVIF devices that the register lacks, and propose them as a file to import.

    Only networks named in the setting discovery_networks are searched, discovery_rate addresses a
    second; no password is ever sent. Nothing is imported by itself: codes (NEW- and the address)
    and names are provisional. Look through the file, replace each code by the device's own, add
    station, room, project and contractor, take out what is no camera of yours (a device that asks
    for a password at once tells only its address); then `intact import devices FILE`.

    Exit code: 1 where nothing was searched, or where some addresses could not be asked.
    """
    with errors_for_people():
        if ws_discovery and (subnet is not None or port):
            raise BadParameter("--ws-discovery", "takes no --subnet and no --port; leave them out")
        with (
            opened() as (settings, database),
            reported_progress() as report,
            _destination(out) as target,
        ):
            if ws_discovery:
                search = search_by_announcement(database, settings, progress=report)
            else:
                ports = port or USUAL_PORTS
                search = search_subnet(database, settings, subnet, ports=ports, progress=report)
            found = uvloop.run(search)
            write_rows(target, proposals(found.new), as_workbook=_is_workbook(out))
    _tell(found)


@contextmanager
def _destination(out: Path | None) -> Iterator[BinaryIO]:
    """Opened before the search: nobody waits an hour to hear that a file cannot be written."""
    if out is None:
        sys.stdout.flush()
        yield sys.stdout.buffer
    else:
        with whole_file(out) as target:
            yield target


def _is_workbook(out: Path | None) -> bool:
    return out is not None and out.suffix.lower() == ".xlsx"


def _tell(found: Discovery) -> None:
    """On standard error; leaves with exit code 1 where some addresses could not be asked."""
    refusing = sum(each.refuses for each in found.new)
    notices.print(
        f"{len(found.new)} devices proposed ({refusing} tell nothing without a password), "
        f"{found.known} addresses are in the register already",
        soft_wrap=True,
    )
    if found.unasked:
        first = found.unasked[0]
        notices.print(
            f"{len(found.unasked)} addresses could not be asked, such as {first.address}: "
            f"{first.seen.detail}",
            markup=False,
            soft_wrap=True,
        )
        raise typer.Exit(1)
