"""Streams of events: rendered once for all that show the same, bounded, ended when they must be."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field

import pytest
from sqlalchemy.exc import OperationalError
from starlette.types import Message

from app.web import events
from app.web.events import Broadcast, EventStream

PATIENCE_S = 10


@dataclass
class Source:
    """News when a test says so; counts how often each view was rendered."""

    news: int = 1
    rendered: Counter[str] = field(default_factory=Counter)
    fails_by: Exception | None = None

    def newest(self) -> Hashable:
        if self.fails_by:
            raise self.fails_by
        return self.news

    def render(self, view: str) -> str:
        self.rendered[view] += 1
        return f"<p>{view}</p>\n<b>{self.news}</b>"


@dataclass
class Browser:
    """Takes what an answer sends, until it leaves, or stops reading."""

    stream: EventStream
    text: str = ""
    reads: bool = True
    left: asyncio.Event = field(default_factory=asyncio.Event)
    taken: asyncio.Event = field(default_factory=asyncio.Event)
    asking: asyncio.Task[None] = field(init=False)

    def __post_init__(self) -> None:
        scope = {"type": "http", "asgi": {"spec_version": "2.3"}}
        self.asking = asyncio.create_task(self.stream(scope, self._receive, self._send))

    async def _receive(self) -> Message:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if not self.reads:
            await asyncio.Event().wait()
        self.text += message.get("body", b"").decode()
        self.taken.set()

    async def sees(self, text: str) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while text not in self.text:
                self.taken.clear()
                await self.taken.wait()


def always() -> bool:
    return True


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LOOK_S", 0.02)
    monkeypatch.setattr(events, "BEAT_S", 0.02)


def over(source: Source, work: Callable[[Broadcast[str]], Awaitable[None]]) -> None:
    """Do the work over a broadcast, and see that it leaves nothing running."""

    async def run() -> None:
        broadcast: Broadcast[str] = Broadcast(source)
        await work(broadcast)
        broadcast.close()
        running = asyncio.all_tasks() - {asyncio.current_task()}
        if running:
            assert not (await asyncio.wait(running, timeout=PATIENCE_S))[1]

    asyncio.run(run())


def test_each_view_is_rendered_once_for_all_its_streams() -> None:
    source = Source()

    async def work(broadcast: Broadcast[str]) -> None:
        browsers = [Browser(broadcast.join(view, always)) for view in "aabbb" * 10]
        for browser in browsers:
            await browser.sees("event: state\ndata: <p>")
        assert source.rendered == {"a": 1, "b": 1}
        late = Browser(broadcast.join("a", always))
        await late.sees("data: <b>1</b>\n\n")
        source.news = 2
        for browser in (*browsers, late):
            await browser.sees("data: <b>2</b>\n\n")
        assert source.rendered == {"a": 2, "b": 2}
        assert late.text.startswith("retry: ")

    over(source, work)


def test_a_stream_ends_with_its_browser() -> None:
    async def work(broadcast: Broadcast[str]) -> None:
        browser = Browser(broadcast.join("a", always))
        await browser.sees("event: state")
        browser.left.set()
        await asyncio.wait_for(browser.asking, PATIENCE_S)

    over(Source(), work)


def test_a_stream_ends_when_its_reader_may_see_it_no_longer() -> None:
    may = True

    async def work(broadcast: Broadcast[str]) -> None:
        nonlocal may
        browser = Browser(broadcast.join("a", lambda: may))
        other = Browser(broadcast.join("a", always))
        await browser.sees("event: state")
        may = False
        await asyncio.wait_for(browser.asking, PATIENCE_S)
        assert browser.text.endswith("event: end\ndata: -\n\n")
        assert not other.asking.done()

    over(Source(), work)


def test_who_does_not_read_is_given_up() -> None:
    source = Source()

    async def work(broadcast: Broadcast[str]) -> None:
        slow = Browser(broadcast.join("a", always))
        quick = Browser(broadcast.join("a", always))
        await slow.sees("event: state")
        slow.reads = False
        await asyncio.wait_for(slow.asking, PATIENCE_S)
        source.news = 2
        await quick.sees("<b>2</b>")

    over(source, work)


def test_all_end_when_the_server_does() -> None:
    async def work(broadcast: Broadcast[str]) -> None:
        browser = Browser(broadcast.join("a", always))
        await browser.sees("event: state")
        broadcast.close()
        await asyncio.wait_for(browser.asking, PATIENCE_S)
        await asyncio.wait_for(Browser(broadcast.join("a", always)).asking, PATIENCE_S)

    over(Source(), work)


def test_while_the_database_is_away_there_is_no_sign_of_life() -> None:
    source = Source()

    async def work(broadcast: Broadcast[str]) -> None:
        browser = Browser(broadcast.join("a", always))
        await browser.sees("event: state")
        source.fails_by = OperationalError("select", {}, Exception("away"))
        await asyncio.sleep(0.1)
        beats = browser.text.count("event: beat")
        await asyncio.sleep(0.1)
        assert browser.text.count("event: beat") == beats
        source.fails_by, source.news = None, 2
        await browser.sees("<b>2</b>")

    over(source, work)


def test_a_defect_ends_the_streams_and_not_the_next_ones() -> None:
    source = Source(fails_by=ValueError("a defect"))

    async def work(broadcast: Broadcast[str]) -> None:
        await asyncio.wait_for(Browser(broadcast.join("a", always)).asking, PATIENCE_S)
        source.fails_by = None
        await Browser(broadcast.join("a", always)).sees("event: state")

    over(source, work)
