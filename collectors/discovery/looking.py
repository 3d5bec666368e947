"""Is there an ONVIF device at an address? Asked without a password, by the hot path's own question.

1. GetSystemDateAndTime on each port, until one answers, if only by a SOAP fault, or asks for a
   password.
2. GetDeviceInformation there; a camera that wants a password for it tells nothing, and is found all
   the same. Nothing here could show a password: none is known.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

from lxml import etree

from collectors.discovery.found import Found, Unasked
from collectors.discovery.pace import Pace
from collectors.onvif import telling
from collectors.onvif.conversation import Answer, host_of, send
from collectors.onvif.envelope import DEVICE_INFORMATION, SYSTEM_DATE_AND_TIME, Operation, request
from collectors.onvif.http import Failure
from collectors.onvif.reply import Kind, local_name, read_xml
from collectors.probe import ProbeMethod, Target
from kpi.status import Status

USUAL_PORTS = (80, 8080)
TLS_PORT = 443
"""Asked by TLS; every other port of a search without it."""

AT_ONCE = 256
"""So many addresses are asked at a time, however slowly they answer."""

_TOLD = {
    "Manufacturer": "vendor",
    "Model": "model",
    "SerialNumber": "serial",
    "FirmwareVersion": "firmware",
}
Outcome = Found | Unasked | None


async def scan(
    addresses: Collection[str],
    ports: Sequence[int],
    pace: Pace,
    timeout_s: float,
    report: Callable[[int], None],
) -> list[Found | Unasked]:
    """Look at each address; `report` is told after each how many are done."""
    free = asyncio.Semaphore(AT_ONCE)
    outcomes: list[Outcome] = []

    async def one(address: str) -> None:
        try:
            outcomes.append(await look(address, ports, timeout_s))
            report(len(outcomes))
        finally:
            free.release()

    async with asyncio.TaskGroup() as group:
        for address in addresses:
            await free.acquire()
            await pace.turn()
            group.create_task(one(address))
    return [outcome for outcome in outcomes if outcome]


async def look(address: str, ports: Sequence[int], timeout_s: float) -> Outcome:
    """The device at an address, on the first port that has one; None where there is none.

    Each question may take `timeout_s`.
    """
    for port in ports:
        found = Found(address, port, tls=port == TLS_PORT)
        answer = await _ask(found, SYSTEM_DATE_AND_TIME, timeout_s)
        if isinstance(answer, Failure):
            if answer.observation.status is Status.UNKNOWN:
                return Unasked(address, answer.observation)
        elif answer.refused:
            return replace(found, refuses=True)
        elif answer.good or answer.soap.kind is Kind.FAULT:
            return await describe(found, timeout_s)
    return None


async def describe(found: Found, timeout_s: float) -> Found:
    """The same with what the device tells of itself, as far as it does."""
    if found.port is None:
        return found
    answer = await _ask(found, DEVICE_INFORMATION, timeout_s)
    if isinstance(answer, Failure) or not answer.good:
        return found
    root = read_xml(answer.http.body)
    return found if root is None else replace(found, **_told(root))


async def _ask(found: Found, operation: Operation, timeout_s: float) -> Answer | Failure:
    target = Target(0, found.address, found.port or 0, ProbeMethod.ONVIF, tls=found.tls)
    deadline = asyncio.get_running_loop().time() + timeout_s
    return await send(target, operation, request(operation, host_of(target)), deadline)


def _told(root: etree._Element) -> dict[str, Any]:
    """Fields of `Found` by what the first element of each name says."""
    told: dict[str, Any] = {}
    for element in root.iter(etree.Element):
        name = _TOLD.get(local_name(element))
        said = telling.text(element.text)
        if name and said:
            told.setdefault(name, said)
    return told
