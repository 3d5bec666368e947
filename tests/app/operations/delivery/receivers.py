"""Receivers of messages on loopback, real ones."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller


class Receiver:
    """A webhook. `answers` are the status codes to come; after them 204, or 200 with `says`."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.says = b""
        self.received: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.before_answer: Any = None
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.do_POST()

            def do_POST(self) -> None:
                receiver.asked.append(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if receiver.before_answer:
                    receiver.before_answer()
                usual = 200 if receiver.says else 204
                status = receiver.answers.pop(0) if receiver.answers else usual
                if status < 300 and body:
                    receiver.received.append(json.loads(body))
                with suppress(OSError):
                    self._answer(status)

            def _answer(self, status: int) -> None:
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(receiver.says)))
                self.end_headers()
                self.wfile.write(receiver.says)

            def log_message(self, *_arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self._server.server_port}"
        self.url = f"{self.base}/hook?key=secret"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def speaking(speak: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that does as it likes with each connection; yields `http://…`."""

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.recv(65_536)
                speak(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def without_end(connection: socket.socket) -> None:
    """An answer of status 200 whose content never ends."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65_536)


def dripping(connection: socket.socket) -> None:
    """A header that never ends, a byte before each time-out of a single read."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-More: ")
    connection.settimeout(0.2)
    while True:
        connection.sendall(b"x")
        with suppress(TimeoutError):
            if not connection.recv(1):
                return


class Mailbox:
    """A mail server that keeps what it is sent; `refuses` is what it answers instead."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuses: str | None = None
        self.before_answer: Any = None
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self._controller = Controller(self, hostname="127.0.0.1", port=port)
        self._controller.start()
        addresses = "from=intact@example.cn&to=duty@example.cn&mode=insecure"
        self.address = f"mailto://127.0.0.1:{port}/?{addresses}"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """What aiosmtpd calls for each mail."""
        if self.before_answer:
            self.before_answer()
        if self.refuses is not None:
            return self.refuses
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 kept"

    def texts(self) -> list[tuple[str, str]]:
        """Subject and plain text of each mail."""
        found = []
        for mail in self.mails:
            body = mail.get_body(("plain",))
            assert body is not None
            found.append((str(mail["subject"]), body.get_content().replace("\r\n", "\n").strip()))
        return found

    def close(self) -> None:
        self._controller.stop()
