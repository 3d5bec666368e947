"""The video check of one camera: its stream, and its snapshot beside it.

The stream gives the status. A snapshot alone says nothing against a camera: many have none, and
what is known of it is only noted. Source: DESIGN §5.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from collectors.onvif.credentials import CredentialMemory
from collectors.probe import Observation, Target
from collectors.rtsp.check import check_stream
from collectors.snapshot import Snapshot, SnapshotClient, snapshot_client
from kpi.status import Status


@dataclass(frozen=True, slots=True)
class Media:
    """Where a camera says that its stream and its snapshot are; empty: it names none."""

    stream_uri: str
    snapshot_uri: str = ""


@dataclass(frozen=True, slots=True)
class VideoCheck:
    """What a check brought. `stream` is INTACT, NO_VIDEO, AUTH_FAILED, or UNKNOWN: no result."""

    stream: Observation
    snapshot: Snapshot | None = None


class VideoChecker:
    """Checks one camera after the other or many at once, each step within `timeout_s` seconds."""

    def __init__(self, memory: CredentialMemory, client: SnapshotClient, timeout_s: float) -> None:
        self._memory = memory
        self._client = client
        self._timeout_s = timeout_s

    async def check(self, target: Target, media: Media) -> VideoCheck:
        """Ask for the stream, then for the snapshot where the camera names one.

        Where the stream refuses the password or says nothing, no more is asked.
        """
        loop = asyncio.get_running_loop()
        stream = await check_stream(
            target, media.stream_uri, loop.time() + self._timeout_s, self._memory
        )
        if not media.snapshot_uri or stream.status not in (Status.INTACT, Status.NO_VIDEO):
            return VideoCheck(stream)
        deadline = loop.time() + self._timeout_s
        snapshot = await self._client.look(target, media.snapshot_uri, deadline)
        return VideoCheck(stream, snapshot)


@asynccontextmanager
async def video_checker(memory: CredentialMemory, timeout_s: float) -> AsyncIterator[VideoChecker]:
    """A checker with its own HTTP client, for as long as it is needed.

    `memory` is the one that the ONVIF prober learns in, so that no password is shown twice too
    often.
    """
    async with snapshot_client(memory) as client:
        yield VideoChecker(memory, client, timeout_s)
