"""One row of the register: which columns there are, and what must hold of a device.

A row holds only the columns of its file. An absent column leaves what the register says, an empty
cell clears it (to its default where there is one; never the password).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any, NamedTuple

from app.errors import Remedy
from app.fleet import cells
from app.fleet.cells import Rule
from app.fleet.tables import DeviceKind, ProbeChoice
from app.tabular import Columns, Problems, read_day

PASSWORD = "password"  # noqa: S105 - the column's name
ONVIF_PORT, ONVIF_TLS_PORT = 80, 443
PROBE_OF_KIND = {
    DeviceKind.CAMERA: ProbeChoice.ONVIF,
    DeviceKind.ROOM_EQUIPMENT: ProbeChoice.PING,
    DeviceKind.STORAGE: ProbeChoice.PING,
    DeviceKind.VEHICLE: ProbeChoice.NONE,
}


class CohortKey(NamedTuple):
    """The five by which devices are grouped: codes, or None where there is none."""

    kind: DeviceKind
    station: str | None
    room: str | None
    project: str | None
    contractor: str | None


@dataclass(frozen=True, slots=True)
class Record:
    """What the register says of a device, the password left out. Groups are codes."""

    code: str
    name: str
    kind: DeviceKind
    project: str | None
    station: str | None
    room: str | None
    contractor: str | None
    power_district: str | None
    address: str | None
    port: int | None
    probe: ProbeChoice
    tls: bool
    critical: bool
    vendor: str | None
    model: str | None
    serial: str | None
    firmware: str | None
    mac: str | None
    longitude: float | None
    latitude: float | None
    install_address: str | None
    position_class: int | None
    resolution: str | None
    commissioned_on: date | None
    decommissioned_on: date | None
    lease_ends_on: date | None
    username: str | None

    @property
    def cohort_key(self) -> CohortKey:
        return CohortKey(self.kind, self.station, self.room, self.project, self.contractor)

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in RECORD_FIELDS}


RECORD_FIELDS = tuple(item.name for item in fields(Record))


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the register file: its Chinese headers (the first is written) and its rule."""

    chinese: tuple[str, ...]
    rule: Rule


_GROUP = cells.text(64)

COLUMNS: Mapping[str, Column] = {
    "code": Column(("设备编码", "编码"), cells.text(64)),
    "name": Column(("设备名称", "名称"), cells.text(128, several_lines=True)),
    "kind": Column(("设备类型", "类型"), cells.choice(DeviceKind, cells.KIND_WORDS)),
    "project": Column(("项目", "所属项目"), _GROUP),
    "station": Column(("派出所", "所属派出所"), _GROUP),
    "room": Column(("机房", "监控室机房", "所属机房"), _GROUP),
    "contractor": Column(("承建单位", "运维单位", "承建/运维单位"), _GROUP),
    "power_district": Column(("供电片区",), _GROUP),
    "address": Column(("IP地址", "地址", "IP"), cells.address),
    "port": Column(("端口",), cells.port),
    "probe": Column(("探测方式",), cells.choice(ProbeChoice, cells.PROBE_WORDS)),
    "tls": Column(("加密",), cells.boolean),
    "critical": Column(("关键设备",), cells.boolean),
    "vendor": Column(("厂商",), cells.text(64)),
    "model": Column(("型号",), cells.text(64)),
    "serial": Column(("序列号",), cells.text(64)),
    "firmware": Column(("固件版本",), cells.text(64)),
    "mac": Column(("MAC地址", "MAC"), cells.mac),
    "longitude": Column(("经度",), cells.degrees(180)),
    "latitude": Column(("纬度",), cells.degrees(90)),
    "install_address": Column(("安装地址",), cells.text(256, several_lines=True)),
    "position_class": Column(("点位等级",), cells.position_class),
    "resolution": Column(("分辨率",), cells.text(32)),
    "commissioned_on": Column(("启用日期",), read_day),
    "decommissioned_on": Column(("停用日期",), read_day),
    "lease_ends_on": Column(("租赁到期日",), read_day),
    "username": Column(("用户名",), cells.text(128)),
    PASSWORD: Column(("密码",), cells.text(128)),
}

REGISTER_FILE = Columns(
    names={header: name for name, column in COLUMNS.items() for header in (name, *column.chinese)},
    required=frozenset({"code"}),
    key="code",
    secret=frozenset({PASSWORD}),
)


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """A row whose cells are right: values by field, None for an empty cell."""

    number: int
    code: str
    values: Mapping[str, Any]
    password: str = field(default="", repr=False)


def parse_row(number: int, row: Mapping[str, str], problems: Problems) -> RegisterRow | None:
    """Read the cells of a row; None, and the problems noted, where one is wrong."""
    before = problems.total
    values: dict[str, Any] = {}
    for name, cell in row.items():
        try:
            values[name] = COLUMNS[name].rule(cell) if cell else None
        except ValueError as error:
            problems.add(number, name, "" if name == PASSWORD else cell, error.args[0])
    for name in ("code", "name"):
        if name in row and not row[name]:
            problems.add(number, name, "", Remedy("must not be empty; fill it in"))
    if problems.total > before:
        return None
    password = values.pop(PASSWORD, None) or ""
    return RegisterRow(number, values["code"], values, password)


def merged(row: RegisterRow, present: Record | None, problems: Problems) -> Record | None:
    """What the register will say after this row; None, and the problems noted, if it must not."""
    values = present.as_dict() if present else dict.fromkeys(RECORD_FIELDS)
    values.update(row.values)
    kind = values["kind"] = DeviceKind(values["kind"] or DeviceKind.CAMERA)
    values["probe"] = values["probe"] or PROBE_OF_KIND[kind]
    values["tls"] = bool(values["tls"])
    values["critical"] = bool(values["critical"])
    if values["port"] is None and values["probe"] is ProbeChoice.ONVIF:
        values["port"] = ONVIF_TLS_PORT if values["tls"] else ONVIF_PORT
    record = Record(**values)
    faults = list(_faults(record))
    for name, value, remedy in faults:
        problems.add(row.number, name, value, remedy)
    return None if faults else record


def _faults(record: Record) -> Iterator[tuple[str, str, str]]:
    """Field, value and remedy of what does not fit together."""
    if not record.name:
        yield "name", "", Remedy("%(code)s is a new device; give it a name", code=record.code)
    if record.address is None and record.probe is not ProbeChoice.NONE:
        yield (
            "address",
            "",
            Remedy(
                "probe %(probe)s needs an address; fill it in, or use probe none",
                probe=record.probe,
            ),
        )
    if record.port is None and record.probe is ProbeChoice.TCP:
        yield "port", "", Remedy("probe tcp needs a port; fill it in")
    first, end = record.commissioned_on, record.decommissioned_on
    if first and end and end < first:
        yield (
            "decommissioned_on",
            str(end),
            Remedy("must not be before commissioned_on (%(first)s)", first=first),
        )
