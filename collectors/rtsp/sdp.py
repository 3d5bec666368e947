"""Which playable video a session description (SDP) offers; read just enough to tell.

A playable video is an `m=video` with a codec and something to ask for it by: a control address, its
own or the session's, or a port. Any codec that has a name counts, also one that we have never heard
of: it is not ours to call it unplayable. Sources: RFC 8866 (SDP), RFC 2326 appendix C, RFC 3551.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

_STATIC = {"25": "CelB", "26": "JPEG", "28": "nv", "31": "H261", "32": "MPV", "33": "MP2T"}
_STATIC["34"] = "H263"
_NO_PICTURES = frozenset({"RTX", "RED", "ULPFEC", "FLEXFEC"})  # what helps another stream along


@dataclass
class _Medium:
    """An `m=` section: its kind, port, payload types, and what its attributes say."""

    kind: str = ""
    port: str = ""
    payloads: list[str] = field(default_factory=list)
    codecs: dict[str, str] = field(default_factory=dict)
    controlled: bool = False

    @property
    def codec(self) -> str:
        """Name of the first codec; empty where there is none."""
        names = (self.codecs.get(payload, _STATIC.get(payload, "")) for payload in self.payloads)
        return next((name for name in names if name and name.upper() not in _NO_PICTURES), "")


def is_description(body: bytes) -> bool:
    """Whether this is an SDP at all."""
    return body.lstrip().startswith(b"v=")


def video_codec(body: bytes) -> str:
    """Codec of the first playable video, at most 32 printable characters; empty: there is none."""
    session, *media = _media(body.decode("latin-1"))
    for medium in media:
        reachable = medium.controlled or session.controlled or medium.port not in ("", "0")
        if medium.kind == "video" and medium.codec and reachable:
            return "".join(letter for letter in medium.codec if letter.isprintable())[:32]
    return ""


def has_video_section(body: bytes) -> bool:
    """Whether it names a video at all, playable or not."""
    return any(medium.kind == "video" for medium in _media(body.decode("latin-1")))


def _media(text: str) -> list[_Medium]:
    """The session's own part, then one for each medium."""
    media = [_Medium()]
    for name, value in _lines(text):
        if name == "m":
            kind, port, _transport, *payloads = [*value.split(), "", "", ""]
            media.append(_Medium(kind.lower(), port.partition("/")[0], [p for p in payloads if p]))
        elif name == "a":
            _note_attribute(media[-1], value)
    return media


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.replace("\r", "\n").split("\n"):
        name, equals, value = line.strip().partition("=")
        if equals:
            yield name, value


def _note_attribute(medium: _Medium, value: str) -> None:
    name, _, rest = value.partition(":")
    if name == "control" and rest.strip():
        medium.controlled = True
    elif name == "rtpmap":
        payload, _, encoding = rest.strip().partition(" ")
        medium.codecs[payload] = encoding.strip().partition("/")[0]
