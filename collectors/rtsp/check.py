"""Does a camera offer a video that could be played?

1. OPTIONS: is an RTSP server there? Whatever it answers, a password in demand included, goes on.
2. DESCRIBE without a password; where it is refused and the register has a password that nobody
   refused before, DESCRIBE with it: by digest, or by basic where the camera offers nothing better.
3. The description is read for a playable video.

INTACT, NO_VIDEO or AUTH_FAILED is a result. UNKNOWN is none: where the network may be in the way,
or the register has no password to show, nothing is said about the camera.
Source: DESIGN §5, docs/decisions/0006-video-check.md.
"""

import asyncio
from functools import partial

from collectors.media_password import authorization, is_stale, remember_refusal, was_refused
from collectors.onvif.credentials import CredentialMemory
from collectors.onvif.http import Failure
from collectors.own_address import RTSP, own_place
from collectors.probe import Observation, Target
from collectors.rtsp.connection import Connection, Reply, no_video, not_measured
from collectors.rtsp.sdp import has_video_section, is_description, video_codec
from kpi.status import Status

_REFUSALS = (401, 403)


async def check_stream(
    target: Target, uri: str, deadline: float, memory: CredentialMemory
) -> Observation:
    """Ask for the stream that a camera named; returns by `deadline` (the running loop's `time()`).

    `uri` is as the camera told it: it is asked for at the camera's own address only.
    """
    place = own_place(uri, target.address, RTSP)
    if place is None:
        return not_measured("its stream address is no RTSP address")
    connection = Connection(place)
    try:
        async with asyncio.timeout_at(deadline):
            return await _converse(connection, place.uri, target, memory)
    except TimeoutError:
        return connection.timed_out()
    finally:
        connection.close()


async def _converse(
    connection: Connection, uri: str, target: Target, memory: CredentialMemory
) -> Observation:
    greeting = await connection.ask("OPTIONS")
    if isinstance(greeting, Failure):
        return greeting.observation
    reply = await connection.ask("DESCRIBE")
    if isinstance(reply, Reply) and _asks_for_password(reply):
        return await _describe_with_password(connection, uri, target, memory, reply)
    return _judge(reply)


def _asks_for_password(reply: Reply) -> bool:
    return reply.code == 401 or (reply.code == 403 and bool(_challenges(reply)))


def _challenges(reply: Reply) -> list[str]:
    return reply.header_values("www-authenticate")


async def _describe_with_password(
    connection: Connection, uri: str, target: Target, memory: CredentialMemory, refusal: Reply
) -> Observation:
    if not target.username:
        return not_measured("its stream asks for a password, and none is registered")
    if was_refused(memory, target):
        return _auth_failed("refused this password before; not tried again until it changes")
    for _ in range(2):  # a second time only for a nonce that went stale: no wrong password
        answer = partial(authorization, _challenges(refusal), target, "DESCRIBE", uri)
        if answer() is None:
            return not_measured("its stream asks for a password in a way that is not known here")
        reply = await connection.ask("DESCRIBE", answer)
        if isinstance(reply, Failure) or reply.code not in _REFUSALS:
            return _judge(reply)
        refusal = reply
        if not is_stale(_challenges(refusal)):
            break
    remember_refusal(memory, target)
    return _auth_failed("its stream refuses the registered user name or password")


def _auth_failed(detail: str) -> Observation:
    return Observation(Status.AUTH_FAILED, detail=detail)


def _judge(reply: Reply | Failure) -> Observation:
    """What an answer to DESCRIBE says of the video; in our words only."""
    if isinstance(reply, Failure):
        return reply.observation
    if 300 <= reply.code < 400:
        detail = f"its stream redirects (RTSP {reply.code}), which is not followed"
    elif reply.code == 404:
        detail = "has no such stream (RTSP 404)"
    elif not 200 <= reply.code < 300:
        detail = f"its stream answers RTSP {reply.code}"
    elif not is_description(reply.body):
        detail = "describes its stream in something that is not SDP"
    elif codec := video_codec(reply.body):
        return Observation(Status.INTACT, reply.latency_ms, detail=f"offers video ({codec})")
    elif has_video_section(reply.body):
        detail = "offers a video without a codec or a way to ask for it"
    else:
        detail = "offers a stream without video"
    return no_video(detail, reply.latency_ms)
