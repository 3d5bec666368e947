"""A scripted camera: a real listener on loopback that answers each connection as told."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvloop

from collectors.probe import ProbeMethod, Target

Part = bytes | str | Callable[[bytes], bytes]
Script = Part | list[Part]
"""What one connection gets: bytes, the name of a behaviour, an answer to the request, a sequence.

`hang` never answers, `close` closes, `reset` resets, `open` leaves the socket open.
"""


@dataclass
class ScriptedCamera:
    """Connection n is answered by script n; the last script serves all that follow."""

    scripts: list[Script]
    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    def target(self, method: ProbeMethod = ProbeMethod.ONVIF, **changes: Any) -> Target:
        return Target(1, "127.0.0.1", self.port, method, **changes)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script = self.scripts[min(self.connections, len(self.scripts) - 1)]
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._play(script if isinstance(script, list) else [script], reader, writer)
        writer.close()

    async def _play(
        self, parts: list[Part], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        request = b""
        if parts[0] not in ("close", "reset"):
            request = await _read_request(reader)
            self.requests.append(request)
        for part in parts:
            if part in ("hang", "open"):
                await reader.read()  # until the prober goes
            elif part == "reset":
                linger = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, linger
                )
                writer.transport.abort()
                return
            elif not isinstance(part, str):
                writer.write(part if isinstance(part, bytes) else part(request))
                await writer.drain()


async def _read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        (
            int(line.split(b":")[1])
            for line in head.lower().splitlines()
            if line.startswith(b"content-length:")
        ),
        0,
    )
    return head + await reader.readexactly(length)


@asynccontextmanager
async def _listening(
    *scripts: Script, tls: ssl.SSLContext | None = None
) -> AsyncIterator[ScriptedCamera]:
    camera = ScriptedCamera(list(scripts))
    server = await asyncio.start_server(camera.serve, "127.0.0.1", 0, ssl=tls, backlog=1024)
    camera.port = server.sockets[0].getsockname()[1]
    try:
        yield camera
    finally:
        server.close()
        await asyncio.sleep(0.01)  # the scripts see that the prober has gone


Listening = Callable[..., AbstractAsyncContextManager[ScriptedCamera]]


@pytest.fixture
def listening() -> Listening:
    """`async with listening(script, ...) as camera`."""
    return _listening


@pytest.fixture
def closed_port() -> int:
    """A loopback port where nothing listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture
def run() -> Callable[..., Any]:
    """Run a coroutine on the loop that production uses, with a guard against hanging."""

    def _run(coroutine: Any) -> Any:
        async def guarded() -> Any:
            return await asyncio.wait_for(coroutine, 60)

        return uvloop.run(guarded())

    return _run
