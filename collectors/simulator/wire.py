"""One HTTP request as a camera reads it, and the reply as bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

Headers = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Request:
    """A request being read; complete when the parser says so. Header names are lower case."""

    target: bytes = b""
    method: bytes = b""
    headers: dict[bytes, bytes] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> bytes:
        """The target without its query."""
        return self.target.partition(b"?")[0]

    @property
    def shows_password(self) -> bool:
        """Whether it carries credentials of any kind."""
        return b"authorization" in self.headers or b"UsernameToken" in self.body

    @property
    def shows_plain_password(self) -> bool:
        """Whether they can be read by whoever listens: Basic, or PasswordText."""
        authorization = self.headers.get(b"authorization", b"")
        return b"PasswordText" in self.body or authorization[:6].lower() == b"basic "


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered, before it becomes bytes. `dated`: with the camera's clock as its Date."""

    status: int
    body: bytes = b""
    content_type: str = "application/soap+xml; charset=utf-8"
    headers: Headers = ()
    dated: bool = False


_REASONS: Mapping[int, str] = {status.value: status.phrase for status in HTTPStatus}


def render(reply: Reply, *, keep_alive: bool) -> bytes:
    """The reply with its length, and `Connection: close` where the connection ends."""
    lines = [
        f"HTTP/1.1 {reply.status} {_REASONS.get(reply.status, 'Unknown')}",
        f"Content-Type: {reply.content_type}",
        f"Content-Length: {len(reply.body)}",
        *(f"{name}: {value}" for name, value in reply.headers),
    ]
    if not keep_alive:
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + reply.body
