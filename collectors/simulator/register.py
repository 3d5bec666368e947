"""The register of a simulated fleet, as the CSV that the importer reads."""

import csv
import os
import tempfile
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TextIO

from collectors.simulator.fleet import Device

COLUMNS = (
    "code", "name", "kind", "project", "station", "room", "contractor", "power_district",
    "address", "port", "probe", "tls", "critical", "vendor", "model", "serial", "firmware", "mac",
    "longitude", "latitude", "install_address", "position_class", "resolution", "commissioned_on",
    "decommissioned_on", "lease_ends_on", "username", "password",
)  # fmt: skip

_LEASE_YEARS = 3
_FROM_DEVICE = frozenset(Device.__dataclass_fields__)


def write_register(path: Path, devices: Iterable[Device], commissioned_on: date) -> None:
    """Write the devices to `path`: UTF-8 with BOM, English headers, mode 0600.

    The file appears complete or not at all: it is written beside `path` and renamed. Leases end
    three years after `commissioned_on`, which all devices have in common.

    Raises `OSError` where the folder cannot be written to.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        # mkstemp gives mode 0600, before there is a password in the file
        with os.fdopen(handle, "w", encoding="utf-8-sig", newline="") as file:
            _write_rows(file, devices, commissioned_on)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _write_rows(file: TextIO, devices: Iterable[Device], commissioned_on: date) -> None:
    writer = csv.DictWriter(file, COLUMNS)
    writer.writeheader()
    lease_ends_on = _lease_end(commissioned_on).isoformat()
    for device in devices:
        row = {column: _cell(device, column) for column in COLUMNS if column in _FROM_DEVICE}
        row["tls"] = "" if device.kind == "vehicle" else "false"
        row["commissioned_on"] = commissioned_on.isoformat()
        row["lease_ends_on"] = lease_ends_on if device.leased else ""
        writer.writerow(row)


def _cell(device: Device, column: str) -> str:
    value = getattr(device, column)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _lease_end(begin: date) -> date:
    try:
        return begin.replace(year=begin.year + _LEASE_YEARS)
    except ValueError:  # begun on 29 February
        return begin.replace(year=begin.year + _LEASE_YEARS, day=28)
