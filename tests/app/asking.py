"""Asks an application inside this process; what it fails at is a 500, as for a user."""

import asyncio
from typing import Any

import httpx
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.accounts.caller import Caller
from app.accounts.guard import identified
from app.accounts.permissions import Role, permissions_of

OFFICE = Caller("office", permissions_of(Role.OFFICE), role=Role.OFFICE)


class Asker:
    """A browser or another system, without a server between.

    It asks as `caller`, by default the video office; with None it has to sign in as anybody has.
    """

    def __init__(self, app: FastAPI, caller: Caller | None = OFFICE) -> None:
        self._app = app
        if caller is not None:
            app.dependency_overrides[identified] = lambda: caller

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.ask("GET", path, headers=headers)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request; options as httpx has them. Redirects are not followed."""
        return asyncio.run(self._ask(method, path, options))

    async def _ask(self, method: str, path: str, options: dict[str, Any]) -> httpx.Response:
        client = options.pop("client", ("127.0.0.1", 50_000))
        app = _leaving_streams(self._app)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=client)
        async with httpx.AsyncClient(transport=transport, base_url="http://intact") as asking:
            return await asking.request(method, path, **options)


def _leaving_streams(app: ASGIApp) -> ASGIApp:
    """A browser that leaves a stream of events, which has no end, after its first bytes."""

    async def ask(scope: Scope, receive: Receive, send: Send) -> None:
        is_stream, left = False, asyncio.Event()

        async def sent(message: Message) -> None:
            nonlocal is_stream
            if message["type"] == "http.response.start":
                kind = dict(message["headers"]).get(b"content-type", b"")
                is_stream = kind.startswith(b"text/event-stream")
            elif is_stream:
                left.set()
            await send(message)

        async def received() -> Message:
            if not is_stream:
                return await receive()
            await left.wait()
            return {"type": "http.disconnect"}

        await app(scope, received, sent)
        if is_stream:
            await send({"type": "http.response.body", "body": b""})

    return ask
