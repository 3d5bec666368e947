"""Fetches a camera's snapshot to see whether a picture is there, and how large; then drops it.

Only the beginning is kept while the rest is counted, and nothing of it leaves this module but
figures. At most 16 MiB, no redirect, no cookie, no proxy of the environment, no address but the
camera's own (another port is fine). Source: DESIGN §5.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from collectors.media_password import authorization, is_stale, remember_refusal, was_refused
from collectors.onvif.credentials import CredentialMemory
from collectors.onvif.http import new_unverified_tls
from collectors.own_address import HTTP, own_place
from collectors.picture import size_of
from collectors.probe import Target

MAX_PICTURE_BYTES = 16 * 1024 * 1024
_HEAD_BYTES = 256 * 1024  # what may stand before a picture's size: EXIF, thumbnails, profiles
_REFUSALS = (401, 403)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known of a picture: points, and bytes on the wire; None where there is no picture.

    `detail` says in our words why there is none.
    """

    width: int | None = None
    height: int | None = None
    size_bytes: int | None = None
    detail: str = ""

    @property
    def is_there(self) -> bool:
        return self.size_bytes is not None


@dataclass(frozen=True, slots=True)
class _Answer:
    code: int
    challenges: list[str]
    snapshot: Snapshot


class SnapshotClient:
    """Looks at the pictures of all cameras with one HTTP client; made by `snapshot_client`."""

    def __init__(self, memory: CredentialMemory, client: httpx.AsyncClient) -> None:
        self._memory = memory
        self._client = client

    async def look(self, target: Target, uri: str, deadline: float) -> Snapshot:
        """Fetch the picture that a camera named; returns by `deadline` (the loop's `time()`)."""
        place = own_place(uri, target.address, HTTP)
        if place is None:
            return Snapshot(detail="its snapshot address is no HTTP address")
        try:
            async with asyncio.timeout_at(deadline):
                return await self._fetch(target, place.uri)
        except TimeoutError:
            return Snapshot(detail="its snapshot was not finished in time")
        except (httpx.HTTPError, httpx.InvalidURL, OSError):
            return Snapshot(detail="its snapshot cannot be fetched")

    async def _fetch(self, target: Target, uri: str) -> Snapshot:
        answer = await self._get(uri, {})
        if answer.code != 401:
            return answer.snapshot
        if not target.username:
            return Snapshot(detail="its snapshot asks for a password, and none is registered")
        if was_refused(self._memory, target):
            return Snapshot(detail="refused this password before; not tried again")
        for _ in range(2):  # a second time only for a nonce that went stale: no wrong password
            path = httpx.URL(uri).raw_path.decode("ascii")
            header = authorization(answer.challenges, target, "GET", path)
            if header is None:
                return Snapshot(detail="its snapshot asks for a password in an unknown way")
            answer = await self._get(uri, {b"Authorization": header.encode("latin-1")})
            if answer.code not in _REFUSALS:
                return answer.snapshot
            if not is_stale(answer.challenges):
                break
        remember_refusal(self._memory, target)
        return Snapshot(detail="its snapshot refuses the registered user name or password")

    async def _get(self, uri: str, headers: dict[bytes, bytes]) -> _Answer:
        async with self._client.stream("GET", uri, headers=headers) as response:
            challenges = _challenges(response.headers)
            if response.status_code != 200:
                detail = f"its snapshot answers HTTP {response.status_code}"
                return _Answer(response.status_code, challenges, Snapshot(detail=detail))
            return _Answer(200, challenges, await _measured(response))


@asynccontextmanager
async def snapshot_client(memory: CredentialMemory) -> AsyncIterator[SnapshotClient]:
    """A client for as long as it is needed.

    TLS is unverified, and used only where a camera names an `https` address.
    """
    async with httpx.AsyncClient(
        verify=new_unverified_tls(),
        trust_env=False,
        follow_redirects=False,
        timeout=None,  # noqa: S113 - the deadline is the caller's
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        headers={"Accept": "image/*", "Accept-Encoding": "identity", "User-Agent": "Intact"},
    ) as client:
        yield SnapshotClient(memory, client)


def _challenges(headers: httpx.Headers) -> list[str]:
    """As they came, one character a byte: a realm of any encoding goes back as it is."""
    return [
        value.decode("latin-1")
        for name, value in headers.raw
        if name.lower() == b"www-authenticate"
    ]


async def _measured(response: httpx.Response) -> Snapshot:
    """Read to the end, keeping no more than the beginning."""
    head, size_bytes = bytearray(), 0
    async for chunk in response.aiter_raw():
        size_bytes += len(chunk)
        if size_bytes > MAX_PICTURE_BYTES:
            return Snapshot(detail="its snapshot is too large")
        head += chunk[: _HEAD_BYTES - len(head)]
    size = size_of(bytes(head))
    if size is None:
        return Snapshot(detail="its snapshot is no picture")
    return Snapshot(*size, size_bytes)
