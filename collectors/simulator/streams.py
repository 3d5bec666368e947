"""What a simulated camera says over RTSP: a stream is a function from a request to what is sent.

A new one is a function and a line in `STREAMS`; its name is at once a fault kind of scenarios. The
healthy camera's is `offered`. Source: RFC 2326, and habits of real cameras.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from collectors.simulator.wire import Reply, Request

_PHRASES = {200: "OK", 302: "Found", 401: "Unauthorized", 404: "Not Found", 405: "Not Allowed"}
_SESSION = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=Intact simulator\r\nt=0 0\r\na=control:*\r\n"
_VIDEO = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:trackID=1\r\n"
_AUDIO = "m=audio 0 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=control:trackID=2\r\n"
_NO_CODEC = "m=video 0 RTP/AVP 96\r\na=control:trackID=1\r\n"
_ELSEWHERE = "rtsp://127.0.0.254:1/live"  # nothing of the fleet is there


@dataclass(frozen=True, slots=True)
class Sent:
    """Bytes, and whether the camera closes after them; no bytes and no close is silence."""

    content: bytes
    closes: bool = False


Stream = Callable[[Request], Sent]


def is_rtsp(request: Request) -> bool:
    """Whether a request on the camera's one port is RTSP."""
    return request.target.startswith((b"rtsp://", b"rtsps://"))


def rendered(reply: Reply, request: Request) -> bytes:
    """The reply as RTSP, with the request's number."""
    lines = [
        f"RTSP/1.0 {reply.status} {_PHRASES[reply.status]}",
        f"CSeq: {request.headers.get(b'cseq', b'0').decode('latin-1')}",
        *(f"{name}: {value}" for name, value in reply.headers),
    ]
    if reply.body:
        lines += [f"Content-Type: {reply.content_type}", f"Content-Length: {len(reply.body)}"]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + reply.body


def _answered(description: Reply, request: Request) -> Sent:
    """OPTIONS as usual, DESCRIBE with this."""
    if request.method == b"OPTIONS":
        public = ("Public", "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")
        return Sent(rendered(Reply(200, headers=(public,)), request))
    if request.method == b"DESCRIBE":
        return Sent(rendered(description, request))
    return Sent(rendered(Reply(405), request))


def _described(*media: str) -> Reply:
    return Reply(200, (_SESSION + "".join(media)).encode(), "application/sdp")


offered: Stream = partial(_answered, _described(_VIDEO, _AUDIO))


def _no_rtsp(request: Request) -> Sent:
    """Only a web server is there."""
    return Sent(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", closes=True)


def _silent(request: Request) -> Sent:
    return Sent(b"")


def _closes(request: Request) -> Sent:
    return Sent(b"", closes=True)


def _cut_off(request: Request) -> Sent:
    return Sent(offered(request).content[:-10], closes=True)


def _unfinished(request: Request) -> Sent:
    """The connection stays open, the rest never comes."""
    return Sent(offered(request).content[:-10])


def _oversized(request: Request) -> Sent:
    """A description of half a megabyte."""
    padding = "a=x-padding:" + "y" * 500_000 + "\r\n"
    return _answered(_described(padding, _VIDEO), request)


def _endless_header(request: Request) -> Sent:
    return Sent(b"RTSP/1.0 200 OK\r\n" + b"X-Header: %b\r\n" % (b"y" * 200) * 1000)


STREAMS: Mapping[str, Stream] = {
    "no_rtsp": _no_rtsp,
    "no_stream": partial(_answered, Reply(404)),
    "no_video": partial(_answered, _described(_AUDIO)),
    "video_without_codec": partial(_answered, _described(_NO_CODEC)),
    "rtsp_page": partial(_answered, Reply(200, b"<html></html>", "text/html")),
    "rtsp_redirect": partial(_answered, Reply(302, headers=(("Location", _ELSEWHERE),))),
    "rtsp_hang": _silent,
    "rtsp_closes": _closes,
    "rtsp_cut_off": _cut_off,
    "rtsp_unfinished": _unfinished,
    "rtsp_oversized": _oversized,
    "rtsp_endless_header": _endless_header,
}
