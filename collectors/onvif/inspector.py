"""The deep inspection: what a camera is, what it can, where its video is. Once a day.

1. Its clock, by the hot path's own question: whether it lives, and what time a token must bear.
2. Device information, capabilities, services, network interfaces.
3. Its profiles, and the addresses of stream and picture of the first that has an encoder.

What is not answered is noted and the rest is asked all the same, so that a camera that hides its
serial number still tells its profiles. Source: DESIGN §5; ONVIF Core and Media specifications.
"""

import asyncio
from collections.abc import Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

from collectors.onvif import telling
from collectors.onvif.conversation import ask
from collectors.onvif.credentials import CredentialMemory
from collectors.onvif.envelope import MEDIA, PATH, SYSTEM_DATE_AND_TIME
from collectors.onvif.http import Failure
from collectors.onvif.inspection import Facts, Inspection, Profile, Service
from collectors.onvif.interview import Interview, Note, Question, Terms
from collectors.onvif.wsdl import DEVICE_SERVICE, MEDIA_SERVICE, Wsdl
from collectors.probe import Observation, Target
from kpi.status import Status

_STREAM = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
_BEYOND_CLOCK = frozenset({Status.SERVICE_FAULT})
"""With these the clock alone may be out of order; after anything else nothing more is asked."""
_DETAIL_LENGTH = 256


class Inspector:
    """Inspects cameras, any number at a time; zeep's work goes to `workers` threads.

    The WSDL is parsed once, here. `memory` holds what was learnt about passwords. Use it as a
    context manager, which ends the threads.
    """

    def __init__(
        self,
        memory: CredentialMemory | None = None,
        *,
        question_s: float = 5.0,
        workers: int = 8,
    ) -> None:
        self._memory = CredentialMemory() if memory is None else memory
        self._question_s = question_s
        self._wsdl = Wsdl()
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="inspection")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(cancel_futures=True)

    async def __call__(self, target: Target, deadline: float) -> Inspection:
        """Inspect one camera by `deadline` (in the running loop's `time()`)."""
        loop = asyncio.get_running_loop()
        worked_before = self._memory.worked(target.address, target.username, target.password)
        soon = min(deadline, loop.time() + self._question_s)
        clock = await ask(target, SYSTEM_DATE_AND_TIME, soon, self._memory)
        if isinstance(clock, Failure) and clock.observation.status not in _BEYOND_CLOCK:
            return self._given_up(target, clock.observation)
        offset_s = None if isinstance(clock, Failure) else clock.clock_offset_s
        terms = Terms(target, deadline, self._question_s, offset_s, worked_before)
        interview = Interview(self._wsdl, loop, terms, self._memory)
        facts = await loop.run_in_executor(self._threads, learn, interview)
        status, detail = judge(interview.notes, facts)
        return Inspection(status, detail, facts, offset_s, self._was_refused(target))

    def _given_up(self, target: Target, seen: Observation) -> Inspection:
        refused = self._was_refused(target)
        return Inspection(seen.status, seen.detail[:_DETAIL_LENGTH], password_refused=refused)

    def _was_refused(self, target: Target) -> bool:
        return self._memory.was_refused(target.address, target.username, target.password)


def learn(interview: Interview) -> Facts:
    """Ask everything there is to ask."""
    information = interview.ask(Question(DEVICE_SERVICE, "GetDeviceInformation"))
    capabilities = interview.ask(Question(DEVICE_SERVICE, "GetCapabilities"), {"Category": "All"})
    offered = interview.ask(
        Question(DEVICE_SERVICE, "GetServices", needed=False), {"IncludeCapability": False}
    )
    interfaces = interview.ask(Question(DEVICE_SERVICE, "GetNetworkInterfaces", needed=False))
    services = telling.services(offered)
    path = _media_path(services, capabilities)
    profiles = telling.profiles(interview.ask(Question(MEDIA_SERVICE, "GetProfiles", path)))
    main = next((each for each in profiles if each.encoding), profiles[0] if profiles else None)
    stream, picture = _addresses(interview, path, main) if main else (None, None)
    return Facts(
        vendor=telling.text(telling.field(information, "Manufacturer")),
        model=telling.text(telling.field(information, "Model")),
        serial=telling.text(telling.field(information, "SerialNumber")),
        firmware=telling.text(telling.field(information, "FirmwareVersion")),
        hardware_id=telling.text(telling.field(information, "HardwareId")),
        mac=telling.first_mac(interfaces),
        resolution=main.resolution if main else None,
        stream_uri=telling.address(stream, telling.STREAM_SCHEMES),
        snapshot_uri=telling.address(picture, telling.SNAPSHOT_SCHEMES),
        profiles=profiles,
        services=services,
        capabilities=telling.capabilities(capabilities),
    )


def _media_path(services: Sequence[Service], capabilities: Any) -> str:
    """Where the media service is asked for; some have all services in one place."""
    told = next((each.path for each in services if each.namespace == MEDIA), None)
    return told or telling.path_of(telling.field(capabilities, "Media", "XAddr")) or PATH


def _addresses(interview: Interview, path: str, profile: Profile) -> tuple[Any, Any]:
    """Where the profile's stream and picture are, as told."""
    token = {"ProfileToken": profile.token}
    stream = interview.ask(
        Question(MEDIA_SERVICE, "GetStreamUri", path), {"StreamSetup": _STREAM, **token}
    )
    picture = interview.ask(Question(MEDIA_SERVICE, "GetSnapshotUri", path, needed=False), token)
    return telling.field(stream, "Uri"), telling.field(picture, "Uri")


def judge(notes: Sequence[Note], facts: Facts) -> tuple[Status, str]:
    """The status of an inspection, and in words what was not answered.

    A camera that was asked so far lives: silence later is a fault of its service, no outage.
    """
    needed = [note for note in notes if note.question.needed]
    words = _complaints(needed)
    untold = [note.question.operation for note in notes if not note.question.needed]
    if untold:
        words.append(f"does not tell {', '.join(untold)}")
    status = _status({note.seen.status for note in needed})
    if status is Status.INTACT and not facts.profiles:
        status = Status.NO_VIDEO
        words.insert(0, "offers no media profile")
    return status, "; ".join(words)[:_DETAIL_LENGTH]


def _status(seen: Set[Status]) -> Status:
    """Our own lack before theirs, a refusal before any other fault."""
    if not seen:
        return Status.INTACT
    first = (Status.UNKNOWN, Status.AUTH_FAILED)
    return next((each for each in first if each in seen), Status.SERVICE_FAULT)


def _complaints(notes: Sequence[Note]) -> list[str]:
    """One for each thing that was seen, with the operations that met it."""
    met: dict[str, list[str]] = {}
    for note in notes:
        met.setdefault(note.seen.detail, []).append(note.question.operation)
    return [f"{', '.join(operations)}: {detail}" for detail, operations in met.items()]
