"""Asks an application inside this process; what it fails at is a 500, as for a user."""

import asyncio

import httpx
from fastapi import FastAPI


class Asker:
    """A browser or another system, without a server between."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def get(self, path: str, **headers: str) -> httpx.Response:
        return asyncio.run(self._get(path, headers))

    async def _get(self, path: str, headers: dict[str, str]) -> httpx.Response:
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://intact") as client:
            return await client.get(path, headers=headers)
