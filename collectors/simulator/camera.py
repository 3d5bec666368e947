"""One simulated camera: what it knows, and how it speaks HTTP over a connection.

The connection is an `asyncio.Protocol` with httptools, not a web framework: 3,292 of these are
asked within a second beside the monitor that is being measured.
"""

import time
from dataclasses import dataclass

from httptools import (
    HttpParserCallbackError,
    HttpParserError,
    HttpParserUpgrade,
    HttpRequestParser,
)

from collectors.simulator import replies
from collectors.simulator.authentication import DigestGuard, TokenGuard
from collectors.simulator.faults import HEALTHY, Behaviour, Demand, Link
from collectors.simulator.fleet import Device
from collectors.simulator.links import Connections, DeviceConnection
from collectors.simulator.picture import snapshot
from collectors.simulator.wire import Reply, Request, render

_SERVICE_PATHS = (replies.DEVICE_PATH.encode(), replies.MEDIA_PATH.encode())
_SNAPSHOT_PATH = replies.SNAPSHOT_PATH.encode()
_MAX_BODY = 65_536


@dataclass(frozen=True, slots=True)
class _Guards:
    """Who looks at a request: a snapshot is always asked for by HTTP digest."""

    demand: Demand
    token: TokenGuard
    digest: DigestGuard


class Camera:
    """The state of one camera, shared by its connections."""

    __slots__ = ("_guards", "behaviour", "connections", "device")

    def __init__(self, device: Device) -> None:
        self.device = device
        self.behaviour = HEALTHY
        self.connections: Connections = set()
        self._guards: _Guards | None = None

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

    def _make_guards(self, demand: Demand, password_changed: bool) -> _Guards:
        user = self.device.username
        password = self.device.password + ("-changed" if password_changed else "")
        return _Guards(
            demand, TokenGuard(user, password), DigestGuard(user, password, demand.algorithms)
        )

    def answer(self, request: Request, *, keep_alive: bool) -> bytes:
        """The bytes that answer a complete request."""
        clock_s = time.time() + self.behaviour.clock_skew_s
        operation = replies.operation_of(request.body)
        refusal = self._refusal(request, operation, clock_s)
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
            reply = habit(reply)
        return render(reply, keep_alive=keep_alive)

    def _refusal(self, request: Request, operation: bytes, clock_s: float) -> Reply | None:
        guards = self._guards
        if guards is None:
            return None
        if operation == replies.CLOCK_OPERATION and guards.demand.clock_open:
            return None
        if guards.demand.scheme == "http_digest" or request.path == _SNAPSHOT_PATH:
            return guards.digest.refusal(request)
        return guards.token.refusal(request, clock_s)

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


class CameraConnection(DeviceConnection):
    """One connection to a camera; the behaviour is looked at with each request."""

    __slots__ = ("_camera", "_parser", "_request")

    def __init__(self, camera: Camera) -> None:
        super().__init__(camera.connections)
        self._camera = camera
        self._parser = HttpRequestParser(self)
        self._request = Request()

    def data_received(self, data: bytes) -> None:
        link = self._camera.behaviour.link
        if link is not Link.OPEN:
            # at the request, not at once: so the client surely sees the connection accepted
            if link is Link.RESET:
                self.reset()
            return  # what is not read by the camera is not answered later either
        try:
            self._parser.feed_data(data)
        except HttpParserCallbackError:
            raise  # a defect of ours, not of the request
        except (HttpParserError, HttpParserUpgrade):
            self._send(render(Reply(400, b"", "text/plain"), keep_alive=False), keep_alive=False)

    # --- called by the parser ---

    def on_message_begin(self) -> None:
        self._request = Request()

    def on_url(self, url: bytes) -> None:
        self._request.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._request.headers[name.lower()] = value

    def on_body(self, body: bytes) -> None:
        self._request.body += body
        if len(self._request.body) > _MAX_BODY:
            self._send(render(Reply(413, b"", "text/plain"), keep_alive=False), keep_alive=False)

    def on_message_complete(self) -> None:
        request = self._request
        request.method = self._parser.get_method()
        keep_alive = self._parser.should_keep_alive()
        self._send(self._camera.answer(request, keep_alive=keep_alive), keep_alive=keep_alive)

    def _send(self, content: bytes, *, keep_alive: bool) -> None:
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        transport.write(content)
        if not keep_alive:
            transport.close()
