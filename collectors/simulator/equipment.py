"""Room equipment and storage: answers TCP by accepting a connection and closing it."""

import asyncio

from collectors.simulator.faults import HEALTHY, Behaviour, Link
from collectors.simulator.links import Connections, DeviceConnection


class Equipment:
    """The state of one piece of equipment."""

    __slots__ = ("behaviour", "connections")

    def __init__(self) -> None:
        self.behaviour = HEALTHY
        self.connections: Connections = set()

    def behave(self, behaviour: Behaviour) -> None:
        """Behave so from now on."""
        self.behaviour = behaviour


class EquipmentConnection(DeviceConnection):
    """One connection to a piece of equipment."""

    __slots__ = ("_equipment",)

    def __init__(self, equipment: Equipment) -> None:
        super().__init__(equipment.connections)
        self._equipment = equipment

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self._equipment.behaviour.link is Link.RESET:
            self.reset()
        elif self._equipment.behaviour.link is not Link.HANG and self.transport is not None:
            self.transport.close()
