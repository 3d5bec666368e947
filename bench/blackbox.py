"""The peer: Debian's `prometheus-blackbox-exporter`, made to send what our hot path sends.

Its driver asks for `/probe?target=…` over a few kept connections with as little work as it can,
because it shares the cores with the exporter that is being measured.
"""

import asyncio
import json
import shutil
import subprocess
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

import httptools
import uvloop

from bench.processes import await_ready, child, cpu_seconds, listens
from collectors.onvif import envelope
from collectors.probe import Target
from collectors.simulator.running import free_port

PROGRAM = "prometheus-blackbox-exporter"
CONNECTIONS = 64
_END_OF_HEADER = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Asked:
    """One round over all cameras: CPU of the exporter alone, wall until the last answer.

    `driver_cpu_s` is what asking the exporter cost this process.
    """

    cpu_s: float
    wall_s: float
    driver_cpu_s: float
    succeeded: int


@dataclass(frozen=True, slots=True)
class Exporter:
    """A running exporter."""

    pid: int
    port: int

    def ask(self, targets: Iterable[Target]) -> Asked:
        """Let it probe every target once."""
        requests = [self._request(target) for target in targets]
        cpu, driver, started = cpu_seconds(self.pid), time.process_time(), time.perf_counter()
        succeeded = uvloop.run(_drive(self.port, requests))
        wall_s = time.perf_counter() - started
        driver_s = time.process_time() - driver
        return Asked(cpu_seconds(self.pid) - cpu, wall_s, driver_s, succeeded)

    def _request(self, target: Target) -> bytes:
        url = f"http://{target.address}:{target.port}{envelope.PATH}"
        line = f"GET /probe?module=onvif&target={url} HTTP/1.1"
        return f"{line}\r\nHost: 127.0.0.1:{self.port}\r\n\r\n".encode()


def why_absent() -> str:
    """Why there is no peer here; empty where there is one."""
    if shutil.which(PROGRAM):
        return ""
    return f"{PROGRAM} is not installed (Debian: apt-get install {PROGRAM})"


@contextmanager
def exporter(folder: Path) -> Iterator[Exporter]:
    """Run the exporter with one module: our POST, valid where the camera answers 200."""
    port, configuration = free_port(), folder / "blackbox.yml"
    configuration.write_text(json.dumps(_configuration()))  # JSON is YAML too
    command = [
        PROGRAM,
        f"--config.file={configuration}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    ]
    with child(command, log=folder / "blackbox.log") as process:
        await_ready(process, lambda: listens(port))
        yield Exporter(process.pid, port)


def version() -> str:
    """The first words that the program says of itself."""
    said = subprocess.run([PROGRAM, "--version"], capture_output=True, check=True, text=True)
    return (said.stdout or said.stderr).partition(" (")[0]


def _configuration() -> dict[str, object]:
    request = envelope.request(envelope.SYSTEM_DATE_AND_TIME, "camera")
    http = {
        "method": "POST",
        "headers": {"Content-Type": envelope.SYSTEM_DATE_AND_TIME.content_type},
        "body": request.partition(_END_OF_HEADER)[2].decode(),
        "valid_status_codes": [200],
        "follow_redirects": False,
        "preferred_ip_protocol": "ip4",
    }
    return {"modules": {"onvif": {"prober": "http", "timeout": "3s", "http": http}}}


async def _drive(port: int, requests: Sequence[bytes]) -> int:
    """Send every request, `CONNECTIONS` at a time; how many probes succeeded."""
    loop = asyncio.get_running_loop()
    waiting = deque(requests)
    connections = [_Connection(waiting, loop.create_future()) for _ in range(CONNECTIONS)]
    for connection in connections:
        await loop.create_connection(partial(_itself, connection), "127.0.0.1", port)
    await asyncio.gather(*(connection.done for connection in connections))
    return sum(connection.succeeded for connection in connections)


def _itself(connection: "_Connection") -> "_Connection":
    return connection


class _Connection(asyncio.Protocol):
    """One kept connection: the next request leaves when the answer before it is complete."""

    def __init__(self, waiting: deque[bytes], done: asyncio.Future[None]) -> None:
        self._waiting = waiting
        self._parser = httptools.HttpResponseParser(self)
        self._body = b""
        self.done = done
        self.succeeded = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the exporter closed a connection"))

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self.succeeded += b"\nprobe_success 1\n" in self._body
        self._body = b""
        self._next()

    def _next(self) -> None:
        if self._waiting:
            self._transport.write(self._waiting.popleft())
        elif not self.done.done():
            self.done.set_result(None)
            self._transport.close()
