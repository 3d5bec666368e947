"""Server-sent events: what open pages are told, rendered once for all that show the same.

One task of the process looks for news while anybody listens. What is new is rendered once for each
view (language, reach) and handed to every stream of that view, which only copies bytes. Each state
is whole, so a page that comes back has missed nothing; between states there are beats, by which a
page notices that it is cut off. Source of the format: HTML Standard §9.2.

    asked ── join ──▶ Listener ◀── frames ── Broadcast ── newest, render ──▶ Source
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Generic, Protocol, TypeVar

import structlog
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.database import put_off_while_away
from app.web.shell import version

log = structlog.get_logger()

LOOK_S = 2.0
"""How often news is looked for."""
BEAT_S = 10.0
WAITING_FRAMES = 6
"""A stream behind by more is given up: its browser asks again when it can."""
RETRY_MS = 2_000
END = None

Result = TypeVar("Result")
View = TypeVar("View", bound=Hashable)
ViewOf = TypeVar("ViewOf", bound=Hashable, contravariant=True)


class Source(Protocol[ViewOf]):
    """Where states come from; called in a thread of its own."""

    def newest(self) -> Hashable:
        """Something that differs when there is news; cheap."""

    def render(self, view: ViewOf) -> str:
        """The whole state as a view of it is shown."""


def frame(event: str, text: str) -> bytes:
    """An event as it goes over the wire."""
    lines = "".join(f"data: {line}\n" for line in text.splitlines())
    return f"event: {event}\n{lines}\n".encode()


class Listener(Generic[View]):
    """An open stream. `holds` tells (in that thread) whether its reader may still see it."""

    def __init__(self, view: View, holds: Callable[[], bool]) -> None:
        self.view, self.holds = view, holds
        self.given_up = asyncio.Event()
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue(WAITING_FRAMES)

    def put(self, piece: bytes | None) -> None:
        """Hand a frame over; `END` ends the stream. It is given up where it does not keep pace."""
        try:
            self._frames.put_nowait(piece)
        except asyncio.QueueFull:
            self.given_up.set()

    async def frames(self) -> AsyncIterator[bytes]:
        while (piece := await self._frames.get()) is not END:
            yield piece


class Broadcast(Generic[View]):
    """All streams of this process, and the one task that feeds them while there are any."""

    def __init__(self, source: Source[View]) -> None:
        self._source = source
        self._listeners: set[Listener[View]] = set()
        self._states: dict[View, bytes] = {}
        self._newest: Hashable = None
        self._beaten_at = 0.0
        self._joined = asyncio.Event()
        self._feeding: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "events")
        self._is_closed = False

    def join(self, view: View, holds: Callable[[], bool]) -> "EventStream":
        """A stream of this view: its present state at once, then each new one."""
        listener = Listener(view, holds)
        listener.put(f"retry: {RETRY_MS}\n\n".encode() + _beat())
        if self._is_closed:
            listener.put(END)
            return EventStream(self, listener)
        if view in self._states:
            listener.put(self._states[view])
        self._listeners.add(listener)
        self._joined.set()
        if self._feeding is None or self._feeding.done():
            self._feeding = asyncio.create_task(self._feed())
        return EventStream(self, listener)

    def leave(self, listener: Listener[View]) -> None:
        self._listeners.discard(listener)

    def close(self) -> None:
        """End all streams, so that the server need not wait for them; browsers ask again."""
        self._is_closed = True
        self._dismiss_all()

    def _dismiss_all(self) -> None:
        for listener in self._listeners:
            listener.put(END)
        self._listeners.clear()

    async def _feed(self) -> None:
        try:
            while self._listeners:
                self._joined.clear()
                with put_off_while_away("events"):  # no beat either: the pages notice
                    await self._tell_news()
                    await self._beat_when_due()
                await self._pause()
        except Exception:
            log.exception("open pages are told nothing more; they ask again")
            self._dismiss_all()
        finally:
            self._states.clear()

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._joined.wait(), LOOK_S)
        except TimeoutError:
            return

    async def _tell_news(self) -> None:
        newest = await self._aside(self._source.newest)
        if newest != self._newest:
            self._newest = newest
            self._states.clear()
        for view in {listener.view for listener in self._listeners} - self._states.keys():
            text = await self._aside(self._source.render, view)
            self._states[view] = frame("state", text)
            for listener in self._listeners:
                if listener.view == view:
                    listener.put(self._states[view])

    async def _aside(self, work: Callable[..., Result], *arguments: object) -> Result:
        """What asks the database, in one thread: each more would keep memory of its own."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, work, *arguments)

    async def _beat_when_due(self) -> None:
        """A sign of life for every stream but those whose reader may see it no longer."""
        if time.monotonic() - self._beaten_at < BEAT_S:
            return
        self._beaten_at = time.monotonic()
        present = list(self._listeners)
        hold = await self._aside(lambda: [listener.holds() for listener in present])
        for listener, may in zip(present, hold, strict=True):
            listener.put(_beat() if may else frame("end", "-"))
            if not may:
                listener.put(END)
                self.leave(listener)


def _beat() -> bytes:
    """The server's time and version, by which a page corrects its clock and renews itself."""
    return frame("beat", json.dumps({"now": int(time.time()), "version": version()}))


class EventStream(StreamingResponse):
    """The answer that a listener gets; ends with it, with the browser, or when it is given up."""

    def __init__(self, broadcast: Broadcast[View], listener: Listener[View]) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(listener.frames(), headers=headers, media_type="text/event-stream")
        self._given_up = listener.given_up
        self._leave = partial(broadcast.leave, listener)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.background is not None:
            await self.background()  # now, and not when the stream ends after days
        parts = [
            asyncio.ensure_future(self.stream_response(send)),
            asyncio.ensure_future(self.listen_for_disconnect(receive)),
            asyncio.ensure_future(self._given_up.wait()),
        ]
        try:
            await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._leave()
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)
