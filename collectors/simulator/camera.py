"""One simulated camera: what it knows, and what it answers."""

import time
from collections import deque
from dataclasses import dataclass, replace
from email.utils import formatdate
from typing import TYPE_CHECKING

from collectors.simulator import replies
from collectors.simulator.authentication import BasicGuard, DigestGuard, Lock, TokenGuard
from collectors.simulator.faults import HEALTHY, Behaviour, Demand, StreamDemand
from collectors.simulator.fleet import Device
from collectors.simulator.links import Connections
from collectors.simulator.picture import snapshot
from collectors.simulator.streams import Sent, rendered
from collectors.simulator.wire import Reply, Request, render

if TYPE_CHECKING:
    from collectors.simulator.connection import CameraConnection

_SERVICE_PATHS = (replies.DEVICE_PATH.encode(), replies.MEDIA_PATH.encode())
_SNAPSHOT_PATH = replies.SNAPSHOT_PATH.encode()


@dataclass(frozen=True, slots=True)
class Attempts:
    """What a camera was asked since its scenario began.

    `shown` requests carried credentials, `bad` of them wrong ones, `plain` readable ones;
    `replayed` ones used a nonce (or its count) again.
    """

    requests: int = 0
    shown: int = 0
    bad: int = 0
    plain: int = 0
    replayed: int = 0


@dataclass(frozen=True, slots=True)
class _Guards:
    """Who looks at a request: a snapshot is always asked for by HTTP digest."""

    demand: Demand
    token: TokenGuard
    digest: DigestGuard
    lock: Lock

    def refusal(self, request: Request, clock_s: float) -> Reply | None:
        """None where the credentials are right and the account is not locked."""
        shown = request.shows_password
        if shown and self.lock.is_closed:
            request = Request(request.target, request.method)
        replayed = self.replayed
        if self.demand.scheme == "http_digest" or request.path == _SNAPSHOT_PATH:
            refusal = self.digest.refusal(request)
        else:
            refusal = self.token.refusal(request, clock_s)
        if refusal is None:
            return None
        if shown and self.replayed == replayed:  # a nonce used again is no bad password
            self.lock.note_bad()
        return self._shaped(refusal)

    @property
    def replayed(self) -> int:
        """How often a nonce came again."""
        return self.token.replays + self.digest.replays

    def _shaped(self, refusal: Reply) -> Reply:
        """The refusal in the status and with the body that the scenario asks for."""
        status = self.demand.refusal_status or refusal.status
        if self.demand.refusal_body is None:
            return replace(refusal, status=status)
        body = _REFUSALS[self.demand.refusal_body]
        return replace(body, status=status, headers=refusal.headers)


_REFUSALS = {
    "soap": replies.fault(400, "Sender", "NotAuthorized", "sender not authorized"),
    "html": Reply(401, b"<html><body>Please log in</body></html>", "text/html"),
    "empty": Reply(401, b"", "text/plain"),
}


class Camera:
    """The state of one camera, shared by its connections."""

    __slots__ = (
        "_bad",
        "_guards",
        "_plain",
        "_requests",
        "_shown",
        "_stream_guard",
        "behaviour",
        "connections",
        "device",
        "served",
        "waiting",
    )

    def __init__(self, device: Device) -> None:
        self.device = device
        self.behaviour = HEALTHY
        self.connections: Connections = set()
        self._guards: _Guards | None = None
        self._stream_guard: BasicGuard | DigestGuard | None = None
        self.served: CameraConnection | None = None  # of those that are taken one at a time
        self.waiting: deque[CameraConnection] = deque()
        self.forget_attempts()

    def forget_attempts(self) -> None:
        """Count from nought, with every guard new."""
        self._requests = self._shown = self._bad = self._plain = 0
        if self.behaviour.demand is not None:
            self._guards = self._make_guards(self.behaviour.demand, self.behaviour.password_changed)

    @property
    def attempts(self) -> Attempts:
        """What was asked since the last `forget_attempts`."""
        replayed = self._guards.replayed if self._guards else 0
        return Attempts(self._requests, self._shown, self._bad, self._plain, replayed)

    @property
    def requests(self) -> int:
        """The number of the request that is being answered."""
        return self._requests

    def behave(self, behaviour: Behaviour) -> None:
        """Behave so from now on; the nonces seen are forgotten when the demand changes."""
        before, self.behaviour = self.behaviour, behaviour
        if behaviour.demand is None:
            self._guards = None
        elif (before.demand, before.password_changed) != (
            behaviour.demand,
            behaviour.password_changed,
        ):
            self._guards = self._make_guards(behaviour.demand, behaviour.password_changed)
        if before.stream_demand != behaviour.stream_demand:
            self._stream_guard = self._make_stream_guard(behaviour.stream_demand)

    def _make_stream_guard(self, demand: StreamDemand | None) -> BasicGuard | DigestGuard | None:
        if demand is None:
            return None
        user = self.device.username
        password = self.device.password + ("-changed" if demand.password_changed else "")
        if demand.scheme == "basic":
            return BasicGuard(user, password)
        return DigestGuard(user, password, demand.algorithms)

    def _make_guards(self, demand: Demand, password_changed: bool) -> _Guards:
        user = self.device.username
        password = self.device.password + ("-changed" if password_changed else "")
        return _Guards(
            demand,
            TokenGuard(user, password),
            DigestGuard(user, password, demand.algorithms),
            Lock(demand.lockout),
        )

    def answer(self, request: Request, *, keep_alive: bool) -> bytes:
        """The bytes that answer a complete request."""
        self._count(request)
        shown = request.shows_password
        clock_s = time.time() + self.behaviour.clock_skew_s
        operation = replies.operation_of(request.body)
        refusal = self._refusal(request, operation, clock_s)
        self._bad += shown and refusal is not None
        if (
            refusal is None
            and operation == replies.CLOCK_OPERATION
            and not self.behaviour.habits
            and request.path in _SERVICE_PATHS
            and request.method == b"POST"
        ):
            return replies.clock_bytes(int(clock_s), keep_alive)
        reply = refusal or self._reply(request, operation, clock_s)
        for habit in self.behaviour.habits:
            reply = habit(reply, request)
        if reply.dated:
            date = ("Date", formatdate(clock_s, usegmt=True))
            reply = replace(reply, headers=(*reply.headers, date))
        return render(reply, keep_alive=keep_alive)

    def stream(self, request: Request) -> Sent:
        """What answers a complete RTSP request."""
        self._count(request)
        guard = self._stream_guard or (self._guards.digest if self._guards else None)
        needless = request.method == b"OPTIONS"  # many answer that without a password
        refusal = None if guard is None or needless else guard.refusal(request)
        if refusal is None:
            return self.behaviour.stream(request)
        self._bad += request.shows_password
        demand = self.behaviour.stream_demand
        return Sent(rendered(refusal, request), closes=demand is not None and demand.closes)

    def _count(self, request: Request) -> None:
        self._requests += 1
        if request.shows_password:
            self._shown += 1
            self._plain += request.shows_plain_password

    def _refusal(self, request: Request, operation: bytes, clock_s: float) -> Reply | None:
        guards = self._guards
        if guards is None:
            return None
        if operation == replies.CLOCK_OPERATION and guards.demand.clock_open:
            return None
        return guards.refusal(request, clock_s)

    def _reply(self, request: Request, operation: bytes, clock_s: float) -> Reply:
        if request.path == _SNAPSHOT_PATH:
            if request.method != b"GET":
                return Reply(405, b"", "text/plain", (("Allow", "GET"),))
            return Reply(200, snapshot(), "image/jpeg")
        if request.path not in _SERVICE_PATHS:
            return Reply(404, b"", "text/plain")
        if request.method != b"POST":
            return Reply(405, b"", "text/plain", (("Allow", "POST"),))
        if operation == replies.CLOCK_OPERATION:
            return replies.clock_reply(int(clock_s))
        return replies.answer(self.device, operation, request.body)
