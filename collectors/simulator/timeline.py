"""Which behaviour each device shows at an instant: a scenario bound to a fleet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from collectors.simulator.errors import ScenarioError
from collectors.simulator.faults import HEALTHY, KINDS, Behaviour
from collectors.simulator.fleet import Device, SimulatedFleet
from collectors.simulator.scenario import Fault, Scenario, Selection


@dataclass(frozen=True, slots=True)
class BoundFault:
    """A fault and the codes of the devices it hits."""

    fault: Fault
    codes: tuple[str, ...]

    def is_active(self, at_ms: int) -> bool:
        """Whether the fault lasts at `at_ms`; its start is inside, its end is not."""
        since = at_ms - self.fault.start_ms
        if since < 0:
            return False
        if self.fault.every_ms is not None:
            since %= self.fault.every_ms
        return self.fault.length_ms is None or since < self.fault.length_ms

    def next_change(self, at_ms: int) -> int | None:
        """The first instant after `at_ms` at which the fault begins or ends; None: never."""
        start, length, every = self.fault.start_ms, self.fault.length_ms, self.fault.every_ms
        if at_ms < start:
            return start
        if length is None:
            return None
        if every is not None:
            start += (at_ms - start) // every * every
        if at_ms < start + length:
            return start + length
        return start + every if every is not None else None


class Timeline:
    """The faults of a scenario over the time since the simulator began.

    Raises `ScenarioError` where the scenario names what the fleet does not have.
    """

    def __init__(self, scenario: Scenario, fleet: SimulatedFleet) -> None:
        problems = tuple(_binding_problems(scenario, fleet))
        if problems:
            raise ScenarioError(problems)
        self.faults = tuple(_bound(scenario, fleet))

    def behaviours_at(self, at_ms: int) -> dict[str, Behaviour]:
        """Behaviour of every device, by code, that some fault hits at `at_ms`."""
        behaviours: dict[str, Behaviour] = {}
        for bound in self.faults:
            if not bound.is_active(at_ms):
                continue
            change, settings = KINDS[bound.fault.kind].change, bound.fault.settings
            for code in bound.codes:
                behaviours[code] = change(behaviours.get(code, HEALTHY), settings)
        return behaviours

    def next_change(self, at_ms: int) -> int | None:
        """The first instant after `at_ms` at which some fault begins or ends; None: never."""
        changes = (bound.next_change(at_ms) for bound in self.faults)
        return min((change for change in changes if change is not None), default=None)


def with_failing_equipment_by_tcp(fleet: SimulatedFleet, scenario: Scenario) -> SimulatedFleet:
    """The fleet with each piece of equipment that the scenario makes fail probed by TCP.

    The kernel answers a ping for every loopback address, so that by ping it would never fail.
    Raises `ScenarioError` like `Timeline`.
    """
    failing: set[str] = set()
    for bound in Timeline(scenario, fleet).faults:
        if KINDS[bound.fault.kind].reaches_equipment:
            failing.update(bound.codes)
    devices = tuple(
        replace(device, probe="tcp")
        if device.probe == "ping" and device.code in failing
        else device
        for device in fleet.devices
    )
    return replace(fleet, devices=devices)


def _binding_problems(scenario: Scenario, fleet: SimulatedFleet) -> Iterator[str]:
    for number, fault in enumerate(scenario.faults, 1):
        for problem in _fault_problems(fault, fleet):
            yield f"{scenario.source}: fault {number}: {problem}"


def _fault_problems(fault: Fault, fleet: SimulatedFleet) -> Iterator[str]:
    wanted = fault.selection.cameras
    if wanted is not None and wanted > len(fleet.cameras):
        yield (f"cameras = {wanted}: the fleet has {len(fleet.cameras)}; give fewer, or a share")
    for room in fault.selection.rooms:
        if room not in fleet.by_room:
            yield f"rooms = {room!r}: no such room; there are {', '.join(_few(fleet.by_room))}"
    for code in fault.selection.codes:
        device = fleet.by_code.get(code)
        if device is None:
            yield f"codes = {code!r}: no such device; take a code from the register"
        elif not _reaches(fault, device):
            yield f"codes = {code!r}: {fault.kind} does not apply to a {device.kind}; leave it out"


def _few(rooms: dict[str, tuple[Device, ...]]) -> list[str]:
    names = list(rooms)
    return names if len(names) <= 5 else [*names[:4], "..."]


def _reaches(fault: Fault, device: Device) -> bool:
    if device.kind == "camera":
        return True
    return bool(device.address) and KINDS[fault.kind].reaches_equipment


def _bound(scenario: Scenario, fleet: SimulatedFleet) -> Iterator[BoundFault]:
    drawn = [camera.code for camera in fleet.cameras]
    Random(fleet.seed).shuffle(drawn)  # noqa: S311 - a reproducible draw, no secret
    taken = 0
    for fault in scenario.faults:
        count = _count(fault.selection, len(drawn))
        if count is None:
            yield BoundFault(fault, _named(fault, fleet))
        else:
            yield BoundFault(fault, tuple(_wrapped(drawn, taken, count)))
            taken += count


def _count(selection: Selection, cameras: int) -> int | None:
    """How many cameras are drawn; None where the selection names them."""
    if selection.share is not None:
        return round(selection.share * cameras)
    return selection.cameras


def _wrapped(codes: Sequence[str], begin: int, count: int) -> Iterator[str]:
    for offset in range(count):
        yield codes[(begin + offset) % len(codes)]


def _named(fault: Fault, fleet: SimulatedFleet) -> tuple[str, ...]:
    if fault.selection.codes:
        return fault.selection.codes
    return tuple(
        device.code
        for room in fault.selection.rooms
        for device in fleet.by_room[room]
        if _reaches(fault, device)
    )
