"""The product over HTTP: its web application alone, or `intact serve` with its collector."""

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psutil
import uvicorn

from app.config import load_settings
from app.database import open_database
from app.main import create_app
from bench.installation import Installation
from bench.processes import Memory, await_ready, child, listens, memory_of, python_module
from collectors.simulator.running import free_port

KEPT_FOR_S = 4.0
"""Less than the 5 s after which uvicorn closes a connection that nobody uses."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One exchange; `took_ms` from the request's first byte to the answer's last."""

    body: bytes
    took_ms: float

    @property
    def document(self) -> Any:
        return json.loads(self.body)


class Client:
    """One kept connection, opened anew before a request where it was idle for long."""

    def __init__(self, port: int, token: str) -> None:
        self._headers = {"Authorization": f"Bearer {token}"}
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._used_at = 0.0

    def get(self, path: str) -> Answer:
        """Raises `RuntimeError` where the answer is not 200."""
        if time.monotonic() - self._used_at > KEPT_FOR_S:
            self._connection.close()
            self._connection.connect()
        started = time.perf_counter()
        self._connection.request("GET", path, headers=self._headers)
        response = self._connection.getresponse()
        body = response.read()
        took_ms = (time.perf_counter() - started) * 1000
        self._used_at = time.monotonic()
        if response.status != 200:
            raise RuntimeError(f"{path}: {response.status} {body[:200]!r}")
        return Answer(body, took_ms)


@dataclass(frozen=True, slots=True)
class Served:
    """A running product: the web process and what it listens on."""

    pid: int
    port: int
    client: Client

    @property
    def collector_pid(self) -> int:
        """The child that collects. Raises `ValueError` where there is none."""
        (collector,) = psutil.Process(self.pid).children()
        return int(collector.pid)

    def memory(self) -> tuple[Memory, Memory]:
        """Of the web process and of the collector."""
        return memory_of(self.pid), memory_of(self.collector_pid)

    def finished_sweeps(self) -> int:
        """How many sweeps are stored, up to 1,000."""
        return len(self.client.get("/api/v1/sweeps?limit=1000").document["sweeps"])


@contextmanager
def web_alone(installation: Installation) -> Iterator[Served]:
    """The application under uvicorn in a process of its own, no collector beside it."""
    with _running(installation, python_module(__name__)) as served:
        yield served


@contextmanager
def intact_serve(installation: Installation) -> Iterator[Served]:
    """`intact serve`, as it is run in earnest."""
    with _running(installation, python_module("app.cli", "serve")) as served:
        yield served


@contextmanager
def _running(installation: Installation, command: list[str]) -> Iterator[Served]:
    port = free_port()
    environment = installation.environment | {"INTACT_PORT": str(port)}
    with child(command, environment, installation.folder / "served.log") as process:
        await_ready(process, lambda: listens(port))
        yield Served(process.pid, port, Client(port, installation.api_token()))


def main() -> None:
    """Serve the application of the environment's settings, with the options of `intact serve`."""
    settings = load_settings()
    database = open_database(settings)
    uvicorn.run(
        create_app(settings, database), host="127.0.0.1", port=settings.port, log_level="warning"
    )
    database.close()


if __name__ == "__main__":
    main()
