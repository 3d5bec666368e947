"""The hot path: does the camera's ONVIF service live, and is its clock right?"""

from collectors.onvif.conversation import ask
from collectors.onvif.credentials import CredentialMemory
from collectors.onvif.envelope import SYSTEM_DATE_AND_TIME
from collectors.onvif.http import Failure
from collectors.probe import Observation, Target
from kpi.status import Status


class OnvifProber:
    """Asks GetSystemDateAndTime, which needs no password by the standard.

    INTACT with latency, and with the clock offset where the camera told its UTC (to a second or so:
    it tells no fractions); CLOCK_WRONG where that is more than `clock_tolerance_s` off. Otherwise
    what `ask` found: AUTH_FAILED, SERVICE_FAULT, TIMEOUT, REFUSED, UNREACHABLE, or UNKNOWN where
    this host could not ask. Keep one prober for the life of the process: `memory` holds what was
    learnt about passwords, which protects accounts from being locked.
    """

    def __init__(
        self, clock_tolerance_s: float = 10.0, memory: CredentialMemory | None = None
    ) -> None:
        self._clock_tolerance_s = clock_tolerance_s
        self._memory = CredentialMemory() if memory is None else memory

    async def __call__(self, target: Target, deadline: float) -> Observation:
        """Return the observation by `deadline` (in the running loop's `time()`)."""
        answer = await ask(target, SYSTEM_DATE_AND_TIME, deadline, self._memory)
        if isinstance(answer, Failure):
            return answer.observation
        latency_ms, offset = answer.http.latency_ms, answer.clock_offset_s
        if offset is None or abs(offset) <= self._clock_tolerance_s:
            return Observation(Status.INTACT, latency_ms, offset)
        detail = f"its clock is {abs(offset):.0f} s {'ahead' if offset > 0 else 'behind'}"
        return Observation(Status.CLOCK_WRONG, latency_ms, offset, detail)
