"""WS-Discovery: a Probe to 239.255.255.250:3702, and what answers it.

Asked on the interfaces whose own address lies in a network that may be searched; answers from
outside these networks are ignored. A question goes no further than the next router (TTL 1).
"""

import asyncio
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from ipaddress import IPv4Network, IPv6Network, ip_address
from uuid import UUID, uuid4

from collectors.discovery.found import Found
from collectors.discovery.matches import probes, read_match

GROUP, PORT = "239.255.255.250", 3702
MAX_BYTES = 16 * 1024
"""Of one answer; a longer one is ignored."""

MAX_DEVICES = 4_096
MAX_ANSWERS = 4 * MAX_DEVICES
_BUFFER_BYTES = 4 << 20
"""Thousands may answer within half a second; the system may allow less."""

_SENDINGS = 2
"""Datagrams get lost: each question is asked so often, spread over the time of waiting."""

Networks = Sequence[IPv4Network | IPv6Network]


def own_addresses(networks: Networks) -> list[str]:
    """This host's IPv4 addresses inside the networks: those from which it would reach them."""
    found = (_address_towards(network) for network in networks if network.version == 4)
    return list(dict.fromkeys(each for each in found if each and _is_in(each, networks)))


async def search(networks: Networks, wait_s: float, *, port: int = PORT) -> list[Found]:
    """The devices that answered within `wait_s` seconds, by address.

    Raises `OSError` where this host cannot ask.
    """
    message = uuid4()
    loop = asyncio.get_running_loop()
    answers = _Answers(networks, message)
    with ExitStack() as open_sockets:
        transports = []
        for address in own_addresses(networks):
            transport, _ = await loop.create_datagram_endpoint(
                lambda: answers, sock=_socket(address)
            )
            open_sockets.callback(transport.close)
            transports.append(transport)
        for _ in range(_SENDINGS):
            for transport in transports:
                for probe in probes(message):
                    transport.sendto(probe, (GROUP, port))
            await asyncio.sleep(wait_s / _SENDINGS)
    return [answers.found[address] for address in sorted(answers.found, key=ip_address)]


class _Answers(asyncio.DatagramProtocol):
    """Keeps the first answer of each address."""

    def __init__(self, networks: Networks, message: UUID) -> None:
        self._networks = networks
        self._message = message
        self._left = MAX_ANSWERS
        self.found: dict[str, Found] = {}

    def datagram_received(self, data: bytes, sender: tuple[str | int, ...]) -> None:
        address = str(sender[0])
        if not _is_in(address, self._networks) or address in self.found:
            return
        if self._left == 0 or len(data) > MAX_BYTES or len(self.found) == MAX_DEVICES:
            return
        self._left -= 1
        found = read_match(data, address, self._message)
        if found:
            self.found[address] = found


def _socket(address: str) -> socket.socket:
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sender.setblocking(False)
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        sender.bind((address, 0))
    except OSError:
        sender.close()
        raise
    return sender


def _address_towards(network: IPv4Network | IPv6Network) -> str | None:
    """The address that the routes choose; a UDP socket that is connected sends nothing."""
    neighbour = network[min(1, network.num_addresses - 1)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        try:
            unused.connect((str(neighbour), PORT))
        except OSError:  # no route
            return None
        return str(unused.getsockname()[0])


def _is_in(address: str, networks: Networks) -> bool:
    return any(ip_address(address) in network for network in networks)
