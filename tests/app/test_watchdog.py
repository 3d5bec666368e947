"""What systemd is told, over a real socket of its kind."""

import http.server
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app import watchdog
from collectors.simulator.running import free_port


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The service manager's end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listener


@contextmanager
def server(code: int) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(code)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_address[1]}/healthz"
        serving.shutdown()
        thread.join()


def heard(manager: socket.socket) -> bytes:
    manager.setblocking(False)
    try:
        return manager.recv(100)
    except BlockingIOError:
        return b""


def test_a_server_that_answers_lives(manager: socket.socket) -> None:
    with server(200) as url:
        watchdog.tell_alive(url)
    assert heard(manager) == b"WATCHDOG=1"


@pytest.mark.parametrize("code", [500, 503])
def test_a_server_that_fails_is_not_said_to_live(manager: socket.socket, code: int) -> None:
    with server(code) as url:
        watchdog.tell_alive(url)
    watchdog.tell_alive(f"http://127.0.0.1:{free_port()}/healthz")  # nobody there
    assert heard(manager) == b""


def test_an_abstract_socket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    name = f"intact-test-{tmp_path.name}-{free_port()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{name}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        watchdog.tell("READY=1")
        assert listener.recv(100) == b"READY=1"


def test_without_a_manager_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    watchdog.tell("READY=1")


@pytest.mark.parametrize(
    ("told", "seconds"), [("60000000", 30.0), ("", None), ("0", None), ("soon", None)]
)
def test_how_often(told: str, seconds: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", told)
    assert watchdog.interval_s() == seconds
