"""One request to a receiver that nobody trusts.

The whole exchange has one deadline, however slowly the answer drips; its content is not read, as it
may have no end. No proxy from the environment, no redirect: what is not 2xx was not accepted. Whom
to trust over TLS say the system's certificates, among which are those of the closed network.
"""

import asyncio
import ssl
from functools import cache
from typing import Any

import httpx

TIMEOUT_S = 5.0


def post(address: str, body: dict[str, Any]) -> str | None:
    """Send JSON; returns what went wrong. The address, which may be a secret, stays out of it."""
    return _ask("POST", address, body)


def get(address: str) -> str | None:
    """Ask without wanting to know anything; returns what went wrong."""
    return _ask("GET", address, None)


def _ask(method: str, address: str, body: dict[str, Any] | None) -> str | None:
    try:
        return asyncio.run(asyncio.wait_for(_exchange(method, address, body), TIMEOUT_S))
    except TimeoutError:
        return f"no answer within {TIMEOUT_S:g} s"
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        return f"{type(error).__name__}: {error}".replace(address, "the address")


async def _exchange(method: str, address: str, body: dict[str, Any] | None) -> str | None:
    async with (
        httpx.AsyncClient(
            trust_env=False, timeout=TIMEOUT_S, follow_redirects=False, verify=_trusted()
        ) as client,
        client.stream(method, address, json=body) as answer,
    ):
        return None if answer.is_success else f"HTTP {answer.status_code}"


@cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()
