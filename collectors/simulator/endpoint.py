"""The address of one device: opens, closes and silences what listens there."""

import asyncio
import errno
import socket
from enum import Enum
from functools import partial

from collectors.simulator.bad_certificate import bad_certificate_context
from collectors.simulator.camera import Camera
from collectors.simulator.connection import CameraConnection
from collectors.simulator.equipment import Equipment, EquipmentConnection
from collectors.simulator.errors import AddressError
from collectors.simulator.faults import Behaviour, Link
from collectors.simulator.fleet import Device

_BACKLOG = 64


class _Door(Enum):
    OPEN = "open"
    TLS = "open, by TLS only"
    CLOSED = "closed"
    BLOCKED = "blocked"


_REASONS = {
    errno.EADDRINUSE: (
        "another program listens there",
        "choose another port, or end the program that holds it",
    ),
    errno.EADDRNOTAVAIL: ("this system has no such address", "run it on Linux"),
    errno.EACCES: ("ports below 1024 are for root", "choose another port"),
}
_DOORS = {Link.CLOSED: _Door.CLOSED, Link.UNREACHABLE: _Door.BLOCKED}


class Endpoint:
    """The address of one device. `apply` is the only way in; `close` ends it."""

    __slots__ = ("_door", "_host", "_plug", "_port", "_server", "device", "state")

    def __init__(self, device: Device) -> None:
        if device.port is None:
            raise ValueError(f"{device.code} has no port to listen on")
        self._host, self._port = device.address, device.port
        self.device = device
        self.state = Camera(device) if device.kind == "camera" else Equipment()
        self._door = _Door.CLOSED
        self._server: asyncio.AbstractServer | None = None
        self._plug: tuple[socket.socket, ...] = ()

    async def apply(self, behaviour: Behaviour) -> None:
        """Behave so from now on.

        Raises `AddressError` where the address cannot be listened on.
        """
        self.state.behave(behaviour)
        if behaviour.link in (Link.RESET, Link.CLOSED):
            self._cut_off()  # a hung or unreachable device keeps its connections and is silent
        is_open = _Door.TLS if behaviour.bad_certificate else _Door.OPEN
        door = _DOORS.get(behaviour.link, is_open)
        if door is not self._door:
            self._shut()
            await self._open(door)

    def close(self) -> None:
        """Stop listening and cut every connection off."""
        self._shut()
        self._cut_off()

    async def _open(self, door: _Door) -> None:
        if door in (_Door.OPEN, _Door.TLS):
            tls = bad_certificate_context() if door is _Door.TLS else None
            listener = self._listener(_BACKLOG)
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(self._factory(), sock=listener, ssl=tls)
        elif door is _Door.BLOCKED:
            self._plug = _plugged(self._listener(0))
        self._door = door

    def _factory(self) -> partial[CameraConnection] | partial[EquipmentConnection]:
        if isinstance(self.state, Camera):
            return partial(CameraConnection, self.state)
        return partial(EquipmentConnection, self.state)

    def _shut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for plug in self._plug:
            plug.close()
        self._plug = ()
        self._door = _Door.CLOSED

    def _cut_off(self) -> None:
        for connection in tuple(self.state.connections):
            connection.reset()

    def _listener(self, backlog: int) -> socket.socket:
        listener: socket.socket | None = None
        try:
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            listener.setblocking(False)
            # connections of an earlier run may still be in TIME_WAIT
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self._host, self._port))
            listener.listen(backlog)
        except OSError as error:
            if listener is not None:
                listener.close()
            raise self._explained(error) from error
        return listener

    def _explained(self, error: OSError) -> AddressError:
        reason, remedy = _REASONS.get(error.errno or 0, (str(error), "choose another port"))
        return AddressError(self._host, self._port, f"{reason}; {remedy}")


def _plugged(listener: socket.socket) -> tuple[socket.socket, ...]:
    """The listener with its queue full: Linux then drops every new connection without a word.

    That is how a device behind a dead uplink looks: neither accepted nor refused.
    """
    filler = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    filler.setblocking(False)
    try:
        filler.connect_ex(listener.getsockname())
    except OSError:
        filler.close()
        listener.close()
        raise
    return listener, filler
