"""Where the corpora begin: all that the simulator can say, and challenges as cameras write them."""

from collections.abc import Iterator, Mapping
from itertools import islice

from collectors.simulator.authentication import DigestGuard
from collectors.simulator.deliveries import DELIVERIES, Sending
from collectors.simulator.fleet import build_fleet
from collectors.simulator.habits import HABITS
from collectors.simulator.picture import snapshot
from collectors.simulator.replies import answer, clock_reply, fault
from collectors.simulator.streams import STREAMS, offered, rendered
from collectors.simulator.wire import Reply, Request, render
from tests.fuzz.properties import SEPARATOR

_CHALLENGES = (
    b'Digest realm="cam, 1", qop="auth,auth-int", nonce="n0nce", algorithm=MD5',
    b'Digest realm="cam", nonce="n1", opaque="o", stale=true, algorithm=SHA-256',
    b'Basic realm="a", Digest realm="b", nonce=n1, algorithm=MD5-sess, qop=auth',
    b'Digest realm="quo\\"ted", NONCE="n1", charset=UTF-8, userhash=false',
)
_WIRE_FINDINGS = (
    b"HTTP/1.1 101 \r\nUpgrade: h2\r\nConnection: upgrade\r\n\r\n",  # raised in the transport
    b"HTTP/1.1 002 OK\r\n\r\n<Envelope></Envelope>",  # was taken for an answer
)
"""What earlier runs found."""


def _replies() -> list[Reply]:
    camera = build_fleet(1, port=80).cameras[0]
    guard = DigestGuard("admin", "secret", ("MD5", "SHA-256"))
    challenge = guard.refusal(Request())
    assert challenge is not None
    return [
        clock_reply(1_790_000_000),
        answer(camera, b"GetDeviceInformation", b""),
        fault(400, "Sender", "NotAuthorized", "sender not authorized"),
        challenge,
    ]


def _habitual() -> Iterator[Reply]:
    for reply in _replies():
        yield reply
        for habit in HABITS.values():
            yield habit(reply, Request())


def _delivered() -> Iterator[bytes]:
    for reply in _replies():
        whole = render(reply, keep_alive=False)
        for deliver in DELIVERIES.values():
            pieces = deliver(Sending((whole,), closes=True), Request(), 2).pieces
            yield b"".join(islice(pieces, 5000))[:6000]


def _streamed() -> Iterator[bytes]:
    for method in (b"OPTIONS", b"DESCRIBE"):
        for stream in (offered, *STREAMS.values()):
            yield stream(Request(b"rtsp://127.0.0.1/", method)).content[:6000]
    refusal = DigestGuard("admin", "secret", ("MD5", "SHA-256")).refusal(Request())
    assert refusal is not None
    yield rendered(refusal, Request())


def seeds() -> Mapping[str, list[bytes]]:
    """For each corpus, without repetitions."""
    replies = list(_habitual())
    wires = [render(reply, keep_alive=False) for reply in replies]
    clock, _, refusal, challenge = (render(reply, keep_alive=False) for reply in _replies())
    talks = [SEPARATOR.join((first, wire)) for wire in wires for first in (challenge, refusal)]
    rtsp = list(_streamed())
    found = {
        "reply": [reply.body for reply in replies],
        "http": [*_WIRE_FINDINGS, *wires, *_delivered()],
        "challenge": [*_CHALLENGES, b"\n".join(_CHALLENGES)],
        "conversation": [*wires, *talks, SEPARATOR.join((challenge, challenge, clock))],
        "rtsp": rtsp,
        "sdp": [answer.partition(b"\r\n\r\n")[2] for answer in rtsp],
        "picture": [snapshot()],
    }
    return {name: list(dict.fromkeys(inputs)) for name, inputs in found.items()}
