"""The form of a device: its fields in sections, with their labels as texts of the catalogue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.fleet.changes import EFFECTIVE
from app.fleet.record import PASSWORD
from app.fleet.tables import DeviceKind, ProbeChoice
from app.web.language import message

KIND_NAMES: Mapping[str, str] = {
    DeviceKind.CAMERA: message("Camera"),
    DeviceKind.ROOM_EQUIPMENT: message("Room equipment"),
    DeviceKind.STORAGE: message("Storage"),
    DeviceKind.VEHICLE: message("Vehicle video"),
}
PROBE_NAMES: Mapping[str, str] = {
    ProbeChoice.ONVIF: "ONVIF",
    ProbeChoice.PING: "Ping",
    ProbeChoice.TCP: "TCP",
    ProbeChoice.NONE: message("not polled"),
}
POSITION_NAMES: Mapping[str, str] = {
    "1": message("Class 1"),
    "2": message("Class 2"),
    "3": message("Class 3"),
}
GROUP_FIELDS = ("station", "room", "project", "contractor")


@dataclass(frozen=True, slots=True)
class FormField:
    """A field: `look` is how it is drawn, `choices` value → word, `empty` the word for none."""

    name: str
    label: str
    look: str = "text"
    hint: str = ""
    choices: Mapping[str, str] | None = None
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Fields that belong together."""

    title: str
    fields: Sequence[FormField]


SECTIONS = (
    Section(
        message("Device"),
        (
            FormField("code", message("Code"), hint=message("National, or your own.")),
            FormField("name", message("Name")),
            FormField("kind", message("Kind"), "select", choices=KIND_NAMES),
            FormField(
                "critical",
                message("Critical equipment"),
                "check",
                message("Without it the room does not work."),
            ),
        ),
    ),
    Section(
        message("Where it belongs"),
        (
            FormField("station", message("Station"), "group"),
            FormField("room", message("Room"), "group"),
            FormField("project", message("Project"), "group"),
            FormField("contractor", message("Contractor"), "group"),
            FormField("power_district", message("Power district")),
            FormField(
                EFFECTIVE,
                message("Belongs there from"),
                "date",
                message("Empty: a device that is there already moves tomorrow."),
            ),
        ),
    ),
    Section(
        message("How it is polled"),
        (
            FormField("probe", message("Polled by"), "select", choices=PROBE_NAMES,
                      empty=message("as usual for its kind")),
            FormField("address", message("Address"), hint=message("Without the port.")),
            FormField("port", message("Port"), "number"),
            FormField("tls", message("Encrypted (TLS)"), "check"),
            FormField("username", message("User name")),
            FormField(
                PASSWORD,
                message("Password"),
                "password",
                message("Kept encrypted and never shown. Empty: it stays as it is."),
            ),
        ),
    ),
    Section(
        message("Make"),
        (
            FormField("vendor", message("Vendor")),
            FormField("model", message("Model")),
            FormField("serial", message("Serial number")),
            FormField("firmware", message("Firmware")),
            FormField("mac", message("MAC address")),
            FormField("resolution", message("Resolution")),
        ),
    ),
    Section(
        message("Position"),
        (
            FormField("longitude", message("Longitude"), hint=message("Decimal degrees.")),
            FormField("latitude", message("Latitude"), hint=message("Decimal degrees.")),
            FormField("install_address", message("Installed at")),
            FormField("position_class", message("Class of position"), "select",
                      choices=POSITION_NAMES, empty="–"),
        ),
    ),
    Section(
        message("Service"),
        (
            FormField("commissioned_on", message("In service from"), "date",
                      message("Empty: from its first entry.")),
            FormField("decommissioned_on", message("Out of service from"), "date"),
            FormField("lease_ends_on", message("Lease ends on"), "date",
                      message("A note only; it ends nothing.")),
        ),
    ),
)  # fmt: skip
FIELD_LABELS: Mapping[str, str] = {
    field.name: field.label for section in SECTIONS for field in section.fields
}
"""Field of the register → its label."""
VALUE_NAMES: Mapping[str, Mapping[str, str]] = {
    field.name: field.choices or {"true": message("yes"), "false": message("no")}
    for section in SECTIONS
    for field in section.fields
    if field.choices or field.look == "check"
}
"""Field of the register → what its values are called, where these are not its own words."""
