"""A connection to a simulated camera: how it speaks HTTP, and RTSP on the same port.

It is an `asyncio.Protocol` with httptools, not a web framework: 3,292 of these are asked within a
second beside the monitor that is being measured.
"""

import asyncio

from httptools import (
    HttpParserCallbackError,
    HttpParserError,
    HttpParserUpgrade,
    HttpRequestParser,
)

from collectors.simulator.camera import Camera
from collectors.simulator.deliveries import Sending
from collectors.simulator.faults import Link
from collectors.simulator.links import DeviceConnection
from collectors.simulator.streams import is_rtsp
from collectors.simulator.wire import Reply, Request, render

_MAX_BODY = 65_536
_MAX_UNSENT = 65_536  # bytes that wait for a slow reader before more is made


class CameraConnection(DeviceConnection):
    """One connection to a camera; the behaviour is looked at with each request."""

    __slots__ = ("_camera", "_early", "_parser", "_request", "_slow")

    def __init__(self, camera: Camera) -> None:
        super().__init__(camera.connections)
        self._camera = camera
        self._parser = HttpRequestParser(self)
        self._request = Request()
        self._slow: asyncio.Task[None] | None = None
        self._early = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        camera = self._camera
        if not camera.behaviour.one_at_a_time:
            return
        if camera.served is None:
            camera.served = self
        else:
            camera.waiting.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._slow is not None:
            self._slow.cancel()
        camera = self._camera
        if camera.served is self:
            camera.served = camera.waiting.popleft() if camera.waiting else None
            if camera.served is not None:
                camera.served.begin()
        elif self in camera.waiting:
            camera.waiting.remove(self)

    def begin(self) -> None:
        """Its turn has come: read what arrived meanwhile."""
        early, self._early = self._early, b""
        if early:
            self.data_received(early)

    def data_received(self, data: bytes) -> None:
        if self._camera.waiting and self in self._camera.waiting:
            self._early += data
            return
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
        if is_rtsp(request):
            self._parser = HttpRequestParser(self)  # else version 1.0 would end the connection
            sent = self._camera.stream(request)
            self._send(sent.content, keep_alive=not sent.closes)
            return
        keep_alive = self._parser.should_keep_alive()
        content = self._camera.answer(request, keep_alive=keep_alive)
        deliveries = self._camera.behaviour.deliveries
        if not deliveries:
            self._send(content, keep_alive=keep_alive)
            return
        sending = Sending((content,), closes=not keep_alive)
        for deliver in deliveries:
            sending = deliver(sending, request, self._camera.requests)
        if sending.pause_s:
            self._slow = asyncio.get_running_loop().create_task(self._send_slowly(sending))
        else:
            self._send(b"".join(sending.pieces), keep_alive=not sending.closes)

    async def _send_slowly(self, sending: Sending) -> None:
        """Piece by piece, until the last or until the other side has gone."""
        pieces = iter(sending.pieces)
        while (transport := self.transport) is not None:
            if transport.get_write_buffer_size() <= _MAX_UNSENT:
                piece = next(pieces, None)
                if piece is None:
                    self._send(b"", keep_alive=not sending.closes)
                    return
                transport.write(piece)
            await asyncio.sleep(sending.pause_s)

    def _send(self, content: bytes, *, keep_alive: bool) -> None:
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        if content:
            transport.write(content)
        if not keep_alive:
            transport.close()
