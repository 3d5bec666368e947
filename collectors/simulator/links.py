"""A connection to a device, and how it is cut off."""

import asyncio
import socket
import struct
from typing import cast

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # linger for no time: a reset instead of an orderly end


class DeviceConnection(asyncio.Protocol):
    """One connection, known to its device for as long as it lasts."""

    __slots__ = ("_others", "transport")

    def __init__(self, others: "Connections") -> None:
        self._others = others
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's inherits from nothing
        self._others.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._others.discard(self)
        self.transport = None

    def reset(self) -> None:
        """Cut the connection off with a TCP reset."""
        if self.transport is not None:
            tcp = self.transport.get_extra_info("socket")
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self.transport.abort()


Connections = set[DeviceConnection]
