"""Devices that the register lacks: searched for in the networks that the settings name, proposed.

Nothing is written into the register, and no credentials are sent.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_address, ip_network

from app.config import Settings
from app.database import Database
from app.errors import BadParameter, ConfigurationError
from app.fleet.queries import registered_addresses
from app.fleet.tables import DeviceKind, ProbeChoice
from app.tabular import ReportProgress, harmless, unreported
from app.tabular.writing import Cell
from collectors.discovery import multicast
from collectors.discovery.found import Found, Unasked
from collectors.discovery.looking import USUAL_PORTS, describe, scan
from collectors.discovery.pace import Pace

MAX_ADDRESSES = 65_536
"""In one search; at the usual pace that is an hour."""

WAIT_S = 5.0
"""How long answers to WS-Discovery are waited for."""

PROVISIONAL = "NEW-"
"""What the code of a proposed device begins with; its address follows."""

COLUMNS = (
    "code", "name", "kind", "address", "port", "probe", "tls", "vendor", "model", "serial",
    "firmware", "install_address",
)  # fmt: skip

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a search found: `new` devices, how many addresses the register has already.

    `unasked` are the addresses that this host could not ask.
    """

    new: Sequence[Found]
    known: int
    unasked: Sequence[Unasked]


async def search_subnet(
    database: Database,
    settings: Settings,
    subnet: str | None = None,
    *,
    ports: Sequence[int] = USUAL_PORTS,
    progress: ReportProgress = unreported,
) -> Discovery:
    """Ask each address of `subnet` (None: of all networks that may be searched) on these ports.

    Addresses that the register has are not asked. Raises `BadParameter` for a subnet that may not
    be searched, `ConfigurationError` where none may.
    """
    addresses = _addresses(_chosen(settings, subnet))
    registered = _registered(database)
    asked = [address for address in addresses if address not in registered]
    outcomes = await scan(
        asked,
        ports,
        Pace(settings.discovery_rate),
        settings.attempt_timeout,
        lambda done: progress("asking", done, len(asked)),
    )
    new = [outcome for outcome in outcomes if isinstance(outcome, Found)]
    unasked = [outcome for outcome in outcomes if isinstance(outcome, Unasked)]
    return Discovery(_in_order(new), len(addresses) - len(asked), unasked)


async def search_by_announcement(
    database: Database,
    settings: Settings,
    *,
    wait_s: float = WAIT_S,
    port: int = multicast.PORT,
    progress: ReportProgress = unreported,
) -> Discovery:
    """Ask all devices of the own network segments to announce themselves (WS-Discovery).

    Raises `BadParameter` where this host has no address in a network that may be searched or cannot
    ask, `ConfigurationError` where none may be.
    """
    networks = _chosen(settings, None)
    if not multicast.own_addresses(networks):
        reason = f"this host has no IPv4 address in {_listed(networks)}; search with --subnet"
        raise BadParameter("--ws-discovery", reason)
    try:
        announced = await multicast.search(networks, wait_s, port=port)
    except OSError as error:
        reason = f"cannot ask ({error.strerror}); check the rules of this host, or use --subnet"
        raise BadParameter("--ws-discovery", reason) from error
    registered = _registered(database)
    lacking = [found for found in announced if found.address not in registered]
    pace = Pace(settings.discovery_rate)
    new = []
    for done, found in enumerate(lacking, 1):
        await pace.turn()
        new.append(await describe(found, settings.attempt_timeout))
        progress("asking", done, len(lacking))
    return Discovery(new, len(announced) - len(lacking), [])


def proposals(found: Iterable[Found]) -> Iterator[Sequence[Cell]]:
    """Header and rows as the import of the register reads them."""
    yield COLUMNS
    for device in found:
        yield [harmless(cell) for cell in _row(device)]


def _row(found: Found) -> list[str]:
    described = " ".join(filter(None, (found.vendor, found.model))) or "未命名设备"
    return [
        PROVISIONAL + found.address,
        found.name or f"{described} {found.address}",
        DeviceKind.CAMERA,
        found.address,
        str(found.port or ""),
        ProbeChoice.ONVIF,
        "true" if found.tls else "false",
        found.vendor or "",
        found.model or "",
        found.serial or "",
        found.firmware or "",
        found.location or "",
    ]


def _chosen(settings: Settings, subnet: str | None) -> Sequence[Network]:
    allowed = settings.discovery_networks
    if not allowed:
        raise ConfigurationError(
            [
                "discovery_networks: names no network, so none is searched; set those that may be, "
                "such as INTACT_DISCOVERY_NETWORKS=10.1.0.0/16"
            ]
        )
    if subnet is None:
        return allowed
    try:
        network = ip_network(subnet)
    except ValueError as error:
        reason = f"{error}; write a network such as 10.1.2.0/24"
        raise BadParameter("--subnet", reason) from None
    if not any(_is_inside(network, each) for each in allowed):
        reason = f"{network} is not inside discovery_networks ({_listed(allowed)}); name it there"
        raise BadParameter("--subnet", reason)
    return [network]


def _is_inside(network: Network, other: Network) -> bool:
    if isinstance(network, IPv4Network) and isinstance(other, IPv4Network):
        return network.subnet_of(other)
    if isinstance(network, IPv6Network) and isinstance(other, IPv6Network):
        return network.subnet_of(other)
    return False


def _addresses(networks: Collection[Network]) -> list[str]:
    """Every host's address, once. Raises `BadParameter` where there are too many."""
    of_4 = collapse_addresses(each for each in networks if isinstance(each, IPv4Network))
    of_6 = collapse_addresses(each for each in networks if isinstance(each, IPv6Network))
    apart: list[Network] = [*of_4, *of_6]
    count = sum(network.num_addresses for network in apart)
    if count > MAX_ADDRESSES:
        reason = (
            f"{_listed(networks)} has {count:,} addresses; search {MAX_ADDRESSES:,} at most, a "
            "network /16, at a time"
        )
        raise BadParameter("--subnet", reason)
    return [str(address) for network in apart for address in network.hosts()]


def _registered(database: Database) -> set[str]:
    with database.read() as session:
        return registered_addresses(session)


def _in_order(found: Iterable[Found]) -> list[Found]:
    return sorted(found, key=lambda each: _place(each.address))


def _place(address: str) -> tuple[int, int]:
    read = ip_address(address)
    return read.version, int(read)


def _listed(networks: Iterable[Network]) -> str:
    return ", ".join(map(str, networks))
